//! What a transport is: something that can connect, and connect again.
//!
//! Owns the trait and the byte-stream connection. It must not know the protocol spoken over it.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

#[cfg(feature = "http")]
use super::http::channel::Channel;
#[cfg(feature = "stdio")]
use super::process::guard::ChildGuard;
use crate::error::Result;

/// Makes connections to one server.
///
/// Implement it to speak MCP over a byte stream of your own; `examples/custom_transport.rs` shows how. It is called
/// once for a client, and again where the server closed the connection during the probe.
pub trait Connector: fmt::Debug + Send + Sync + 'static {
    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from being opened; [`Error::connect`](crate::Error::connect) makes one.
    fn connect(&self) -> BoxFuture<'_, Result<Connection>>;

    /// How long the probe for the server's era waits for an answer, unless the client says otherwise. Default 5
    /// seconds.
    fn probe_timeout(&self) -> Duration {
        Duration::from_secs(5)
    }
}

/// An open connection: newline-delimited JSON-RPC in both directions, or the way to a server over HTTP.
#[must_use]
pub struct Connection {
    pub(crate) medium: Medium,
    pub(crate) kept: Kept,
}

/// What lives as long as a connection.
#[derive(Default)]
pub(crate) struct Kept {
    /// Dropped when the connection is over.
    pub(crate) guard: Option<Box<dyn Send>>,
    #[cfg(feature = "stdio")]
    pub(crate) child: Option<ChildGuard>,
}

pub(crate) type ByteReader = Pin<Box<dyn AsyncRead + Send>>;
pub(crate) type ByteWriter = Pin<Box<dyn AsyncWrite + Send>>;

/// What carries the messages.
pub(crate) enum Medium {
    Bytes {
        reader: ByteReader,
        writer: ByteWriter,
    },
    #[cfg(feature = "http")]
    Http(Box<Channel>),
}

impl Connection {
    /// A connection that reads the server's messages from `reader` and writes to `writer`.
    ///
    /// Closing it shuts `writer` down first; the server should then end its side.
    pub fn new(
        reader: impl AsyncRead + Send + 'static,
        writer: impl AsyncWrite + Send + 'static,
    ) -> Self {
        Self::over(Medium::Bytes {
            reader: Box::pin(reader),
            writer: Box::pin(writer),
        })
    }

    #[cfg(feature = "http")]
    pub(crate) fn http(channel: Channel) -> Self {
        Self::over(Medium::Http(Box::new(channel)))
    }

    fn over(medium: Medium) -> Self {
        Self {
            medium,
            kept: Kept::default(),
        }
    }

    /// Keeps `guard` as long as the connection lives, and drops it when that is over.
    pub fn with_guard(mut self, guard: impl Send + 'static) -> Self {
        self.kept.guard = Some(Box::new(guard));
        self
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
