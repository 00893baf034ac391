//! A call that runs by itself, and the way back to it.
//!
//! Owns the task of a detached call. It must not know what drives other calls.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;
use tokio::task::JoinHandle;

use super::call::Call;
use super::canceller::Canceller;
use crate::error::{Error, Result};
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::registry::ProgressRegistry;
use crate::progress::updates::Updates;

/// A call that runs in a task of its own; made by [`Call::detach`].
///
/// Await it for the result, or look in with [`updates`](Self::updates). Dropping it does not cancel the call, which
/// then runs to its end unseen; [`canceller`](Self::canceller) does.
#[must_use = "without the handle the result of a detached call is lost"]
pub struct Detached<T> {
    task: JoinHandle<Result<T>>,
    canceller: Option<Canceller>,
    subscription: Option<(ProgressRegistry, ProgressToken)>,
}

impl<T: DeserializeOwned + Send + 'static> Call<T> {
    /// Moves the call to a task on the client's runtime, where it runs whether or not anybody waits for it, and gives
    /// a handle to come back to.
    pub fn detach(self) -> Detached<T> {
        Detached::new(self)
    }
}

impl<T: DeserializeOwned + Send + 'static> Detached<T> {
    pub(super) fn new(call: Call<T>) -> Self {
        let canceller = call.canceller();
        let subscription = call.core().map(|core| {
            (
                core.client().progress().clone(),
                core.flight().slot.token().clone(),
            )
        });
        let runtime = call.core().map(|core| core.client().runtime().clone());
        // A call that failed to start has no client; its task only carries the error.
        let runtime = runtime.unwrap_or_else(tokio::runtime::Handle::current);
        Self {
            task: runtime.spawn(IntoFuture::into_future(call)),
            canceller,
            subscription,
        }
    }
}

impl<T> Detached<T> {
    /// A stream of the updates from here on, which first sees the last value if there is one.
    pub fn updates(&self) -> Updates {
        match &self.subscription {
            Some((registry, token)) => registry.subscribe(token),
            None => Updates::ended(ProgressToken::generate(), StreamEnd::Failed),
        }
    }

    /// The cancel button; none where the request could not be sent.
    #[must_use]
    pub fn canceller(&self) -> Option<Canceller> {
        self.canceller.clone()
    }

    /// Whether the call is over, so that awaiting it gives the result at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
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
pub struct DetachedResult<T>(JoinHandle<Result<T>>);

impl<T> Future for DetachedResult<T> {
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        Poll::Ready(match ready!(Pin::new(&mut self.0).poll(cx)) {
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
