//! The scripted server as a transport: a client connects to it in memory.
//!
//! Owns starting one serving task for each connection. Must not know what the client does with it.

use futures::future::BoxFuture;
use tokio::runtime::Handle;

use super::server::ScriptedServer;
use crate::error::{Error, Result};
use crate::transport::connector::{Connection, Connector};

/// What the in-memory pipe holds in each direction, about as much as a real one.
const PIPE_BYTES: usize = 64 * 1024;

/// Connects in memory; each connection is served by a task of its own.
///
/// ```
/// use mcp_progress::Client;
/// use mcp_progress::testing::{Script, ScriptedServer};
/// use serde_json::json;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mcp_progress::Result<()> {
/// let server = ScriptedServer::new().tool("count", |_| Script::new().progress(1, 2).progress(2, 2).text("done"));
/// let client = Client::connect(server).await?;
/// let mut seen = Vec::new();
/// let result = client.call_tool("count", json!({})).on_progress(|update| seen.push(update.progress)).await?;
/// assert_eq!(seen, [1.0, 2.0]);
/// assert_eq!(result.as_text().as_deref(), Some("done"));
/// # Ok(())
/// # }
/// ```
impl Connector for ScriptedServer {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(async {
            let runtime = Handle::try_current().map_err(|error| {
                Error::connect("the scripted server needs a tokio runtime to serve on")
                    .with_source(error)
            })?;
            let (client, served) = tokio::io::duplex(PIPE_BYTES);
            let server = self.clone();
            runtime.spawn(async move {
                let (reader, writer) = tokio::io::split(served);
                server.serve(reader, writer).await;
            });
            let (reader, writer) = tokio::io::split(client);
            Ok(Connection::new(reader, writer))
        })
    }
}
