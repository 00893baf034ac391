//! Three ways to give a call a callback: one that borrows, one that awaits, and one for a tool that fails.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

use mcp_progress::Client;
use mcp_progress::testing::ScriptedServer;
use serde_json::json;
use std::time::Duration;

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let client = Client::connect(ScriptedServer::demo()).await?;

    // The callback runs inside the awaited future: it may borrow from here, mutably too, and need not be `Send`.
    let mut percents = Vec::new();
    let result = client
        .call_tool("count", json!({"steps": 4, "delay_ms": 50}))
        .on_progress(|update| percents.push(update.percent().unwrap_or_default()))
        .await?;
    println!("{percents:?}, then {:?}", result.as_text());

    // An asynchronous one is awaited for each update, in order. It delays this call only.
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1);
    let printer = tokio::spawn(async move {
        while let Some(line) = receiver.recv().await {
            println!("{line}");
        }
    });
    let report = client
        .read_resource("demo:///report")
        .on_progress_async(|update| {
            let sender = sender.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                let _ = sender.send(format!("report: {update}")).await;
            }
        })
        .await?;
    drop(sender);
    let _ = printer.await;
    let text = report.contents.first().and_then(|part| part.as_text());
    println!("report: {text:?}");

    // A tool that fails has a result like any other; an `Err` means that the call itself failed.
    let mut last = None;
    let failed = client
        .call_tool("fail", json!({"after": 2, "delay_ms": 50}))
        .on_progress(|update| last = Some(update))
        .await?;
    assert!(failed.is_error);
    if let Some(last) = last {
        println!("{:?}, it had come to {last}", failed.as_text());
    }
    let error = client.call_tool("no-such-tool", json!({})).await;
    println!("{}", error.expect_err("the server knows no such tool"));

    client.close().await;
    Ok(())
}
