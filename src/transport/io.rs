//! A connection that is open already: a socket, a pipe, one end of an in-memory pair.
//!
//! Owns handing it out once. It must not know what it is.

use std::fmt;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream};

use super::connector::{Connection, Connector};
use crate::error::{Error, Result};
use crate::sync::Mutex;

/// Connects over a stream that is open already. It cannot connect twice.
pub struct Io(Mutex<Option<Connection>>);

impl Io {
    /// Reads from `reader` and writes to `writer`.
    pub fn new(
        reader: impl AsyncRead + Send + 'static,
        writer: impl AsyncWrite + Send + 'static,
    ) -> Self {
        Self(Mutex::new(Some(Connection::new(reader, writer))))
    }
}

impl Connector for Io {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        let connection = self.0.lock().take();
        Box::pin(std::future::ready(connection.ok_or_else(|| {
            Error::connect(
                "the stream was used up: the server closed it, and it cannot be opened again",
            )
        })))
    }
}

impl fmt::Debug for Io {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Io").finish_non_exhaustive()
    }
}

/// An in-memory pair: what the client connects to, and the stream that a server serves.
///
/// Each direction holds at most `buffer` bytes; a side that does not read holds the other up.
#[must_use]
pub fn memory(buffer: usize) -> (Io, DuplexStream) {
    let (client, server) = tokio::io::duplex(buffer);
    let (reader, writer) = tokio::io::split(client);
    (Io::new(reader, writer), server)
}
