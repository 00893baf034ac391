//! Owns the socket that connections come in on. Must not know what is said on them.

use super::endpoint::{MCP, SSE};
use super::host::Host;
use futures::stream::{FuturesUnordered, StreamExt};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// How long to wait after a connection could not be taken; where files have run out, others must end first.
const PAUSE: Duration = Duration::from_millis(50);

/// A server that listens on an address of this machine, made by [`HttpHosting::bind`].
///
/// Connections wait until [`serve`](Self::serve) is awaited.
///
/// [`HttpHosting::bind`]: crate::testing::HttpHosting::bind
#[derive(Debug)]
#[must_use = "connections wait until it serves"]
pub struct HttpListening {
    host: Host,
    listener: TcpListener,
    address: SocketAddr,
}

impl HttpListening {
    pub(crate) fn new(host: Host, listener: TcpListener) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self {
            host,
            listener,
            address,
        })
    }

    /// The address with the port that was taken.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where Streamable HTTP is served, for example `http://127.0.0.1:4000/mcp`.
    pub fn url(&self) -> String {
        format!("http://{}{MCP}", self.address)
    }

    /// Where the stream of HTTP+SSE (2024-11-05) is served, for example `http://127.0.0.1:4000/sse`.
    pub fn sse_url(&self) -> String {
        format!("http://{}{SSE}", self.address)
    }

    /// Serves all connections for ever. No task is started: whoever awaits this future runs the server, on one thread
    /// at a time.
    ///
    /// # Panics
    ///
    /// Like [`HttpHosting::serve_connection`](crate::testing::HttpHosting::serve_connection).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes all connections and the address, and drops the scripts that run.
    pub async fn serve(self) {
        let Self { host, listener, .. } = self;
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        // Small events must not wait for each other; a socket that is already gone is found out later.
                        let _ = stream.set_nodelay(true);
                        let host = &host;
                        connections.push(async move { host.serve(stream).await });
                    }
                    Err(_) => tokio::time::sleep(PAUSE).await,
                },
                Some(()) = connections.next() => {}
            }
        }
    }
}
