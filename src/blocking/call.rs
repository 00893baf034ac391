//! The handle on a call in flight: its updates, then its result.
//!
//! Owns the iterator form of a call. It must not know how requests are built.

use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::iter::{Iter, NextError, iter, next, next_timeout};
use super::runtime;
use crate::client::canceller::Canceller;
use crate::client::{call, detached};
use crate::error::Result;
use crate::model::progress::Progress;
use crate::model::task::TaskHandle;
use crate::model::token::ProgressToken;
use crate::progress::updates::Updates;
use crate::sync::Arc;

/// A call in flight: an iterator over its updates that ends when the call does, and then its result. [`crate::Call`], without async.
///
/// ```no_run
/// # fn example(client: mcp_progress::blocking::Client) -> mcp_progress::Result<()> {
/// let mut call = client.read_resource("file:///big").start();
/// let button = call.canceller();
/// std::thread::spawn(move || {
///     // ask somebody, or wait for a signal
///     button.cancel("not needed any more");
/// });
/// for update in &mut call {
///     tracing::info!(%update);
/// }
/// let contents = call.result()?;
/// # let _ = contents; Ok(()) }
/// ```
///
/// Clocks, registered callbacks and the call's end are driven by whoever waits for it. Left alone it receives within
/// its bounds and does nothing else; [`detach`](Self::detach) lets it run by itself. Dropping it cancels the call.
#[must_use = "dropping the call cancels it"]
pub struct Call<T> {
    inner: call::Call<T>,
    connection: Arc<Connection>,
}

impl<T: DeserializeOwned> Call<T> {
    pub(super) const fn new(inner: call::Call<T>, connection: Arc<Connection>) -> Self {
        Self { inner, connection }
    }

    /// The next update, if it comes within `limit`; nothing once the call is over. For who has something else to do meanwhile, such as
    /// turning a spinner. A wait that is over ends nothing: ask again.
    ///
    /// ```no_run
    /// # fn example(mut call: mcp_progress::blocking::Call<serde_json::Value>) -> mcp_progress::Result<serde_json::Value> {
    /// use mcp_progress::blocking::NextError;
    /// use std::time::Duration;
    ///
    /// loop {
    ///     match call.next_timeout(Duration::from_millis(100)) {
    ///         Ok(Some(update)) => tracing::info!(%update),
    ///         Err(NextError::TimedOut) => tracing::info!("still there"),
    ///         Ok(None) | Err(_) => break call.result(),
    ///     }
    /// }
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`NextError::TimedOut`] where none came in time, and [`NextError::InRuntime`] inside of an async runtime.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<Progress>, NextError> {
        next_timeout(&mut self.inner, limit)
    }

    /// Waits for the result. Updates that this handle has not read are dropped; other subscribers of the token keep theirs.
    ///
    /// # Errors
    ///
    /// As [`Request::send`](super::Request::send); inside of an async runtime the call is cancelled.
    pub fn result(self) -> Result<T> {
        let Self { inner, connection } = self;
        let result = runtime::wait_for(pin!(inner.into_future()))?;
        drop(connection);
        result
    }

    /// As [`Call::updates`](crate::Call::updates), as an iterator: for another thread.
    pub fn updates(&self) -> Iter<Updates> {
        iter(self.inner.updates())
    }

    /// The cancel button: for another thread, or a handler of Ctrl-C. It can be cloned, and pressed while this thread waits.
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.inner.canceller()
    }

    /// As [`Call::token`](crate::Call::token).
    #[must_use]
    pub fn token(&self) -> Option<&ProgressToken> {
        self.inner.token()
    }

    /// As [`Call::request_id`](crate::Call::request_id).
    #[must_use]
    pub fn request_id(&self) -> Option<i64> {
        self.inner.request_id()
    }

    /// As [`Call::last_update`](crate::Call::last_update).
    #[must_use]
    pub fn last_update(&self) -> Option<Progress> {
        self.inner.last_update()
    }

    /// As [`Call::task`](crate::Call::task).
    #[must_use]
    pub fn task(&self) -> Option<TaskHandle> {
        self.inner.task()
    }

    /// As [`Call::leave`](crate::Call::leave).
    #[must_use = "the handle is the only way back to the task"]
    pub fn leave(self) -> Option<TaskHandle> {
        let Self { inner, connection } = self;
        let handle = inner.leave();
        drop(connection);
        handle
    }

    /// The async call inside of this one: a stream of its updates, for [`UpdatesExt`](crate::UpdatesExt) and [`iter`].
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # fn main() -> mcp_progress::Result<()> {
    /// # let server = mcp_progress::testing::ScriptedServer::demo();
    /// # let client = mcp_progress::blocking::Client::connect(server).connect()?;
    /// use mcp_progress::UpdatesExt as _;
    /// use mcp_progress::blocking::iter;
    /// # use serde_json::json;
    ///
    /// let mut call = client.call_tool("burst", json!({"n": 1000})).start();
    /// let mut stood_for = 0;
    /// for update in iter(call.as_stream().throttle(8.0)) {
    ///     stood_for += 1 + update.merged;
    /// }
    /// assert_eq!(stood_for, 1000);
    /// # call.result().map(drop)
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub const fn as_stream(&mut self) -> &mut call::Call<T> {
        &mut self.inner
    }
}

impl<T: DeserializeOwned + Send + 'static> Call<T> {
    /// As [`Call::detach`](crate::Call::detach): the call runs on the client's runtime, whether or not anybody waits for it.
    pub fn detach(self) -> Detached<T> {
        Detached {
            inner: self.inner.detach(),
            connection: self.connection,
        }
    }
}

/// Inside of an async runtime it ends at once, and [`Call::result`] says why.
impl<T: DeserializeOwned> Iterator for Call<T> {
    type Item = Progress;

    fn next(&mut self) -> Option<Progress> {
        next(&mut self.inner)
    }
}

/// A call that runs in the background; made by [`Call::detach`]. [`crate::Detached`], without async.
///
/// Dropping it does not cancel the call, which then runs to its end unseen; [`canceller`](Self::canceller) does. The end of the program does
/// not wait for it.
#[must_use = "without the handle the result of a detached call is lost"]
pub struct Detached<T> {
    inner: detached::Detached<T>,
    connection: Arc<Connection>,
}

impl<T> Detached<T> {
    /// Waits for the result. Where the call's handler panicked, that goes on here.
    ///
    /// # Errors
    ///
    /// As [`Request::send`](super::Request::send); inside of an async runtime the call goes on.
    pub fn result(self) -> Result<T> {
        let Self { inner, connection } = self;
        let result = runtime::wait_for(pin!(inner.into_future()))?;
        drop(connection);
        result
    }

    /// As [`Detached::updates`](crate::Detached::updates), as an iterator.
    pub fn updates(&self) -> Iter<Updates> {
        iter(self.inner.updates())
    }

    /// As [`Detached::canceller`](crate::Detached::canceller).
    #[must_use]
    pub fn canceller(&self) -> Canceller {
        self.inner.canceller()
    }

    /// As [`Detached::is_finished`](crate::Detached::is_finished).
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<T> fmt::Debug for Detached<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
