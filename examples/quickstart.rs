//! Calls three tools of a server in another process and shows how far each one is, while it runs.
//!
//! The program is its own server: it starts itself once more and talks to that process over a pipe.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::ServerCommand;
use mcp_progress::{Client, Progress};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return Ok(ScriptedServer::demo().serve_stdio().await?);
    }
    let server = ServerCommand::new(std::env::current_exe()?).arg("serve");
    // Or a server from elsewhere: Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"])
    let client = Client::connect(server).await?;
    println!("connected, revision {}", client.server().protocol_version);

    for (tool, arguments) in [
        ("count", json!({"steps": 5})),
        ("download", json!({"mib": 3})),
        ("index", json!({"files": 10})),
    ] {
        let result = client
            .call_tool(tool, arguments)
            .on_progress(|update| show(tool, &update))
            .await?;
        println!("{tool}: result {:?}", result.as_text().unwrap_or_default());
    }

    client.close().await;
    Ok(())
}

/// One line for each update: the figures, a bar where the total is known, the server's words.
fn show(tool: &str, update: &Progress) {
    let figures = match update.total {
        Some(total) => format!("{}/{total}", update.progress),
        None => update.progress.to_string(),
    };
    let bar = update.fraction().map_or(String::new(), |done| {
        let full = (done * 20.0) as usize;
        format!("[{}{}]", "#".repeat(full), ".".repeat(20 - full))
    });
    let message = update.message.as_deref().unwrap_or_default();
    println!("{tool}: {figures:<15} {bar:<22} {message}");
}
