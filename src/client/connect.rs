//! Making a client: its options, and opening the connection.
//!
//! Owns the builder. The era is found in `negotiate`.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use serde_json::Value;
use tokio::runtime::Handle;

use super::driver::Driver;
use super::errands;
use super::handle::Client;
#[cfg(feature = "http")]
use super::handle::Way;
use super::handlers::offer::{in_revision, together};
use super::handlers::routes::ToServer;
#[cfg(feature = "http")]
use super::http::{self, link::Link};
use super::inbound::Handlers;
use super::limits::{LifeSigns, Limits};
use super::telemetry::settings::Telemetry;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::{ClientCapabilities, Implementation, LoggingLevel, ProtocolVersion};
use crate::progress::mailbox::Overflow;
use crate::progress::registry::ProgressRegistry;
use crate::session::calls::Session;
use crate::session::inbound::ServerRequest;
use crate::sync::Arc;
use crate::transport::connector::{Connection, Connector, Medium};

/// The longest message that is taken in, unless the client says otherwise.
const MAX_MESSAGE_BYTES: usize = 16 * 1024 * 1024;

/// A connection to be made; await it for the [`Client`].
///
/// # Errors
///
/// Awaiting it fails with [`ErrorKind::ConnectionLost`] where the server cannot be started or reached or goes away,
/// with [`ErrorKind::Timeout`] where it does not answer, and with [`ErrorKind::Unsupported`] where it shares no
/// revision with this client.
#[must_use = "nothing is connected until this is awaited"]
pub struct Connect {
    pub(super) connector: Box<dyn Connector>,
    pub(super) options: Options,
}

#[derive(Clone, Debug)]
pub(super) struct Options {
    pub(super) limits: Limits,
    pub(super) version: Option<ProtocolVersion>,
    /// The handshake session of another client, which is joined.
    pub(super) session_id: Option<String>,
    pub(super) probe_timeout: Option<Duration>,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) max_message_bytes: usize,
    pub(super) log_level: Option<LoggingLevel>,
    pub(super) client_info: Implementation,
    pub(super) capabilities: ClientCapabilities,
    pub(super) strict_tokens: bool,
    pub(super) reissue_safe_tools: bool,
    pub(super) handlers: Handlers,
    pub(super) telemetry: Telemetry,
}

impl Options {
    /// What the client says in this revision that it can do.
    pub(super) fn offered(&self, version: ProtocolVersion) -> ClientCapabilities {
        let offered = in_revision(&self.handlers.asks.offered, version);
        together(&self.capabilities, &offered)
    }
}

impl Connect {
    pub(super) fn new(connector: Box<dyn Connector>) -> Self {
        let options = Options {
            limits: Limits::default(),
            version: None,
            session_id: None,
            probe_timeout: None,
            connect_timeout: Some(Duration::from_secs(60)),
            max_message_bytes: MAX_MESSAGE_BYTES,
            log_level: None,
            client_info: Implementation::new(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")),
            capabilities: ClientCapabilities::default(),
            strict_tokens: false,
            reissue_safe_tools: false,
            handlers: Handlers::default(),
            telemetry: Telemetry::default(),
        };
        Self { connector, options }
    }

    /// Speaks this revision and no other, without probing for the era. Default: found as the specification says.
    pub const fn protocol(mut self, version: ProtocolVersion) -> Self {
        self.options.version = Some(version);
        self
    }

    /// How long the probe for the era waits before it also tries the handshake. Default 30 seconds for child
    /// processes, which may still be installing, 5 otherwise.
    pub const fn probe_timeout(mut self, limit: Duration) -> Self {
        self.options.probe_timeout = Some(limit);
        self
    }

    /// How long the handshake may take; `None` for as long as it takes. Default 60 seconds.
    pub fn connect_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.connect_timeout = limit.into();
        self
    }

