//! The life of a connection over HTTP: its task, and its end.
//!
//! Owns closing: what is queued is sent, the session is deleted, and every stream is closed. It must not know single
//! exchanges.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::link::Link;
use super::sender;
use crate::client::clock;
use crate::client::driver::Driver;
use crate::error::Error;
use crate::session::calls::Direct;
use crate::sync::{Arc, Ordering};

/// How long what is queued may take to be sent once the connection is closed,
const FLUSH: Duration = Duration::from_secs(1);
/// cancelled calls to tell the server so,
const WIND_UP: Duration = Duration::from_secs(2);
/// and the server to delete the session.
const DELETE: Duration = Duration::from_secs(2);

/// Starts the connection's task.
pub(crate) fn start(link: &Arc<Link>) -> Driver {
    let runtime = link.runtime.clone();
    let sending = runtime.spawn(sender::run(link.clone()));
    // Weak: the session must not keep its own transport alive.
    let weak = Arc::downgrade(link);
    let direct = move || weak.upgrade().is_some_and(|link| sender::begin_now(&link));
    let _ = link.session.direct.set(Direct(Box::new(direct)));
    // Each subscription holds a connection for as long as its task lives, and tasks are asked for over the others.
    let half = u64::try_from(link.channel.max_connections / 2).unwrap_or(u64::MAX);
    let listens = &link.session.task_listens_at_most;
    listens.store(half, Ordering::Relaxed);
    let tasks = Tasks {
        link: link.clone(),
        sending,
    };
    Driver::supervised(&runtime, move |closing| tasks.supervise(closing))
}

struct Tasks {
    link: Arc<Link>,
    sending: JoinHandle<()>,
}

/// Also when the runtime drops the task, no call is left waiting.
impl Drop for Tasks {
    fn drop(&mut self) {
        self.sending.abort();
        self.link.stop();
        let error = Error::connect("the runtime that drove the connection has ended");
        self.link.session.disconnect(error, clock::now());
        self.link.session.outbox.abort();
    }
}

impl Tasks {
    async fn supervise(mut self, closing: Arc<Notify>) {
        tokio::select! {
            biased;
            // It ends by itself when the server has ended an HTTP+SSE connection.
            _ = &mut self.sending => {}
            () = closing.notified() => {}
        }
        self.close().await;
    }

    async fn close(&mut self) {
        let link = &self.link;
        link.session.outbox.close();
        if !self.sending.is_finished() {
            let _ = timeout(FLUSH, &mut self.sending).await;
        }
        // A probe that nobody waits for is not waited for here.
        link.end_needless();
        // Cancelled calls of the handshake revisions post their word within a second; others are at their end.
        let _ = timeout(WIND_UP, link.idle()).await;
        if let Some(request) = link.delete() {
            // A server may refuse (405), and nothing more can be done then.
            let _ = timeout(DELETE, link.channel.send(request)).await;
        }
        link.stop();
        link.session
            .disconnect(Error::connect("the client was closed"), clock::now());
    }
}
