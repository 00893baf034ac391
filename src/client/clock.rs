//! The one place where the client reads the clock and makes timers.
//!
//! Owns the runtime's time, so that a paused clock rules everything. It must not know what the time is for.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
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
}

impl Timer {
    pub(crate) const fn is_set(&self) -> bool {
        self.sleep.is_some()
    }

    /// Sets the timer to `deadline`; `runtime` gives it its driver, whichever executor polls it.
    pub(crate) fn set(&mut self, deadline: Instant, runtime: &Handle) {
        let deadline = tokio::time::Instant::from_std(deadline);
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
        match &mut self.sleep {
            Some(sleep) => sleep.as_mut().poll(cx),
            None => Poll::Pending,
        }
    }
}
