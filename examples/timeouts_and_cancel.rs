//! How a call can end early: by either clock, by the cancel button, or by being dropped. The server hears of each.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, Clock, ErrorKind};
use serde_json::json;
use std::time::Duration;

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let server = ScriptedServer::new()
        .tool("stalls", |_| Script::new().every(ms(30), 3).silence())
        .tool("endless", |_| Script::new().every(ms(30), 10_000))
        .tool("cleans-up", |_| {
            Script::new()
                .every(ms(30), 3)
                .until_cancelled()
                .progress_message(3, 3, "cancelled, all is undone")
                .error(-32000, "cancelled")
        });
    let log = server.log();
    // Limits for every call; a call may have its own. Without any: 5 minutes without news, 24 hours in all.
    let client = Client::connect(server).idle_timeout(ms(200)).await?;

    // The idle clock begins anew with each update, whether or not anybody looks at them.
    let error = client.call_tool("stalls", json!({})).await;
    let error = error.expect_err("it goes silent");
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
    println!("stalls: {error}");

    // The total clock does not care how lively a call is.
    let error = client
        .call_tool("endless", json!({}))
        .total_timeout(ms(300))
        .await;
    let error = error.expect_err("it goes on and on");
    assert_eq!(error.timeout_clock(), Some(Clock::Total));
    println!("endless: {:?} after {:?}", error.kind(), error.elapsed());

    // The button, with a grace in which the server may still say how it cleans up.
    let mut call = client
        .call_tool("cleans-up", json!({}))
        .cancel_grace(ms(500))
        .start();
    if let Some(update) = call.next().await {
        println!("cleans-up: {update}");
    }
    call.canceller().cancel("not needed any more");
    while let Some(update) = call.next().await {
        println!("cleans-up: {update}");
    }
    let error = call.await.expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);

    // Dropping is cancelling: a lost `select!`, an aborted task, a time-out of your own.
    let call = client.call_tool("endless", json!({})).send();
    assert!(tokio::time::timeout(ms(100), call).await.is_err());

    // Closing writes what is queued, the last cancellation included.
    client.close().await;
    log.wait_for(|log| log.cancelled().len() == 4).await;
    println!(
        "the server was told {} times to stop",
        log.cancelled().len()
    );
    Ok(())
}
