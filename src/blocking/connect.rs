//! Making a blocking client: the options of the async one, and handlers that may block.
//!
//! Owns where those handlers run. It must not know what the options do.

use std::future::IntoFuture;
use std::time::Duration;

use serde_json::Value;

use super::client::Client;
use super::connection::Connection;
use super::forward::{handlers, options};
use super::runtime;
use crate::client::handlers::client_handler::ClientHandler;
use crate::client::handlers::context::RequestContext;
use crate::client::limits::LifeSigns;
use crate::client::telemetry::observer::CallObserver;
use crate::client::telemetry::trace_context::TraceContext;
use crate::client::{connect, handle};
use crate::error::Result;
use crate::jsonrpc::ErrorObject;
use crate::model::{
    ClientCapabilities, CreateMessageRequest, CreateMessageResult, ElicitForm, ElicitResult,
    ElicitUrl, Implementation, LoggingLevel, ProtocolVersion, Root,
};
use crate::progress::mailbox::Overflow;
use crate::session::inbound::ServerRequest;
use crate::sync::Arc;
use crate::transport::connector::Connector;

/// A connection to be made: [`crate::Connect`], without async. [`connect`](Self::connect) makes it.
///
/// # Handlers
///
/// Handlers of what servers ask for are plain closures here, and may block: to ask at a terminal, for instance. Each runs on a thread
/// for blocking work in the background, beside calls and beside each other, and may make blocking calls of its own. Where the server
/// cancels its request, what the closure does cannot be stopped; its answer is dropped. Handlers that are async are set on the async builder,
/// which `From` takes.
///
/// ```
/// use mcp_progress::blocking::Client;
/// use mcp_progress::model::ElicitResult;
/// use serde_json::json;
/// # #[cfg(feature = "testing")]
/// # fn main() -> mcp_progress::Result<()> {
/// # let server = mcp_progress::testing::ScriptedServer::demo();
///
/// let client = Client::connect(server)
///     .on_elicitation(|form, _context| {
///         // Here a program would ask somebody.
///         assert_eq!(form.message, "What is your name?");
///         Ok(ElicitResult::accept().with("name", "Ada"))
///     })
///     .connect()?;
/// let result = client.call_tool("ask", json!({})).send()?;
/// assert_eq!(result.as_text().as_deref(), Some("Hello, Ada!"));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
#[must_use = "nothing is connected until `connect` is called"]
pub struct Connect {
    inner: connect::Connect,
}

