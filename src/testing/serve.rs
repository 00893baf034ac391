//! Serving one connection: reading, scripts and writing in one future.
//! Must not know what lines or scripts mean.

use crate::testing::backstage::Backstage;
use crate::testing::config::Config;
use crate::testing::log::Log;
use crate::testing::outbox;
use crate::testing::runner::Runner;
use crate::testing::session::{Chosen, Session};
use crate::testing::stage::Stage;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// How long the peer may take to read what was written before the end.
const GRACE: Duration = Duration::from_secs(1);

/// Serves one connection to its end. `open` sees the session before the first line is read.
pub(crate) async fn serve(
    config: Arc<Config>,
    log: Log,
    backstage: Arc<Backstage>,
    reader: impl AsyncRead,
    writer: impl AsyncWrite,
    open: impl FnOnce(&Arc<Session>),
) {
    let (outbox, writing) = outbox::channel();
    let session = Arc::new(Session::new(config, log, backstage, outbox));
    open(&session);

    let mut writing = pin!(writing.run(writer));
    let mut written = false;
    {
        let mut reading = pin!(session.read(reader));
        let mut scripts = FuturesUnordered::new();
        let mut shift = session.backstage().crew.shift();
        // One task for all: reading first, then the scripts, then writing, so that what a line leads to at once is
        // queued before the end of the input is acted upon, and so that dropping this future leaves nothing behind.
        poll_fn(|cx| {
            let read = reading.as_mut().poll(cx).is_ready();
            run_scripts(&session, &mut scripts, cx);
            // Behind the scripts, so that what has just become a task is run here.
            let _ = shift.poll(cx);
            written = writing.as_mut().poll(cx).is_ready();
            if read || written || session.is_closing() {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        })
        .await;
    }
    if !written {
        session.end();
        // A peer that does not read must not keep the server alive; a broken pipe is an end like any other.
        let _ = tokio::time::timeout(GRACE, writing).await;
    }
}

fn run_scripts(
    session: &Arc<Session>,
    scripts: &mut FuturesUnordered<BoxFuture<'static, ()>>,
    cx: &mut Context<'_>,
) {
    let chosen = session.take_chosen();
    for Chosen {
        request,
        script,
        cancel,
    } in chosen
    {
        let runner = Runner::new(session.clone(), request);
        scripts.push(Box::pin(runner.run(script, cancel)));
    }
    while let Poll::Ready(Some(())) = scripts.poll_next_unpin(cx) {}
}
