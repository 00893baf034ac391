//! Owns the futures of one connection and the driving of them, all in one. Must not know what they do.
//!
//! No task is started: whoever awaits the driver runs the connection and everything that was begun on it, and whoever
//! drops it leaves nothing behind.

use crate::testing::tasks::crew::Shift;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::fmt;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;

/// Futures that were begun and not yet polled.
#[derive(Clone, Default)]
pub(crate) struct Jobs(Arc<Mutex<Vec<BoxFuture<'static, ()>>>>);

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs").finish_non_exhaustive()
    }
}

impl Jobs {
    pub(crate) fn push(&self, job: impl Future<Output = ()> + Send + 'static) {
        self.lock().push(Box::pin(job));
    }

    fn take(&self) -> Vec<BoxFuture<'static, ()>> {
        std::mem::take(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<BoxFuture<'static, ()>>> {
        // Nothing in here can panic half-way through a change, so a poisoned list is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// HTTP/2 runs each of its streams as a future of its own.
impl<F> hyper::rt::Executor<F> for Jobs
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, job: F) {
        self.push(job);
    }
}

/// Runs a connection to its end and then what was begun on it. `broken` ends the connection before.
pub(crate) async fn drive(
    jobs: &Jobs,
    mut shift: Shift,
    connection: impl Future<Output = ()>,
    broken: impl Future<Output = ()>,
) {
    // Boxed so that it can be dropped in place: what is left of a broken connection must not stay open.
    let mut connection = Some(Box::pin(connection));
    let mut broken = pin!(broken);
    let mut running = FuturesUnordered::new();
    poll_fn(|cx| {
        let mut idle;
        loop {
            if let Some(open) = &mut connection
                && (open.as_mut().poll(cx).is_ready() || broken.as_mut().poll(cx).is_ready())
            {
                connection = None;
            }
            let begun = jobs.take();
            let more = !begun.is_empty();
            running.extend(begun);
            while let Poll::Ready(Some(())) = running.poll_next_unpin(cx) {}
            // Behind the jobs, so that what has just become a task is run here.
            idle = shift.poll(cx).is_ready();
            // A job may have begun another one, or have written what the connection should send in the same turn.
            if !more {
                break;
            }
        }
        if connection.is_none() && running.is_empty() && idle {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
