//! The task of one reporter: it sleeps until something is to go out, and gives it to the sink.
//!
//! Owns waiting, and nothing that could be decided without it: that is the machine.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;

use super::clock;
use super::machine::Step;
use super::shared::Shared;
use super::sink::ProgressSink;
use crate::sync::Arc;

/// The sending of one reporter, as a future: for those who start no tasks.
///
/// [`ReporterBuilder::build`](crate::reporter::ReporterBuilder::build) runs it on a runtime; with
/// [`build_with_driver`](crate::reporter::ReporterBuilder::build_with_driver) somebody else must poll it, inside a tokio
/// runtime. It is ready when the reporter has ended and its last update is sent or given up.
///
/// # Cancel safety
///
/// Dropping it ends the sending: what is held is lost, and who waits for [`Closing`](crate::reporter::Closing) is told.
#[must_use = "nothing is sent unless this is polled"]
pub struct ReporterDriver(BoxFuture<'static, ()>);

impl ReporterDriver {
    pub(super) fn new(shared: Arc<Shared>, sink: Arc<dyn ProgressSink>) -> Self {
        // Outside the future, which may be dropped before its first poll.
        let guard = Guard(shared);
        Self(Box::pin(async move { drive(&guard.0, sink).await }))
    }

    /// The driver of a reporter that does nothing.
    pub(crate) fn idle() -> Self {
        Self(Box::pin(std::future::ready(())))
    }
}

impl Future for ReporterDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for ReporterDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReporterDriver").finish_non_exhaustive()
    }
}

/// Tells those who wait for the end when the driver is dropped before it.
struct Guard(Arc<Shared>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.abandoned();
    }
}

async fn drive(shared: &Shared, sink: Arc<dyn ProgressSink>) {
    loop {
        match shared.step(clock::now()) {
            Step::Send(entry) => {
                let update = shared.update(entry);
                let result = sink.send(update.clone()).await;
                shared.settle(&update, result, clock::now());
            }
            Step::Tell(event) => {
                if let Some(log) = sink.log(event.level(), event.data(&shared.token))
                    && let Err(error) = log.await
                {
                    tracing::debug!(token = %shared.token, %error, "a life-cycle event was not sent");
                }
            }
            Step::Sleep(until) => {
                tokio::select! {
                    () = shared.woken() => {}
                    () = tokio::time::sleep_until(until.into()) => {}
                }
            }
            Step::Wait => shared.woken().await,
            Step::Over => break,
        }
    }
    // First the sink: whoever learns of the end may rely on it being gone.
    drop(sink);
    shared.over(clock::now());
}
