//! A request before it is sent, with its options.
//!
//! Owns the builder's end: waiting. It must not know what the options do.

use std::fmt;
use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::connection::Connection;
use super::forward::options;
use super::runtime;
use crate::client::handler::{Handler, NoHandler, SyncHandler};
use crate::client::limits::LifeSigns;
use crate::client::request;
use crate::error::Result;
use crate::model::Paginated;
use crate::model::input::InputRequired;
use crate::model::progress::Progress;
use crate::model::token::ProgressToken;
use crate::progress::mailbox::Overflow;
use crate::sync::Arc;

/// A request to the server, still to be sent: [`crate::Request`], without async.
///
/// ```no_run
/// # fn example(client: mcp_progress::blocking::Client) -> mcp_progress::Result<()> {
/// use serde_json::json;
///
/// let result = client
///     .call_tool("count", json!({"steps": 5}))
///     .on_progress(|update| tracing::info!(%update))
///     .send()?;
/// # let _ = result; Ok(()) }
/// ```
#[must_use = "a request does nothing until it is sent or started"]
pub struct Request<T, H = NoHandler> {
    pub(super) inner: request::Request<T, H>,
    pub(super) connection: Arc<Connection>,
}

impl<T: DeserializeOwned> Request<T> {
    pub(super) fn new(inner: request::Request<T>, connection: &Arc<Connection>) -> Self {
        Self {
            inner,
            connection: connection.clone(),
        }
    }

    /// Calls `handler` for each update, in order, before [`send`](Self::send) returns.
    ///
    /// It runs on the thread that sends, so it may borrow and need not be `Send`. It delays this call while it works, and
    /// no other. It may make blocking calls of its own. A panic unwinds into the caller and cancels the call.
    pub fn on_progress<F: FnMut(Progress)>(self, handler: F) -> Request<T, SyncHandler<F>> {
        Request {
            inner: self.inner.on_progress(handler),
            connection: self.connection,
        }
    }

    /// Registers the token and queues the request now, before this returns, and gives the handle on the call.
    ///
    /// The clocks run while it is waited for; see [`Call::detach`] for one that runs by itself.
    pub fn start(self) -> Call<T> {
        Call::new(self.inner.start(), self.connection)
    }
}

impl<T: DeserializeOwned, H: Handler> Request<T, H> {
    options! {
        "Request":
        fn progress_token(token: impl Into<ProgressToken>);
        fn without_progress();
        fn idle_timeout(limit: impl Into<Option<Duration>>);
        fn total_timeout(limit: impl Into<Option<Duration>>);
        fn drain_for(limit: impl Into<Option<Duration>>);
        fn overflow(overflow: Overflow);
        fn cancel_grace(grace: Duration);
        fn life_signs(signs: LifeSigns);
        fn reissue(times: u32);
        fn allow_input_required();
        fn input_responses(asked: &InputRequired, answers: serde_json::Map<String, Value>);
        fn input_rounds(rounds: u32);
        fn as_task(ttl: impl Into<Option<Duration>>);
        fn meta(key: impl Into<String>, value: impl Into<Value>);
    }

    /// As [`Request::result_as`](crate::Request::result_as).
    pub fn result_as<U: DeserializeOwned>(self) -> Request<U, H> {
        Request {
            inner: self.inner.result_as(),
            connection: self.connection,
        }
    }

    /// Sends the request and waits for its result on this thread, where the handler runs.
    ///
    /// # Errors
    ///
    /// What can end a call without a result: see [`ErrorKind`](crate::ErrorKind). A tool that reports a failure of its
    /// own (`isError`) gives a result, not an error. [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) inside of an async
    /// runtime, where nothing is sent.
    pub fn send(self) -> Result<T> {
        let Self { inner, connection } = self;
        let result = runtime::wait_for(pin!(inner.into_future()))?;
        // After the call, also where its handler panics: the last handle waits for the end of the connection.
        drop(connection);
        result
    }

    /// The same request for the async client.
    pub fn into_async(self) -> request::Request<T, H> {
        self.inner
    }
}

impl<P: Paginated + DeserializeOwned> Request<P> {
    options! {
        "Request":
        fn cursor(cursor: impl Into<String>);
    }
}

impl<T, H> fmt::Debug for Request<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