impl Connect {
    /// Opens the connection and waits until the server is known.
    ///
    /// # Errors
    ///
    /// As [awaiting](crate::Connect#errors) the async one; and with
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) inside of an async runtime.
    pub fn connect(self) -> Result<Client> {
        let client = runtime::wait(self.inner.into_future())??;
        Ok(Client::of(Connection::ours(client)))
    }

    options! {
        "Connect":
        fn protocol(version: ProtocolVersion);
        fn probe_timeout(limit: Duration);
        fn connect_timeout(limit: impl Into<Option<Duration>>);
        fn idle_timeout(limit: impl Into<Option<Duration>>);
        fn total_timeout(limit: impl Into<Option<Duration>>);
        fn drain_for(limit: impl Into<Option<Duration>>);
        fn overflow(overflow: Overflow);
        fn cancel_grace(grace: Duration);
        fn max_message_bytes(limit: usize);
        fn log_level(level: LoggingLevel);
        fn client_info(client_info: Implementation);
        fn life_signs(signs: LifeSigns);
        fn strict_tokens(strict: bool);
        fn reissue_safe_tools(reissue: bool);
        fn resuming(handle: &crate::model::TaskHandle);
        fn input_rounds(rounds: u32);
        fn tasks(tasks: bool);
        fn capabilities(capabilities: ClientCapabilities);
        fn roots(roots: impl IntoIterator<Item = Root>);
        fn handler(handler: impl ClientHandler);
        fn observer(observer: impl CallObserver);
        fn milestones(fractions: impl IntoIterator<Item = f64>);
        fn trace_context(hook: impl Fn(&mut TraceContext) + Send + Sync + 'static);
        #[cfg(feature = "opentelemetry")]
        fn trace_context_from_span();
    }

    handlers! {
        fn on_elicitation(form: ElicitForm) -> ElicitResult;
        fn on_url_elicitation(url: ElicitUrl) -> ElicitResult;
        fn on_sampling(request: CreateMessageRequest) -> CreateMessageResult;
        fn on_sampling_with_tools(request: CreateMessageRequest) -> CreateMessageResult;
    }

    /// As [`Connect::on_roots`](crate::Connect::on_roots), by a closure that may block ([how](Self#handlers)).
    pub fn on_roots<F>(mut self, handler: F) -> Self
    where
        F: Fn(RequestContext) -> Result<Vec<Root>, ErrorObject> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.inner = self.inner.on_roots(move |context| {
            let handler = handler.clone();
            beside(move || handler(context))
        });
        self
    }

    /// As [`Connect::on_request`](crate::Connect::on_request), by a closure that may block ([how](Self#handlers)).
    pub fn on_request<F>(mut self, method: impl Into<String>, handler: F) -> Self
    where
        F: Fn(ServerRequest) -> Result<Value, ErrorObject> + Send + Sync + 'static,
    {
        let handler = Arc::new(handler);
        self.inner = self.inner.on_request(method, move |request| {
            let handler = handler.clone();
            beside(move || handler(request))
        });
        self
    }
}

impl Client {
    /// As [`Client::stdio`](crate::Client::stdio).
    #[cfg(feature = "stdio")]
    pub fn stdio<I, S>(program: impl Into<std::ffi::OsString>, args: I) -> Connect
    where
        I: IntoIterator<Item = S>,
        S: Into<std::ffi::OsString>,
    {
        handle::Client::stdio(program, args).into()
    }

    /// As [`Client::io`](crate::Client::io).
    pub fn io(
        reader: impl tokio::io::AsyncRead + Send + 'static,
        writer: impl tokio::io::AsyncWrite + Send + 'static,
    ) -> Connect {
        handle::Client::io(reader, writer).into()
    }

    /// As [`Client::http`](crate::Client::http).
    #[cfg(feature = "http")]
    pub fn http(url: impl AsRef<str>) -> Connect {
        handle::Client::http(url).into()
    }

    /// As [`Client::connect`](crate::Client::connect): [`Connect::connect`] then does it.
    pub fn connect(connector: impl Connector) -> Connect {
        handle::Client::connect(connector).into()
    }
}

/// Runs `work` on a thread for blocking work, so that neither the connection nor a call waits for it.
async fn beside<A: Send + 'static>(
    work: impl FnOnce() -> Result<A, ErrorObject> + Send + 'static,
) -> Result<A, ErrorObject> {
    let failed = |text: &str| ErrorObject::new(ErrorObject::INTERNAL_ERROR, text);
    // Not that of the context: in revision 2026-07-28 the call's own future runs handlers, wherever it is polled.
    let Ok(runtime) = runtime::handle() else {
        return Err(failed("the client has no threads"));
    };
    match runtime.spawn_blocking(work).await {
        Ok(answer) => answer,
        // It is told and answered as any handler's panic is.
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => Err(failed("the client is ending")),
    }
}

impl connect::Connect {
    /// As awaiting it, without async: the client lives on the runtime of the [blocking](crate::blocking) clients.
    ///
    /// # Errors
    ///
    /// As [`blocking::Connect::connect`](crate::blocking::Connect::connect).
    pub fn connect_blocking(self) -> Result<Client> {
        Connect::from(self).connect()
    }
}

/// With all that was set on it, async handlers included.
impl From<connect::Connect> for Connect {
    fn from(inner: connect::Connect) -> Self {
        Self { inner }
    }
}
