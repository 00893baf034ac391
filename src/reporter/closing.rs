//! Owns the waiting for the end of an operation. Must not know how it comes.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::BoxFuture;

use super::shared::Ended;

/// The end of an operation, on its way; await it for what became of its updates.
///
/// # Errors
///
/// [`Finished`](crate::reporter::ReporterError::Finished) where it had ended before,
/// [`Undelivered`](crate::reporter::ReporterError::Undelivered) where the last update was given up.
///
/// # Cancel safety
///
/// The operation ends with the call that gave this. Dropping it only means not to know: the last update goes out in the
/// background.
#[must_use = "the last update goes out in the background; await this to know that it has"]
pub struct Closing(BoxFuture<'static, Ended>);

impl Closing {
    pub(super) fn new(ended: impl Future<Output = Ended> + Send + 'static) -> Self {
        Self(Box::pin(ended))
    }
}

impl Future for Closing {
    type Output = Ended;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Ended> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for Closing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closing").finish_non_exhaustive()
    }
}
