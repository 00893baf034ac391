//! The one place where the client reads the clock and makes timers.
//!
//! Owns the runtime's time, so that a paused clock rules everything. It must not know what the time is for.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::runtime::Handle;
use tokio::time::Sleep;

/// The runtime's time: a paused clock stands still here too.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reading of the clock; everything below takes it as an argument"
)]
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// One timer, made when first needed, on the client's runtime.
#[derive(Debug, Default)]
pub(crate) struct Timer {
    sleep: Option<Pin<Box<Sleep>>>,
    /// Who is woken when the time comes, once that is arranged.
    waker: Option<Waker>,
}

impl Timer {
    pub(crate) const fn is_set(&self) -> bool {
        self.sleep.is_some()
    }

    /// Sets the timer to `deadline`; `runtime` gives it its driver, whichever executor polls it.
    pub(crate) fn set(&mut self, deadline: Instant, runtime: &Handle) {
        let deadline = tokio::time::Instant::from_std(deadline);
        self.waker = None;
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().reset(deadline),
            None => {
                let _entered = runtime.enter();
                self.sleep = Some(Box::pin(tokio::time::sleep_until(deadline)));
            }
        }
    }

    /// Ready when the time has come; pending for ever while it is not set.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(sleep) = &mut self.sleep else {
            return Poll::Pending;
        };
        // To arrange the waking anew whenever a call is polled costs as much as the rest of that poll.
        let arranged = |waker: &Waker| waker.will_wake(cx.waker());
        if self.waker.as_ref().is_some_and(arranged) && !sleep.is_elapsed() {
            return Poll::Pending;
        }
        self.waker = Some(cx.waker().clone());
        // Unconstrained: a poll that the task's budget refused would have arranged nothing.
        pin!(tokio::task::unconstrained(sleep.as_mut())).poll(cx)
    }
}
