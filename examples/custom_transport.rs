//! A transport of one's own: MCP over TCP, a message a line. Anything that can be read from and written to will do.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

use futures::future::BoxFuture;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::{Connection, Connector};
use mcp_progress::{Client, Error};
use serde_json::json;
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

/// Connects to a server that listens on a TCP port.
#[derive(Debug)]
struct Tcp(SocketAddr);

impl Connector for Tcp {
    // Called once for a client, and once more where the server hung up on the question which revision it speaks.
    fn connect(&self) -> BoxFuture<'_, mcp_progress::Result<Connection>> {
        Box::pin(async {
            let stream = TcpStream::connect(self.0).await.map_err(|error| {
                Error::connect(format!("{} cannot be reached", self.0)).with_source(error)
            })?;
            let (reader, writer) = stream.into_split();
            Ok(Connection::new(reader, writer))
        })
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let serving = tokio::spawn(async move {
        let (stream, _) = listener.accept().await?;
        let (reader, writer) = stream.into_split();
        ScriptedServer::demo().serve(reader, writer).await;
        std::io::Result::Ok(())
    });

    let client = Client::connect(Tcp(address)).await?;
    let result = client
        .call_tool("count", json!({"steps": 3, "delay_ms": 50}))
        .on_progress(|update| println!("over TCP: {update}"))
        .await?;
    println!("over TCP: {:?}", result.as_text());

    // Closing ends the writing side, on which the server ends too.
    client.close().await;
    serving.await??;

    // A stream that is open already needs no connector.
    let (ours, theirs) = tokio::io::duplex(4096);
    let (reader, writer) = tokio::io::split(theirs);
    tokio::spawn(async move { ScriptedServer::demo().serve(reader, writer).await });
    let (reader, writer) = tokio::io::split(ours);
    let client = Client::io(reader, writer).await?;
    println!("in memory: {} tools", client.tools().all().await?.len());
    client.close().await;
    Ok(())
}