    /// The idle limit of every call that sets none of its own. Default 5 minutes; `None` for none.
    pub fn idle_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.idle = limit.into();
        self
    }

    /// The total limit of every call that sets none of its own. Default 24 hours; `None` for none.
    pub fn total_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.total = limit.into();
        self
    }

    /// How long a call hands waiting updates over one by one once its response is there. Default 100 milliseconds;
    /// `None` for without limit.
    pub fn drain_for(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.options.limits.drain_for = limit.into();
        self
    }

    /// What calls do with updates that are not taken in time. Default [`Overflow::Buffer`] of 1024.
    pub const fn overflow(mut self, overflow: Overflow) -> Self {
        self.options.limits.overflow = overflow;
        self
    }

    /// How long a cancelled call goes on delivering updates until the response comes. Default zero.
    pub const fn cancel_grace(mut self, grace: Duration) -> Self {
        self.options.limits.cancel_grace = grace;
        self
    }

    /// The longest message in bytes that is taken in. A longer one is passed over in bounded memory and fails its call,
    /// if its id stands in its first 64 KiB. Default 16 MiB.
    pub const fn max_message_bytes(mut self, limit: usize) -> Self {
        self.options.max_message_bytes = limit;
        self
    }

    /// Asks the server for log messages from this level up; see [`Client::notifications`].
    pub const fn log_level(mut self, level: LoggingLevel) -> Self {
        self.options.log_level = Some(level);
        self
    }

    /// What the client calls itself. Default this crate's name and version.
    pub fn client_info(mut self, client_info: Implementation) -> Self {
        self.options.client_info = client_info;
        self
    }

    /// What the idle clock of every call takes for a sign of life that sets nothing of its own. Default
    /// [`LifeSigns::Bytes`].
    pub const fn life_signs(mut self, signs: LifeSigns) -> Self {
        self.options.limits.life = signs;
        self
    }

    /// Accepts an update only where its token is exactly one of a live call. Default off: one with a token in the other
    /// JSON type ([`Progress::retyped`](crate::Progress::retyped)), and over HTTP one with any other token on the
    /// response stream of a call ([`Progress::by_stream`](crate::Progress::by_stream)), is accepted and flagged.
    pub const fn strict_tokens(mut self, strict: bool) -> Self {
        self.options.strict_tokens = strict;
        self
    }

    /// Over HTTP in revision 2026-07-28, calls a tool again, at most three times, where the connection breaks before
    /// the result and the tool is declared to be read-only or idempotent. Default off. The tool must have been listed on
    /// this connection. See [`Request::reissue`](crate::Request::reissue) for single calls.
    pub const fn reissue_safe_tools(mut self, reissue: bool) -> Self {
        self.options.reissue_safe_tools = reissue;
        self
    }

    /// Connects so that this task can be taken up with [`Client::resume_task`](crate::Client::resume_task): in its revision,
    /// and over HTTP in the session in which it was created, where it was created in one. That session is not opened anew,
    /// so that [`Client::server`](crate::Client::server) tells nothing of the server; nor is it ended when the client is
    /// closed.
    pub fn resuming(mut self, handle: &crate::model::TaskHandle) -> Self {
        self.options.version = Some(handle.protocol_version);
        self.options.session_id.clone_from(&handle.session_id);
        self
    }

    /// How often a call may be asked for input before it fails (revision 2026-07-28, "Multi Round-Trip Requests"). Default
    /// 10. See [`Request::input_rounds`](crate::Request::input_rounds).
    pub const fn input_rounds(mut self, rounds: u32) -> Self {
        self.options.limits.input_rounds = rounds;
        self
    }

    /// Whether servers may answer a tool call with a task, which the call then watches until it has the result. Default
    /// yes: in revision 2026-07-28 the client declares the extension `io.modelcontextprotocol/tasks`; in 2025-11-25 it
    /// asks for a task where the tool was listed as running in no other way, or where
    /// [`Request::as_task`](crate::Request::as_task) wants it.
    pub const fn tasks(mut self, tasks: bool) -> Self {
        self.options.limits.tasks = tasks;
        self
    }

    /// What the client says that it can do. Default what its handlers are good for; of each capability that is set here,
    /// only this is said.
    pub fn capabilities(mut self, capabilities: ClientCapabilities) -> Self {
        self.options.capabilities = capabilities;
        self
    }

    /// Answers requests of the server with this method, `elicitation/create` for instance, by a handler. Default: such a
    /// request is refused with the error -32601 and counted ([`DiagnosticKind::UnservedRequest`](crate::DiagnosticKind::UnservedRequest)). Up to revision
    /// 2025-11-25; in 2026-07-28 servers send no requests. What the client can do is said by
    /// [`capabilities`](Self::capabilities). [`on_elicitation`](Self::on_elicitation) and others of its kind have types, and
    /// say themselves what the client can do.
    ///
    /// The handler gives the result, a JSON object, or the error to answer with. Handlers run in a task of their own, up
    /// to 16 at once, so that neither a call nor an update waits for them; one that blocks its thread holds up the other
    /// handlers. Of requests that the server sends while 80 are open, each is refused with the error -32603; so is
    /// answered one whose handler panics. A handler is dropped where the server cancels its request, or with the
    /// connection. Of several handlers for a method the last counts; `ping` is always answered by the client itself.
    ///
    /// ```
    /// # async fn example() -> mcp_progress::Result<()> {
    /// use mcp_progress::Client;
    /// use serde_json::json;
    ///
    /// let client = Client::stdio("my-server", ["--stdio"])
    ///     .on_request("roots/list", |_request| async {
    ///         Ok(json!({"roots": [{"uri": "file:///work", "name": "work"}]}))
    ///     })
    ///     .await?;
    /// # let _ = client; Ok(()) }
    /// ```
    pub fn on_request<F, Fut>(mut self, method: impl Into<String>, handler: F) -> Self
    where
        F: Fn(ServerRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<Value, ErrorObject>> + Send + 'static,
    {
        self.options
            .handlers
            .set(method.into(), move |request, _context| handler(request));
        self
    }

    pub(super) async fn open(&self) -> Result<Client> {
        let runtime = runtime()?;
        let Connection { medium, kept } = self.connector.connect().await?;
        let session = Arc::new(Session::new(ProgressRegistry::new()));
        session.set_strict_tokens(self.options.strict_tokens);
        let way = Arc::new(ToServer {
            session: session.clone(),
            runtime: runtime.clone(),
        });
        let handlers = &self.options.handlers;
        let handlers = handlers.for_connection(&self.options.capabilities, way);
        handlers.start(&runtime, &session);
        errands::give_up_in_time(&runtime, &session);
        let limit = self.options.max_message_bytes;
        let limits = self.options.limits;
        let telemetry = self.options.telemetry.clone();
        match medium {
            Medium::Bytes { reader, writer } => {
                let driver = Driver::start(&runtime, &session, (reader, writer), kept, limit);
                Ok(Client::new(
                    session,
                    runtime,
                    limits,
                    driver,
                    handlers,
                    telemetry,
                    #[cfg(feature = "http")]
                    Way::Bytes,
                ))
            }
            #[cfg(feature = "http")]
            Medium::Http(channel) => {
                let safe = self.options.reissue_safe_tools;
                let link = Link::new(session.clone(), *channel, runtime.clone(), limit, safe);
                let link = Arc::new(link);
                let driver = http::driver::start(&link);
                Ok(Client::new(
                    session,
                    runtime,
                    limits,
                    driver,
                    handlers,
                    telemetry,
                    Way::Http(link),
                ))
            }
        }
    }

    /// How long to wait for the probe's answer.
    pub(super) fn probe_limit(&self) -> Duration {
        self.options
            .probe_timeout
            .unwrap_or_else(|| self.connector.probe_timeout())
    }
}

