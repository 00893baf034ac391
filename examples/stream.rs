//! A call as a handle: a stream of updates that ends in the result, with a cancel button and a second reader.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Client, ErrorKind};
use serde_json::json;
use std::time::Duration;

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let client = Client::connect(ScriptedServer::demo()).await?;

    // `start` sends the request. The handle gives the updates, then the result.
    let mut call = client
        .call_tool("count", json!({"steps": 4, "delay_ms": 50}))
        .start();
    // One more stream of the same updates, for another task. It only unsubscribes when dropped.
    let mut also = call.updates();
    let logger = tokio::spawn(async move {
        let mut seen = 0;
        while also.next().await.is_some() {
            seen += 1;
        }
        format!("the other task saw {seen} updates, then: {:?}", also.end())
    });
    while let Some(update) = call.next().await {
        println!("{update}");
    }
    println!("{:?}", call.await?.as_text());
    println!("{}", logger.await.expect("the logger does not panic"));

    // `next` may stand in `select!`: an update is never lost there. The button works from any thread.
    let mut call = client
        .call_tool("count", json!({"steps": 1000, "delay_ms": 50}))
        .start();
    let stop = call.canceller();
    let mut patience = std::pin::pin!(tokio::time::sleep(Duration::from_millis(220)));
    loop {
        tokio::select! {
            update = call.next() => match update {
                Some(update) => println!("{update}"),
                None => break,
            },
            () = &mut patience => {
                stop.cancel("the user has seen enough");
                break;
            }
        }
    }
    let error = call.await.expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    println!("{error}");

    // A detached call runs by itself, whether or not anybody looks; come back to it later.
    let background = client.read_resource("demo:///report").start().detach();
    let mut look = background.updates();
    if let Some(update) = look.next().await {
        println!("in the background: {update}");
    }
    println!("{} part(s)", background.await?.contents.len());

    client.close().await;
    Ok(())
}
