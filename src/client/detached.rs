//! A call that runs by itself, and the way back to it.
//!
//! Owns the task of a detached call. It must not know what drives other calls.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::future::{Either, Ready, ready};
use serde::de::DeserializeOwned;
use tokio::task::{JoinError, JoinHandle};

use super::call::Call;
use super::canceller::Canceller;
use crate::error::{Error, Result};
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::registry::ProgressRegistry;
use crate::progress::slot::Slot;
use crate::progress::updates::Updates;
use crate::sync::Arc;

/// A call that runs in a task of its own; made by [`Call::detach`].
///
/// Await it for the result, or look in with [`updates`](Self::updates). Dropping it does not cancel the call, which
/// then runs to its end unseen; [`canceller`](Self::canceller) does.
#[must_use = "without the handle the result of a detached call is lost"]
pub struct Detached<T> {
    task: Task<T>,
    canceller: Canceller,
    subscription: Option<(ProgressRegistry, Arc<Slot>)>,
}

/// The task, or the outcome of a call that could not start and needs none.
type Task<T> = Either<JoinHandle<Result<T>>, Ready<Result<Result<T>, JoinError>>>;

impl<T: DeserializeOwned + Send + 'static> Call<T> {
    /// Moves the call to a task on the client's runtime, where it runs whether or not anybody waits for it, and gives
    /// a handle to come back to.
    pub fn detach(self) -> Detached<T> {
        Detached::new(self)
    }
}

impl<T: DeserializeOwned + Send + 'static> Detached<T> {
    pub(super) fn new(mut call: Call<T>) -> Self {
        let canceller = call.canceller();
        let subscription = call
            .core()
            .map(|core| (core.client().progress().clone(), core.flight().slot.clone()));
        let runtime = call.core().map(|core| core.client().runtime().clone());
        let task = match runtime {
            Some(runtime) => Either::Left(runtime.spawn(IntoFuture::into_future(call))),
            // It could not start, so that it has no client and no runtime either.
            None => {
                let failure = call.take_failure().unwrap_or_else(Error::cancelled);
                Either::Right(ready(Ok(Err(failure))))
            }
        };
        Self {
            task,
            canceller,
            subscription,
        }
    }
}

impl<T> Detached<T> {
    /// A stream of the updates from here on, which first sees the last value if there is one.
    pub fn updates(&self) -> Updates {
        match &self.subscription {
            Some((registry, slot)) => registry.stream_of(slot),
            None => Updates::ended(ProgressToken::generate(), StreamEnd::Failed),
        }
    }

    /// The cancel button. It does nothing where the request could not be sent.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.canceller.clone()
    }

    /// Whether the call is over, so that awaiting it gives the result at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        match &self.task {
            Either::Left(task) => task.is_finished(),
            Either::Right(_) => true,
        }
    }
}

impl<T> IntoFuture for Detached<T> {
    type Output = Result<T>;
    type IntoFuture = DetachedResult<T>;

    fn into_future(self) -> DetachedResult<T> {
        DetachedResult(self.task)
    }
}

/// The future that awaiting a [`Detached`] makes. Dropping it does not cancel the call.
#[must_use = "futures do nothing unless polled"]
pub struct DetachedResult<T>(Task<T>);

impl<T> Future for DetachedResult<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(match std::task::ready!(Pin::new(&mut self.0).poll(cx)) {
            Ok(result) => result,
            // A handler's panic goes on in whoever awaits the call.
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(error) => Err(Error::cancelled().with_source(error)),
        })
    }
}

impl<T> fmt::Debug for Detached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached")
            .field("finished", &self.is_finished())
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for DetachedResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DetachedResult").finish_non_exhaustive()
    }
}
