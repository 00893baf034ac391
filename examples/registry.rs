//! Subscribing by token, from anywhere and before there is a call: the parts of a program need not know each other.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ProgressToken, StreamEnd};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

/// The result of a request that is not part of MCP.
#[derive(Debug, Deserialize)]
struct Reindexed {
    files: u64,
}

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let server = ScriptedServer::new().method("vendor/reindex", |_request| {
        Script::new()
            .every(Duration::from_millis(50), 5)
            .result(json!({"files": 5}))
    });
    let client = Client::connect(server).await?;

    // The token exists before its request does. A number or a string of your own works too.
    let token = ProgressToken::generate();

    // A callback for as long as the guard lives. It runs in the future of the call that carries the token.
    let bar = client.progress().register(&token, |update| {
        println!("bar: {:>3} %", update.percent().unwrap_or_default());
    });

    // A stream of its own, for another task. It waits until a call carries the token.
    let mut updates = client.progress().subscribe(&token);
    let watcher = tokio::spawn(async move {
        let mut last = None;
        while let Some(update) = updates.next().await {
            last = Some(update.progress);
        }
        (last, updates.end())
    });

    // Whoever comes in the middle of the call sees the last value first.
    let registry = client.progress().clone();
    let asked = token.clone();
    let latecomer = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(120)).await;
        let mut updates = registry.get(&asked)?;
        Some(updates.next().await?.progress)
    });

    let done: Reindexed = client
        .request("vendor/reindex", json!({"path": "/srv"}))
        .progress_token(token)
        .await?;
    println!("indexed {} files", done.files);

    let (last, end) = watcher.await.expect("the watcher does not panic");
    println!("the watcher saw {last:?} last, then {end:?}");
    assert_eq!((last, end), (Some(5.0), Some(StreamEnd::Completed)));
    println!(
        "the latecomer began at {:?}",
        latecomer.await.ok().flatten()
    );

    drop(bar);
    assert!(client.progress().is_empty(), "nothing is left behind");
    client.close().await;
    Ok(())
}