impl Client {
    /// Starts `program` and speaks over its standard input and output, once awaited.
    ///
    /// See [`ServerCommand`](crate::transport::ServerCommand) for environment, directory and the rest, which goes to
    /// [`connect`](Self::connect).
    #[cfg(feature = "stdio")]
    pub fn stdio<I, S>(program: impl Into<std::ffi::OsString>, args: I) -> Connect
    where
        I: IntoIterator<Item = S>,
        S: Into<std::ffi::OsString>,
    {
        Self::connect(crate::transport::ServerCommand::new(program).args(args))
    }

    /// Speaks over a stream that is open already: a socket, a pipe, one end of an in-memory pair.
    pub fn io(
        reader: impl tokio::io::AsyncRead + Send + 'static,
        writer: impl tokio::io::AsyncWrite + Send + 'static,
    ) -> Connect {
        Self::connect(crate::transport::io::Io::new(reader, writer))
    }

    /// Speaks to a server over HTTP: Streamable HTTP in every revision, and HTTP+SSE (2024-11-05). The URL often ends in
    /// `/mcp`. See [`HttpEndpoint`](crate::transport::HttpEndpoint) for tokens, headers and other options.
    #[cfg(feature = "http")]
    pub fn http(url: impl AsRef<str>) -> Connect {
        Self::connect(crate::transport::HttpEndpoint::new(url))
    }

    /// Connects by any [`Connector`], once awaited.
    pub fn connect(connector: impl Connector) -> Connect {
        Connect::new(Box::new(connector))
    }
}

/// The runtime that the client's tasks and timers live on.
fn runtime() -> Result<Handle> {
    let runtime = Handle::try_current().map_err(|error| {
        Error::new(ErrorKind::InvalidInput, "connecting needs a tokio runtime")
            .with_source(error)
            .with_hint("connect inside `#[tokio::main]` or `Runtime::block_on`; calls may then be polled anywhere")
    })?;
    // A runtime without time panics where a timer is made: now rather than in the middle of a call.
    std::panic::catch_unwind(|| drop(tokio::time::sleep(Duration::ZERO))).map_err(|_| {
        Error::new(ErrorKind::InvalidInput, "this tokio runtime has no timer")
            .with_hint("build the runtime with `enable_time` or `enable_all`")
    })?;
    Ok(runtime)
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("connector", &self.connector)
            .field("options", &self.options)
            .finish()
    }
}
