//! The client: a cheap handle on one connection to one server.
//!
//! Owns what lives as long as somebody may call. It must not know single methods; they are in `methods`.

use std::fmt;
use std::sync::OnceLock;

use serde_json::Value;
use tokio::runtime::Handle;

use super::clock;
use super::driver::Driver;
use super::inbound::Handlers;
use super::introduction::Introduction;
use super::limits::Limits;
use super::streams::{Diagnostics, Notifications};
use super::telemetry::settings::Telemetry;
use crate::error::Error;
use crate::progress::end::StreamEnd;
use crate::progress::registry::ProgressRegistry;
use crate::session::calls::Session;
use crate::session::stats::Stats;
use crate::sync::Arc;

/// A client of one MCP server.
///
/// Cheap to clone; clones share the connection, which is closed when the last of them and the last call are gone.
///
/// ```no_run
/// # async fn example() -> mcp_progress::Result<()> {
/// use mcp_progress::Client;
/// use serde_json::json;
///
/// let client = Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"]).await?;
/// let result = client
///     .call_tool("trigger-long-running-operation", json!({"duration": 5, "steps": 5}))
///     .on_progress(|update| tracing::info!("{:?} %", update.percent()))
///     .await?;
/// # let _ = result; Ok(()) }
/// ```
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    session: Arc<Session>,
    runtime: Handle,
    limits: Limits,
    introduction: OnceLock<Introduction>,
    driver: Driver,
    handlers: Arc<Handlers>,
    telemetry: Telemetry,
    #[cfg(feature = "http")]
    way: Way,
}

/// Over what the messages go.
#[cfg(feature = "http")]
pub(super) enum Way {
    Bytes,
    Http(Arc<super::http::link::Link>),
}

impl Client {
    pub(super) fn new(
        session: Arc<Session>,
        runtime: Handle,
        limits: Limits,
        driver: Driver,
        handlers: Arc<Handlers>,
        telemetry: Telemetry,
        #[cfg(feature = "http")] way: Way,
    ) -> Self {
        Self(Arc::new(Inner {
            session,
            runtime,
            limits,
            introduction: OnceLock::new(),
            driver,
            handlers,
            telemetry,
            #[cfg(feature = "http")]
            way,
        }))
    }

    pub(super) fn introduce(&self, introduction: Introduction) {
        let _ = self.0.introduction.set(introduction);
    }

    /// The registry of progress tokens: subscribe from anywhere, by token.
    #[must_use]
    pub fn progress(&self) -> &ProgressRegistry {
        &self.0.session.registry
    }

    /// What the server said of itself, and the revision that is spoken.
    ///
    /// # Panics
    ///
    /// Never for a client that [`connect`](Self::connect) gave.
    #[must_use]
    pub fn server(&self) -> &Introduction {
        self.0
            .introduction
            .get()
            .expect("a client is handed out after the server was introduced")
    }

    /// Log messages, list changes and whatever else the server sends without being asked, from now on.
    ///
    /// The stream keeps 1,024 notifications or 1 MiB; beyond that the oldest go, and are counted.
    pub fn notifications(&self) -> Notifications {
        Notifications(self.0.session.notifications.receiver())
    }

    /// What the server sends that no call waits for, or not in this form, from now on; bounded as
    /// [`notifications`](Self::notifications).
    pub fn diagnostics(&self) -> Diagnostics {
        Diagnostics(self.0.session.counters.feed.receiver())
    }

    /// Numbers of this connection.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.0.session.stats()
    }

    /// Whether the connection is over, so that every further call fails.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.0.session.is_closed()
    }

    /// Closes the connection: cancels the calls in flight, writes what is queued, closes the server's input, waits for
    /// the server to end, and makes it end where it does not.
    ///
    /// Takes at most a second to write and, for a child process, the two waits of its
    /// [`ServerCommand`](crate::transport::ServerCommand).
    ///
    /// # Cancel safety
    ///
    /// Closing goes on when the future is dropped.
    pub async fn close(&self) {
        let session = &self.0.session;
        session.refuse(Error::connect("the client was closed"));
        for flight in session.flights() {
            let error = Error::cancelled().with_context(flight.context(clock::now()));
            session.abandon(
                &flight,
                StreamEnd::Cancelled,
                "the client is closing",
                Some(error),
            );
        }
        self.0.driver.close();
        self.0.driver.closed().await;
    }

    #[cfg(feature = "http")]
    pub(super) fn way(&self) -> &Way {
        &self.0.way
    }

    pub(super) fn session(&self) -> &Arc<Session> {
        &self.0.session
    }

    /// What the client answers on requests of the server.
    pub(crate) fn handlers(&self) -> &Arc<Handlers> {
        &self.0.handlers
    }

    /// Who is told of calls.
    pub(crate) fn telemetry(&self) -> &Telemetry {
        &self.0.telemetry
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.0.runtime
    }

    /// Whether the server runs tools as tasks (revision 2025-11-25).
    pub(super) fn offers_tasks(&self) -> bool {
        let server = self.0.introduction.get();
        let tasks = server.and_then(|server| server.capabilities.tasks.as_ref());
        let call = tasks.and_then(|tasks| tasks.get("requests")?.get("tools")?.get("call"));
        call.is_some_and(Value::is_object)
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether no other handle and no call is left, so that dropping this one closes the connection.
    #[cfg(feature = "blocking")]
    pub(crate) fn is_last(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.driver.close();
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("server", &self.0.introduction.get())
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
