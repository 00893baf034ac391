//! The client without async.
//!
//! Owns the blocking form of each method. It must not know what they do.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::connection::Connection;
use super::forward::{lists, plain, requests};
use super::iter::{Iter, iter};
use super::lists::{Listen, Pages};
use super::request::Request;
use super::runtime;
use crate::client::handle;
use crate::client::introduction::Introduction;
use crate::client::methods::Empty;
use crate::client::outgoing::ClientSink;
use crate::client::streams::{Diagnostics, Notifications};
use crate::error::Result;
use crate::model::task::{ListTasksResult, Task, TaskHandle};
use crate::model::token::ProgressToken;
use crate::model::{
    CallToolResult, CompleteResult, CompletionReference, DiscoverResult, GetPromptResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    LoggingLevel, ReadResourceResult, Root, SubscriptionFilter,
};
use crate::progress::registry::ProgressRegistry;
use crate::reporter::ReporterBuilder;
use crate::session::stats::Stats;
use crate::sync::Arc;

/// A client of one MCP server: [`crate::Client`], without async.
///
/// Cheap to clone, and usable from several threads at once; clones share the connection. The drop of the last of them, with its requests
/// and calls, closes the connection and waits for that, for at most six seconds ([why](super#how-it-ends)).
///
/// ```no_run
/// # fn example() -> mcp_progress::Result<()> {
/// use mcp_progress::blocking::Client;
/// use serde_json::json;
/// use std::time::Duration;
///
/// let client = Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"])
///     .idle_timeout(Duration::from_secs(30))
///     .connect()?;
/// let result = client
///     .call_tool("trigger-long-running-operation", json!({"duration": 5, "steps": 5}))
///     .on_progress(|update| tracing::info!("{:?} %", update.percent()))
///     .send()?;
/// # let _ = result; Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client {
    connection: Arc<Connection>,
}

impl Client {
    pub(super) fn of(connection: Connection) -> Self {
        Self {
            connection: Arc::new(connection),
        }
    }

    /// The async client of the same connection. A clone of it keeps the connection open.
    #[must_use]
    pub fn as_async(&self) -> &handle::Client {
        self.connection.client()
    }

    requests! {
        fn call_tool(name: impl AsRef<str>, arguments: impl Serialize) -> CallToolResult;
        fn list_tools() -> ListToolsResult;
        fn list_resources() -> ListResourcesResult;
        fn list_resource_templates() -> ListResourceTemplatesResult;
        fn read_resource(uri: impl AsRef<str>) -> ReadResourceResult;
        fn subscribe_resource(uri: impl AsRef<str>) -> Empty;
        fn unsubscribe_resource(uri: impl AsRef<str>) -> Empty;
        fn list_prompts() -> ListPromptsResult;
        fn get_prompt(name: impl AsRef<str>, arguments: impl Serialize) -> GetPromptResult;
        fn complete(reference: CompletionReference, name: impl AsRef<str>, value: impl AsRef<str>) -> CompleteResult;
        fn discover() -> DiscoverResult;
        fn ping() -> Empty;
        fn resume_task(handle: &TaskHandle) -> CallToolResult;
        fn get_task(id: impl AsRef<str>) -> Task;
        fn cancel_task(id: impl AsRef<str>) -> Value;
        fn list_tasks() -> ListTasksResult;
    }

    lists! {
        fn tools() -> ListToolsResult;
        fn resources() -> ListResourcesResult;
        fn resource_templates() -> ListResourceTemplatesResult;
        fn prompts() -> ListPromptsResult;
        fn tasks() -> ListTasksResult;
    }

    plain! {
        fn progress() -> &ProgressRegistry;
        fn server() -> &Introduction;
        fn stats() -> Stats;
        fn is_closed() -> bool;
        fn notify(method: impl Into<Cow<'static, str>>, params: impl Serialize) -> Result<()>;
        fn set_roots(roots: impl IntoIterator<Item = Root>) -> Result<()>;
        fn notify_roots_changed() -> Result<()>;
        fn progress_sink() -> Result<ClientSink>;
        fn reporter(token: &ProgressToken) -> Result<ReporterBuilder>;
    }

    /// As [`Client::request`](crate::Client::request).
    pub fn request<T: DeserializeOwned>(
        &self,
        method: impl Into<Cow<'static, str>>,
        params: impl Serialize,
    ) -> Request<T> {
        Request::new(self.as_async().request(method, params), &self.connection)
    }

    /// As [`Client::send_progress`](crate::Client::send_progress).
    ///
    /// # Errors
    ///
    /// As there.
    pub fn send_progress<'a>(
        &self,
        token: &ProgressToken,
        progress: f64,
        total: impl Into<Option<f64>>,
        message: impl Into<Option<&'a str>>,
    ) -> Result<()> {
        self.as_async()
            .send_progress(token, progress, total, message)
    }

    /// As [`Client::set_log_level`](crate::Client::set_log_level).
    ///
    /// # Errors
    ///
    /// As there, and inside of an async runtime.
    pub fn set_log_level(&self, level: LoggingLevel) -> Result<()> {
        runtime::wait(self.as_async().set_log_level(level))?
    }

    /// As [`Client::listen`](crate::Client::listen), as an iterator.
    ///
    /// # Errors
    ///
    /// As there.
    pub fn listen(&self, filter: &SubscriptionFilter) -> Result<Listen> {
        let listen = self.as_async().listen(filter)?;
        Ok(Listen::new(listen, &self.connection))
    }

    /// As [`Client::notifications`](crate::Client::notifications), as an iterator. It ends with the connection and does not keep it
    /// open.
    pub fn notifications(&self) -> Iter<Notifications> {
        iter(self.as_async().notifications())
    }

    /// As [`Client::diagnostics`](crate::Client::diagnostics), as an iterator. It ends with the connection and does not keep it open.
    pub fn diagnostics(&self) -> Iter<Diagnostics> {
        iter(self.as_async().diagnostics())
    }

    /// As [`Client::close`](crate::Client::close): waits until the server has ended, or was made to.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) inside of an async runtime; nothing is closed then.
    pub fn close(&self) -> Result<()> {
        runtime::wait(self.as_async().close())
    }
}

/// The blocking face of an async client.
///
/// Its runtime must go on by itself, as one with several threads does: on a single-threaded one nothing moves but inside of its
/// `block_on`. Dropping this closes nothing that the async client would not close, and waits for nothing.
impl From<handle::Client> for Client {
    fn from(client: handle::Client) -> Self {
        Self::of(Connection::foreign(client))
    }
}

/// The async client, which goes on living on the background runtime. Dropping it waits for nothing.
impl From<Client> for handle::Client {
    fn from(client: Client) -> Self {
        client.as_async().clone()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_async().fmt(f)
    }
}
