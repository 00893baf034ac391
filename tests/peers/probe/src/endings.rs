//! Owns the ways to end a running call that only a program has, and the reading of a resource with progress. Must not
//! know where the server is.

use std::error::Error;
use std::time::Duration;

use mcp_progress::model::CallToolResult;
use mcp_progress::{Call, Client, ErrorKind, ProgressToken};
use serde_json::json;

/// Calls `slow`, and ends the call as `mode` says after two updates.
pub(crate) async fn play(mode: &str, client: Client) -> Result<(), Box<dyn Error>> {
    let mut call = client.call_tool("slow", json!({ "ms": 60_000 })).start();
    for _ in 0..2 {
        call.next()
            .await
            .ok_or("the call ended before its second update")?;
    }
    end(mode, &client, call).await?;
    // A server that loses its input may end before it has acted on the line before: it gets the time.
    tokio::time::sleep(Duration::from_millis(300)).await;
    client.close().await;
    match client.stats() {
        stats if stats.live_calls == 0 && stats.registrations == 0 => Ok(()),
        stats => Err(format!("something is left behind: {stats:?}").into()),
    }
}

/// The resource that reports three updates while it is read: by callback, by stream, by registry.
pub(crate) async fn read(client: &Client) -> Result<(), Box<dyn Error>> {
    const URI: &str = "peer:///report";
    let mut by_callback = Vec::new();
    let result = client
        .read_resource(URI)
        .on_progress(|update| by_callback.push(update.progress))
        .await?;
    let mut by_stream = Vec::new();
    let mut call = client.read_resource(URI).start();
    while let Some(update) = call.next().await {
        by_stream.push(update.progress);
    }
    call.await?;
    let token = ProgressToken::generate();
    let mut updates = client.progress().subscribe(&token);
    client.read_resource(URI).progress_token(token).await?;
    let mut by_registry = Vec::new();
    while let Some(update) = updates.next().await {
        by_registry.push(update.progress);
    }
    let name = client
        .server()
        .server_info
        .as_ref()
        .map_or("a server", |info| &info.name);
    let revision = client.server().protocol_version;
    println!("{name} {revision} resources/read: {by_callback:?} {by_stream:?} {by_registry:?}");
    let rising = by_callback.len() == 3 && by_callback.is_sorted();
    if rising && by_callback == by_stream && by_stream == by_registry && result.contents.len() == 1
    {
        Ok(())
    } else {
        Err("expected one content and three rising updates each way".into())
    }
}

async fn end(
    mode: &str,
    client: &Client,
    call: Call<CallToolResult>,
) -> Result<(), Box<dyn Error>> {
    let cancelled = match mode {
        "drop" => {
            drop(call);
            return Ok(());
        }
        "abort" => {
            let task = tokio::spawn(call.result());
            tokio::task::yield_now().await;
            task.abort();
            let ended = task.await;
            return if ended.is_err() {
                Ok(())
            } else {
                Err("the aborted call gave a result".into())
            };
        }
        "panic" => {
            let task = tokio::spawn(async move {
                let _call = call;
                panic!("a handler that panics, on purpose");
            });
            let ended = task.await;
            return if ended.is_err() {
                Ok(())
            } else {
                Err("the panic was lost".into())
            };
        }
        "cancel" => {
            let canceller = call.canceller();
            canceller.cancel("enough");
            call.await
        }
        "close" => {
            let (ended, ()) = tokio::join!(call.result(), client.close());
            ended
        }
        other => return Err(format!("unknown mode {other:?}").into()),
    };
    match cancelled {
        Err(error) if error.kind() == ErrorKind::Cancelled => Ok(()),
        other => Err(format!("expected a cancelled call, got {other:?}").into()),
    }
}
