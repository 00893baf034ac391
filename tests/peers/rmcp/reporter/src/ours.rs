//! Owns the call by our client. Must not know the other one.

use std::path::Path;

use mcp_progress::{Client, ProtocolVersion};
use serde_json::json;

use crate::{Era, Failure, Received, Seen};

pub(crate) async fn call(program: &Path, era: Era, tool: &str) -> Result<Seen, Failure> {
    let version = match era {
        Era::Handshake => ProtocolVersion::V2025_11_25,
        Era::Modern => ProtocolVersion::V2026_07_28,
    };
    let client = Client::stdio(program, ["serve"]).protocol(version).await?;
    let mut updates = Vec::new();
    let result = client
        .call_tool(tool, json!({}))
        .on_progress(|update| {
            updates.push(Received {
                progress: update.progress,
                total: update.total,
                message: update.message.as_deref().map(str::to_owned),
                at: update.elapsed.as_millis(),
            });
        })
        .await?;
    client.close().await;
    let result = result.as_text().ok_or("a result without text")?;
    Ok(Seen { updates, result })
}
