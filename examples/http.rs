//! MCP over HTTP: the same calls as over any other transport, and what happens when a stream breaks.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

use std::error::Error;
use std::time::Duration;

use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, ProtocolVersion};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = ScriptedServer::demo();
    let listening = server.http().bind("127.0.0.1:0").await?;
    let url = listening.url();
    tokio::spawn(listening.serve());

    // A server on the network: Client::http("https://example.com/mcp").await?
    let client = Client::http(&url).await?;
    println!("{url} speaks {}", client.server().protocol_version);
    let result = client
        .call_tool("count", json!({"steps": 3, "delay_ms": 100}))
        .on_progress(|update| println!("  {update}"))
        .await?;
    println!("  {}", result.as_text().unwrap_or_default());

    // Dropping a call closes its response stream, which is how this revision cancels.
    let mut call = client.call_tool("hang", json!({})).start();
    let nothing = tokio::time::timeout(Duration::from_millis(50), call.next()).await;
    println!("an update of a call that hangs: {:?}", nothing.ok());
    drop(call);
    client.close().await;

    // The revisions before have sessions and streams that can be taken up again. This server closes a stream after every
    // four events; the next update says that some may be missing. None is, since it replays them.
    let moody = server
        .http()
        .close_after(4)
        .retry(Duration::from_millis(50));
    let listening = moody.bind("127.0.0.1:0").await?;
    let endpoint = HttpEndpoint::new(listening.url()).bearer("a token that is shown nowhere");
    tokio::spawn(listening.serve());
    println!("{endpoint:?}");
    let client = Client::connect(endpoint)
        .protocol(ProtocolVersion::V2025_11_25)
        .await?;
    let result = client
        .call_tool("count", json!({"steps": 8, "delay_ms": 30}))
        .on_progress(|update| {
            println!(
                "  {update}{}",
                if update.gap { " (after a break)" } else { "" }
            )
        })
        .await?;
    println!("  {}", result.as_text().unwrap_or_default());
    client.close().await;
    Ok(())
}
