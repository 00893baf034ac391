//! Owns how a server is put on HTTP, as its users say it. Must not know how requests are answered.

use super::host::Host;
use super::hub::Hub;
use super::listening::HttpListening;
use super::options::Options;
use crate::testing::backstage::Backstage;
use crate::testing::config::Config;
use crate::testing::log::Log;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, ToSocketAddrs, lookup_host};

/// How a [`ScriptedServer`] is served over HTTP: 2026-07-28, the handshake revisions and HTTP+SSE, side by side.
///
/// Streamable HTTP is at `/mcp`, the stream of HTTP+SSE (2024-11-05) at `/sse`; HTTP/1.1 and HTTP/2 are told apart by
/// their first bytes. Only requests to this machine are answered, and of web pages only those of this machine and of
/// the origins that were [allowed](Self::allow_origin).
///
/// Sessions belong to the server, not to the hosting: a session that began on one hosting is known to all.
///
/// ```
/// use mcp_progress::testing::ScriptedServer;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = ScriptedServer::demo();
/// let hosting = server.http().keep_alive(Duration::from_secs(15)).retry(Duration::from_millis(100));
/// let listening = hosting.bind("127.0.0.1:0").await?;
/// println!("listening on {}", listening.url());
/// tokio::spawn(async move { listening.serve().await });
/// # Ok(())
/// # }
/// ```
///
/// [`ScriptedServer`]: crate::testing::ScriptedServer
#[derive(Clone, Debug)]
#[must_use = "a server does nothing until it serves a connection"]
pub struct HttpHosting {
    host: Host,
}

/// Building.
impl HttpHosting {
    pub(crate) fn new(
        config: Arc<Config>,
        log: Log,
        backstage: Arc<Backstage>,
        hub: Arc<Hub>,
    ) -> Self {
        Self {
            host: Host {
                config,
                log,
                backstage,
                hub,
                options: Arc::default(),
            },
        }
    }

    /// Answers requests with one JSON object instead of a stream, and discards their updates. Subscriptions keep their
    /// stream.
    pub fn json_only(self) -> Self {
        self.with(|options| options.json_only = true)
    }

    /// Speaks the handshake revisions without sessions: no `Mcp-Session-Id`, no GET, no DELETE, and cancellations are
    /// accepted and ignored.
    pub fn stateless(self) -> Self {
        self.with(|options| options.stateless = true)
    }

    /// Whether the events of handshake sessions carry ids and are stored for clients that resume a stream with
    /// `Last-Event-ID`: the last 10,000 of each stream. Each stream then begins with an event without data.
    /// Default: true.
    pub fn event_ids(self, on: bool) -> Self {
        self.with(|options| options.event_ids = on)
    }

    /// Tells clients of handshake sessions how long to wait before they resume a stream, at the beginning of each.
    /// Whole milliseconds. Default: not told.
    pub fn retry(self, pause: Duration) -> Self {
        self.with(|options| options.retry = Some(pause))
    }

    /// Sends a comment on each stream on which there was nothing else for so long. Default: none.
    pub fn keep_alive(self, pause: Duration) -> Self {
        self.with(|options| options.keep_alive = Some(pause))
    }

    /// Closes the stream of a request in a handshake session on purpose each time so many events have gone out; 0
    /// counts as 1. The script goes on, and the client resumes with GET and `Last-Event-ID`. Default: never.
    pub fn close_after(self, events: usize) -> Self {
        self.with(|options| options.close_after = Some(events.max(1)))
    }

    /// Answers the requests of handshake sessions whose GET stream is open with 202, and sends their messages and
    /// results on that stream, as some servers do. `initialize` is answered on its own.
    pub fn answer_on_get(self) -> Self {
        self.with(|options| options.answer_on_get = true)
    }

    /// Ends the lines of events with two bytes, as some servers do.
    pub fn crlf(self) -> Self {
        self.with(|options| options.crlf = true)
    }

    /// Lets in the web pages of one more origin, written as browsers do: `https://example.com`.
    pub fn allow_origin(self, origin: impl Into<String>) -> Self {
        self.with(|options| options.origins.push(origin.into()))
    }

    fn with(mut self, set: impl FnOnce(&mut Options)) -> Self {
        set(Arc::make_mut(&mut self.host.options));
        self
    }
}

/// Serving.
impl HttpHosting {
    /// Takes an address of this machine to listen on; port 0 takes any that is free.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::PermissionDenied`] where the address is one that other machines can reach; otherwise as the
    /// system says.
    pub async fn bind(self, address: impl ToSocketAddrs) -> io::Result<HttpListening> {
        let mut last = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
        for address in lookup_host(address).await? {
            if !address.ip().is_loopback() {
                let told = format!("{address} is not a loopback address");
                last = io::Error::new(io::ErrorKind::PermissionDenied, told);
                continue;
            }
            match TcpListener::bind(address).await {
                Ok(listener) => return HttpListening::new(self.host, listener),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Serves one connection over any stream of bytes: TLS, or one in memory.
    ///
    /// It ends when the connection has ended and the scripts that were begun on it have, too: those of handshake
    /// sessions go on without a connection. No task is started: whoever awaits this future runs all of that.
    ///
    /// # Panics
    ///
    /// When the closure of a script panics, and in a tokio runtime without time when a script needs it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection and drops the scripts that were begun on it.
    pub async fn serve_connection(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) {
        self.host.serve(stream).await;
    }
}
