//! A call that becomes a task: left to the server, and finished by another client that has only the saved handle.
//!
//! `cargo run --example tasks`; the server is embedded, and would be one on the network otherwise.
#![expect(clippy::print_stdout, reason = "a program may print")]

use std::time::Duration;

use mcp_progress::model::TaskHandle;
use mcp_progress::testing::{Script, ScriptedServer, TaskHosting};
use mcp_progress::{Client, Progress, UpdateKind};
use serde_json::json;

/// A server that runs `reindex` as a task.
fn server() -> ScriptedServer {
    let often = Duration::from_millis(50);
    ScriptedServer::new()
        .tasks(TaskHosting::new().poll_interval(often))
        .tool("reindex", move |_| {
            Script::new()
                .become_task()
                .status("reading")
                .wait(often * 4)
                .status("sorting")
                .wait(often * 4)
                .status("writing")
                .wait(often * 4)
                .text("412 documents")
        })
}

fn show(update: &Progress) {
    if let UpdateKind::Status(status) = update.kind {
        println!("{status}: {}", update.message.as_deref().unwrap_or("-"));
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listening = server().http().bind(("127.0.0.1", 0)).await?;
    let url = listening.url();
    let serving = tokio::task::LocalSet::new();
    serving.spawn_local(listening.serve());
    serving.run_until(calls(url)).await
}

async fn calls(url: String) -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::http(&url).await?;
    // The server decides that this becomes a task. Awaited, the call would drive it to its result by itself.
    let mut call = client.call_tool("reindex", json!({})).start();
    let mut saved = None;
    while let Some(update) = call.next().await {
        show(&update);
        if update.message.as_deref() == Some("sorting") {
            // Dropping the call would cancel the task; this does not.
            saved = call.leave();
            break;
        }
    }
    client.close().await;
    let file = serde_json::to_string(&saved.ok_or("it became no task")?)?;
    println!("left it to the server, and kept {} bytes", file.len());

    // Another process, later: all that it has is the handle.
    let handle: TaskHandle = serde_json::from_str(&file)?;
    let client = Client::http(&url).resuming(&handle).await?;
    let result = client
        .resume_task(&handle)
        .on_progress(|update| show(&update))
        .await?;
    println!("result: {}", result.as_text().unwrap_or_default());
    Ok(())
}
