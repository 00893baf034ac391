//! The handle on a call in flight: its updates, then its result.
//!
//! Owns the stream form of a call. It must not know how requests are built.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream, StreamExt};
use serde::de::DeserializeOwned;

use super::canceller::Canceller;
use super::core::{Core, Event};
#[cfg(feature = "http")]
use super::handle::Way;
use super::outcome::decode;
#[cfg(feature = "indicatif")]
use super::telemetry::closing::CallOutcome;
use crate::error::{Error, Result};
use crate::model::progress::Progress;
use crate::model::task::{Task, TaskHandle};
use crate::model::token::ProgressToken;
use crate::progress::slot::Outcome;
use crate::progress::updates::Updates;

/// A call in flight: a [`Stream`] of its updates that ends when the call does, and then its result.
///
/// ```no_run
/// # async fn example(client: mcp_progress::Client) -> mcp_progress::Result<()> {
/// let mut call = client.read_resource("file:///big").start();
/// while let Some(update) = call.next().await {
///     tracing::info!(%update);
/// }
/// let contents = call.await?;
/// # let _ = contents; Ok(()) }
/// ```
///
/// It is not a future itself, since being both would make `map` or `fuse` ambiguous: await it, which turns it into
/// one. Clocks, registered callbacks and the call's end are driven by whoever polls it. Left alone it receives within
/// its bounds and does nothing else; [`detach`](Self::detach) lets it run by itself. Dropping it cancels the call.
#[must_use = "dropping the call cancels it"]
pub struct Call<T> {
    state: State,
    result: PhantomData<fn() -> T>,
}

enum State {
    /// Boxed: a call is moved about, and most of it lives in its slot anyway.
    Running(Box<Core>),
    Settled(Box<Core>, Option<Outcome>),
    Failed(Option<Error>),
}

impl<T: DeserializeOwned> Call<T> {
    pub(super) fn new(core: Result<Core>) -> Self {
        let state = match core {
            Ok(core) => State::Running(Box::new(core)),
            Err(error) => State::Failed(Some(error)),
        };
        Self {
            state,
            result: PhantomData,
        }
    }

    /// The next update, or nothing once the call is over; await the call then.
    ///
    /// # Cancel safety
    ///
    /// An update is taken only when it is returned: dropping the future loses nothing, so this may stand in `select!`.
    pub async fn next(&mut self) -> Option<Progress> {
        StreamExt::next(self).await
    }

    /// Waits for the result, as awaiting the call does. Updates that this handle has not read are dropped; other
    /// subscribers of the token keep theirs.
    ///
    /// # Errors
    ///
    /// What can end a call without a result: see [`ErrorKind`](crate::ErrorKind). A tool that reports a failure of its
    /// own (`isError`) gives a result, not an error.
    pub async fn result(self) -> Result<T> {
        self.await
    }

    /// One more stream of this call's updates, which first sees the last value if there is one. It only unsubscribes
    /// when dropped; the call goes on.
    pub fn updates(&self) -> Updates {
        match &self.state {
            State::Running(core) | State::Settled(core, _) => {
                core.client().progress().stream_of(&core.flight().slot)
            }
            State::Failed(_) => Updates::ended(
                ProgressToken::generate(),
                crate::progress::end::StreamEnd::Failed,
            ),
        }
    }

