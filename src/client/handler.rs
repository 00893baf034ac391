//! What a call does with its updates.
//!
//! Owns the three kinds of handler and the running of an asynchronous one. It must not know where updates come
//! from.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::model::progress::Progress;

mod sealed {
    use std::task::{Context, Poll};

    use crate::model::progress::Progress;

    /// The mechanics, which only this crate may rely on.
    #[expect(unnameable_types, reason = "sealed on purpose: `Handler` is the name")]
    pub trait Mechanics {
        /// Whether updates are wanted at all.
        const LISTENS: bool;

        /// Ready when the next update may be handed over.
        fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()>;

        /// Hands an update over.
        fn handle(&mut self, update: Progress);
    }
}

pub(crate) use sealed::Mechanics;

/// What handles the updates of a call: set by [`Request::on_progress`](crate::Request::on_progress) and
/// [`Request::on_progress_async`](crate::Request::on_progress_async).
pub trait Handler: Mechanics {}

impl<T: Mechanics> Handler for T {}

/// No handler: updates only keep the call alive.
#[derive(Debug)]
#[non_exhaustive]
pub struct NoHandler;

impl Mechanics for NoHandler {
    const LISTENS: bool = false;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn handle(&mut self, _: Progress) {}
}

/// A closure that is called with each update.
pub struct SyncHandler<F>(pub(crate) F);

impl<F: FnMut(Progress)> Mechanics for SyncHandler<F> {
    const LISTENS: bool = true;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

    fn handle(&mut self, update: Progress) {
        (self.0)(update);
    }
}

/// A closure whose future is awaited for each update, one at a time.
pub struct AsyncHandler<F, Fut> {
    handler: F,
    /// The box is made for the first update and used again for the others.
    running: Option<Pin<Box<Fut>>>,
    busy: bool,
}

impl<F, Fut> AsyncHandler<F, Fut> {
    pub(crate) const fn new(handler: F) -> Self {
        Self {
            handler,
            running: None,
            busy: false,
        }
    }
}

impl<F: FnMut(Progress) -> Fut, Fut: Future<Output = ()>> Mechanics for AsyncHandler<F, Fut> {
    const LISTENS: bool = true;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.busy
            && let Some(running) = &mut self.running
        {
            std::task::ready!(running.as_mut().poll(cx));
            self.busy = false;
        }
        Poll::Ready(())
    }

    fn handle(&mut self, update: Progress) {
        let future = (self.handler)(update);
        match &mut self.running {
            Some(running) => running.set(future),
            None => self.running = Some(Box::pin(future)),
        }
        self.busy = true;
    }
}

impl<F> fmt::Debug for SyncHandler<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SyncHandler").finish_non_exhaustive()
    }
}

impl<F, Fut> fmt::Debug for AsyncHandler<F, Fut> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncHandler")
            .field("busy", &self.busy)
            .finish_non_exhaustive()
    }
}
