//! Many calls at once on one connection, a bar for each. On a terminal there are bars; elsewhere there are plain lines.
#![expect(clippy::print_stdout, reason = "a program may print")]

use futures::future::join_all;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::ui::indicatif::Bars;
use mcp_progress::{Client, Overflow, ProgressGroup};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect(ScriptedServer::demo()).await?;
    let bars = Bars::stderr();

    // Joined in one task, each with a bar of its own, and none of them waits for another.
    let calls = [5, 10, 20].map(|steps| {
        client
            .call_tool("count", json!({"steps": steps, "delay_ms": 40}))
            .with_bar(&bars)
            .named(format!("count {steps}"))
    });
    for result in join_all(calls).await {
        let text = result?.as_text().unwrap_or_default();
        bars.suspend(|| println!("{text}"));
    }

    // Or each in a task of its own: a hundred calls, drawn as one bar. A bar needs the newest value only.
    let group = ProgressGroup::new();
    let total = bars.group(&group, "all");
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let call = client
            .call_tool("count", json!({"steps": 5, "delay_ms": 20}))
            .overflow(Overflow::Latest)
            .start();
        tasks.spawn(call.in_group(&group, 1.0).result());
    }
    let results = tasks.join_all().await;
    drop(total);
    let done = results.iter().flatten().count();
    bars.suspend(|| println!("{done} of 100 calls done"));
    assert_eq!(client.stats().live_calls, 0);

    client.close().await;
    Ok(())
}