    /// The cancel button: for another task, or to keep after the call was moved away. It does nothing where the request
    /// could not be sent.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        Canceller::of(self.core())
    }

    /// The progress token that the request carries, if it carries one.
    #[must_use]
    pub fn token(&self) -> Option<&ProgressToken> {
        let flight = self.core()?.flight();
        flight.tracked.then(|| flight.slot.token())
    }

    /// The JSON-RPC id of the request; none where it could not be sent.
    #[must_use]
    pub fn request_id(&self) -> Option<i64> {
        self.core().map(|core| core.flight().id())
    }

    /// The newest update so far.
    #[must_use]
    pub fn last_update(&self) -> Option<Progress> {
        self.core()?.flight().slot.last()
    }

    /// The handle on the task that the call has become; none while it is an ordinary call. The first update of kind
    /// [`Status`](crate::UpdateKind::Status) tells that it is there.
    ///
    /// It can be saved, so that another process finishes the call with
    /// [`Client::resume_task`](crate::Client::resume_task).
    #[must_use]
    pub fn task(&self) -> Option<TaskHandle> {
        let core = self.core()?;
        let flight = core.flight();
        let created = flight.task.get()?;
        // What else the server said of it may be in any form.
        let task = serde_json::from_str(&created.state);
        let task = task.unwrap_or_else(|_| Task::named(&created.id));
        let version = core.session().wire().version?;
        let token = flight.tracked.then(|| flight.slot.token().clone());
        #[cfg_attr(
            not(feature = "http"),
            expect(unused_mut, reason = "only HTTP has sessions")
        )]
        let mut handle = TaskHandle::of(&task, version, token);
        #[cfg(feature = "http")]
        if let Way::Http(link) = core.client().way() {
            handle.session_id = link.session_name();
        }
        Some(handle)
    }

    /// Gives the call up and leaves its task to the server: the one way to drop a call without cancelling its work. A call
    /// that is no task is cancelled, and gives none.
    #[must_use = "the handle is the only way back to the task"]
    pub fn leave(mut self) -> Option<TaskHandle> {
        let handle = self.task()?;
        if let State::Running(core) = &mut self.state {
            core.release();
        }
        Some(handle)
    }

    /// Why the request could not be sent, of a call that has no core.
    pub(super) fn take_failure(&mut self) -> Option<Error> {
        match &mut self.state {
            State::Failed(error) => error.take(),
            State::Running(_) | State::Settled(..) => None,
        }
    }

    /// What people know it by: the tool, prompt or resource, else the method. None where it could not be sent.
    #[cfg(feature = "indicatif")]
    pub(crate) fn name(&self) -> Option<&str> {
        let flight = self.core()?.flight();
        Some(flight.name.as_deref().unwrap_or(&flight.method))
    }

    /// Whether it is over, and its result is that of a tool that failed.
    #[cfg(feature = "indicatif")]
    pub(crate) fn is_tool_error(&self) -> bool {
        let State::Settled(core, Some(outcome)) = &self.state else {
            return false;
        };
        CallOutcome::of(&core.flight().method, outcome) == CallOutcome::ToolError
    }

    pub(super) fn core(&self) -> Option<&Core> {
        match &self.state {
            State::Running(core) | State::Settled(core, _) => Some(core),
            State::Failed(_) => None,
        }
    }
}

impl<T> Call<T> {
    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let State::Running(core) = &mut self.state else {
            return Poll::Ready(None);
        };
        let span = core.span();
        let _entered = span.enter();
        match ready!(core.poll_event(cx)) {
            Event::Update(update) => Poll::Ready(Some(update)),
            Event::Settled(outcome) => {
                if let State::Running(core) =
                    std::mem::replace(&mut self.state, State::Failed(None))
                {
                    self.state = State::Settled(core, Some(outcome));
                }
                Poll::Ready(None)
            }
        }
    }
}

// The result is not stored.
impl<T> Unpin for Call<T> {}

impl<T> Stream for Call<T> {
    type Item = Progress;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        self.get_mut().poll_update(cx)
    }
}

impl<T> FusedStream for Call<T> {
    fn is_terminated(&self) -> bool {
        !matches!(self.state, State::Running(_))
    }
}

impl<T: DeserializeOwned> IntoFuture for Call<T> {
    type Output = Result<T>;
    type IntoFuture = CallResult<T>;

    fn into_future(mut self) -> CallResult<T> {
        if let State::Running(core) = &mut self.state {
            core.stop_own();
        }
        CallResult(self)
    }
}

/// The future that awaiting a [`Call`] makes.
///
/// # Panics
///
/// Polling it after it has given its result panics, as with any future.
#[must_use = "futures do nothing unless polled"]
pub struct CallResult<T>(Call<T>);

impl<T: DeserializeOwned> Future for CallResult<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let call = &mut self.get_mut().0;
        while ready!(call.poll_update(cx)).is_some() {}
        match &mut call.state {
            State::Settled(core, outcome) => {
                let outcome = outcome.take().expect("a call gives its result once");
                Poll::Ready(decode(core, outcome))
            }
            State::Failed(error) => {
                Poll::Ready(Err(error.take().expect("a call gives its result once")))
            }
            State::Running(_) => Poll::Pending,
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Call");
        if let State::Running(core) | State::Settled(core, _) = &self.state {
            debug
                .field("id", &core.flight().id())
                .field("method", &core.flight().method);
        }
        debug.finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for CallResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CallResult").field(&self.0).finish()
    }
}
