//! A request before it is sent, with its options.
//!
//! Owns the builder. It keeps the first error until awaited, so that a chain needs no `?` in its middle. It must not
//! know how a call runs.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::call::Call;
use super::handle::Client;
use super::handler::{AsyncHandler, Handler, NoHandler, SyncHandler};
use super::limits::LifeSigns;
use super::plan::{Plan, Token};
use super::running::Running;
use crate::error::{Error, ErrorKind, Result};
use crate::model::input::InputRequired;
use crate::model::meta::Meta;
use crate::model::progress::Progress;
use crate::model::task::TaskHandle;
use crate::model::token::ProgressToken;
use crate::progress::mailbox::Overflow;
use crate::session::wire::Message;

/// A request to the server, still to be sent.
///
/// Await it for its result, give it a handler with [`on_progress`](Self::on_progress), or
/// [`start`](Self::start) it for a [`Call`]: a stream of updates that ends in the result. It does nothing until then.
///
/// ```no_run
/// # async fn example(client: mcp_progress::Client) -> mcp_progress::Result<()> {
/// use serde_json::json;
///
/// let result = client
///     .call_tool("count", json!({"steps": 5}))
///     .on_progress(|update| tracing::info!(%update))
///     .await?;
/// # let _ = result; Ok(()) }
/// ```
///
/// # Cancel safety
///
/// Dropping the future of a request that was sent cancels it on the wire. It is not resumed by polling another.
#[must_use = "a request does nothing until it is awaited, sent or started"]
pub struct Request<T, H = NoHandler> {
    pub(super) plan: Plan,
    pub(super) handler: H,
    pub(super) result: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Request<T> {
    pub(crate) fn new(
        client: &Client,
        method: impl Into<Cow<'static, str>>,
        params: &impl Serialize,
    ) -> Self {
        let message =
            Message::new(method, params).map_err(|text| Error::new(ErrorKind::InvalidInput, text));
        Self::planned(client, message).check_meta()
    }

    /// A request that gives `error` when it is awaited.
    pub(crate) fn failed(client: &Client, error: Error) -> Self {
        Self::planned(client, Err(error))
    }

    /// A request that takes up a task.
    pub(crate) fn resuming(client: &Client, handle: TaskHandle) -> Self {
        let mut request = Self::new(client, "tools/call", &Value::Null);
        request.plan.resumes = Some(handle);
        request
    }

    fn planned(client: &Client, message: Result<Message>) -> Self {
        let plan = Plan {
            client: client.clone(),
            message,
            token: Token::Minted,
            limits: client.limits(),
            resumes: None,
        };
        Self {
            plan,
            handler: NoHandler,
            result: PhantomData,
        }
    }

    /// Calls `handler` for each update, in order, before the result.
    ///
    /// It runs in the request's future, so it may borrow and need not be `Send`. It delays this call while it works,
    /// and no other; one that blocks its thread delays what shares that thread: on a single-threaded runtime,
    /// everything. A panic unwinds into the awaiting task and cancels the call.
    pub fn on_progress<F: FnMut(Progress)>(self, handler: F) -> Request<T, SyncHandler<F>> {
        self.with_handler(SyncHandler(handler))
    }

    /// Awaits `handler` for each update, one at a time and in order, before the result.
    ///
    /// As [`on_progress`](Self::on_progress). A handler that is waiting when the call is cancelled or times out is
    /// dropped at that point.
    pub fn on_progress_async<F, Fut>(self, handler: F) -> Request<T, AsyncHandler<F, Fut>>
    where
        F: FnMut(Progress) -> Fut,
        Fut: Future<Output = ()>,
    {
        self.with_handler(AsyncHandler::new(handler))
    }

    fn with_handler<H: Handler>(self, handler: H) -> Request<T, H> {
        Request {
            plan: self.plan,
            handler,
            result: PhantomData,
        }
    }

    /// Registers the token and queues the request now, before this returns, and gives the handle on the call.
    ///
    /// The clocks run while the call is polled; see [`Call::detach`] for one that runs by itself.
    pub fn start(self) -> Call<T> {
        Call::new(self.plan.begin(true))
    }
}

impl<T: DeserializeOwned, H: Handler> Request<T, H> {
    /// What people know it by: the tool, prompt or resource, else the method.
    #[cfg(feature = "indicatif")]
    pub(crate) fn name(&self) -> &str {
        let message = self.plan.message.as_ref();
        message.map_or("call", |message| message.name().unwrap_or(&message.method))
    }

    /// Carries this token instead of a minted one.
    ///
    /// Subscriptions made for it before ([`Client::progress`]) see the updates. One that another call in flight
    /// carries is refused.
    pub fn progress_token(mut self, token: impl Into<ProgressToken>) -> Self {
        self.plan.token = Token::Chosen(token.into());
        self
    }

    /// Carries no token: the server sends no updates, and the idle clock sees no life.
    pub fn without_progress(mut self) -> Self {
        self.plan.token = Token::None;
        self
    }

    /// Fails the call after this long without a sign of life, which is an update, and over HTTP any byte
    /// ([`life_signs`](Self::life_signs)); `None` for never. Default 5 minutes, or the client's.
    ///
    /// The clock starts when the request has been written.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.plan.limits.idle = limit.into();
        self
    }

    /// Fails the call after this long, whatever arrives; `None` for never. Default 24 hours, or the client's.
    pub fn total_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.plan.limits.total = limit.into();
        self
    }

    /// How long, once the response is there, waiting updates are still handed over one by one, before the rest is
    /// merged into the newest; `None` for without limit. Default 100 milliseconds, or the client's.
    pub fn drain_for(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.plan.limits.drain_for = limit.into();
        self
    }

    /// What happens to updates that are not taken in time. Default [`Overflow::Buffer`] of 1024, or the client's.
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.plan.limits.overflow = overflow;
        self
    }

    /// After a [`cancel`](super::canceller::Canceller::cancel), goes on delivering updates for this long, until the
    /// response comes. Default zero: a cancelled call ends at once.
    pub const fn cancel_grace(mut self, grace: Duration) -> Self {
        self.plan.limits.cancel_grace = grace;
        self
    }

    /// What the idle clock takes for a sign of life. Default [`LifeSigns::Bytes`], or the client's.
    pub const fn life_signs(mut self, signs: LifeSigns) -> Self {
        self.plan.limits.life = signs;
        self
    }

    /// Over HTTP in revision 2026-07-28, sends the request again, up to `times` times, where the connection breaks
    /// before the response. Default never, since what it asks for may then be done twice.
    ///
    /// The same call goes on: under a new id, with the same token, and with [`Progress::gap`] set on the next update.
    /// The earlier revisions take a broken stream up again instead.
    pub const fn reissue(mut self, times: u32) -> Self {
        self.plan.limits.reissues = times;
        self
    }

    /// Takes a result that asks for input (`resultType` is `input_required`, revision 2026-07-28, "Multi Round-Trip
    /// Requests") as it is, so that the caller can give the input in another request. The result's
    /// type must fit both; [`Value`] does. [`input_responses`](Self::input_responses) answers it.
    ///
    /// Without this, the client's handlers are asked, and the call goes on with their answers.
    pub const fn allow_input_required(mut self) -> Self {
        self.plan.limits.input_required = true;
        self
    }

    /// Answers a result that was taken as it is (see [`allow_input_required`](Self::allow_input_required)): this request,
    /// which is otherwise the same as the one that was asked, carries the answers by the names of the questions, and the
    /// server's state exactly as it came.
    pub fn input_responses(
        mut self,
        asked: &InputRequired,
        answers: serde_json::Map<String, Value>,
    ) -> Self {
        if let Ok(message) = &mut self.plan.message {
            let answers = Value::Object(answers).to_string();
            let mut more = vec![("inputResponses", answers.as_str())];
            let state = asked.request_state.as_ref();
            more.extend(state.map(|state| ("requestState", state.get())));
            *message = message.with_raw(&more);
        }
        self
    }

    /// How often the call may be asked for input before it fails. Default 10, or the client's.
    pub const fn input_rounds(mut self, rounds: u32) -> Self {
        self.plan.limits.input_rounds = rounds;
        self
    }

    /// Asks the server to run the tool as a task, and to keep it for `ttl`, or for as long as it likes. The call goes on
    /// until it has the result; what the server then forgets is the copy.
    ///
    /// In revision 2025-11-25; a server that offers no tasks, or no task of this tool, runs an ordinary call, unless it
    /// said of the tool that it must not be asked ([`ErrorKind::InvalidInput`]). In 2026-07-28 servers decide by themselves.
    pub fn as_task(mut self, ttl: impl Into<Option<Duration>>) -> Self {
        self.plan.limits.task = Some(ttl.into());
        self
    }

    /// Adds a member to the request's `_meta`.
    ///
    /// `progressToken` and keys of the specification's own prefix, `io.modelcontextprotocol/`, are refused when the
    /// request is sent: the client sets them.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        if let Ok(message) = &mut self.plan.message {
            message.meta_mut().insert(key.into(), value.into());
        }
        self.check_meta()
    }

    fn check_meta(mut self) -> Self {
        let reserved = self.plan.message.as_ref().ok().and_then(|message| {
            message
                .meta()
                .keys()
                .find(|key| Meta::is_reserved(key))
                .cloned()
        });
        if let Some(key) = reserved {
            let text = format!("the `_meta` member {key:?} is set by the client");
            self.plan.message = Err(Error::new(ErrorKind::InvalidInput, text)
                .with_hint("use `progress_token` for the token and `log_level` for the log level"));
        }
        self
    }

    /// The same request with its result as another type, `Box<RawValue>` of serde_json for instance: the text as the server
    /// wrote it.
    pub fn result_as<U: DeserializeOwned>(self) -> Request<U, H> {
        Request {
            plan: self.plan,
            handler: self.handler,
            result: PhantomData,
        }
    }

    /// Sends the request and waits for its result: what awaiting it does, as an `async fn` for `spawn` and `join!`.
    ///
    /// # Errors
    ///
    /// As [`Call::result`].
    pub async fn send(self) -> Result<T> {
        self.await
    }
}

impl<T: DeserializeOwned, H: Handler> IntoFuture for Request<T, H> {
    type Output = Result<T>;
    type IntoFuture = Running<T, H>;

    fn into_future(self) -> Running<T, H> {
        Running::new(self.plan, self.handler)
    }
}

impl<T, H> fmt::Debug for Request<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}
