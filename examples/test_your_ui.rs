//! Tests a small user interface against a scripted server. The clock is paused: half an hour passes at once.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{Call, Client, Result};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// The interface to be tested: follows a call to its end and gives the lines that it would show.
async fn follow<T: DeserializeOwned>(mut call: Call<T>) -> (Vec<String>, Result<T>) {
    let mut lines = Vec::new();
    loop {
        match timeout(Duration::from_secs(10), call.next()).await {
            Ok(Some(update)) => {
                let message = update.message.as_deref().unwrap_or("working");
                lines.push(match update.percent() {
                    Some(percent) => format!("{percent:.0} % {message}"),
                    None => format!("{} {message}", update.progress),
                });
            }
            Ok(None) => return (lines, call.await),
            Err(_) => lines.push("still waiting".to_owned()),
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> Result<()> {
    let server = ScriptedServer::new()
        // All in one write together with the result: these are the updates that get lost on the way to a screen.
        .tool("burst", |_| {
            Script::new().burst(|all| all.progress(1, 2).progress(2, 2).text("done"))
        })
        .tool("slow", |_| {
            Script::new()
                .progress_with(Update::new(17).message("files"))
                .wait(Duration::from_secs(25))
                .progress_message(1, 4, "sorted")
                .text("done")
        })
        .tool("stuck", |_| Script::new().progress(1, 4).silence());
    let client = Client::connect(server)
        .idle_timeout(Duration::from_secs(30 * 60))
        .await?;

    let (lines, result) = follow(client.call_tool("burst", json!({})).start()).await;
    assert_eq!(lines, ["50 % working", "100 % working"]);
    assert_eq!(result?.as_text().as_deref(), Some("done"));

    let (lines, _) = follow(client.call_tool("slow", json!({})).start()).await;
    let waiting = "still waiting";
    assert_eq!(lines, ["17 files", waiting, waiting, "25 % sorted"]);

    let (lines, result) = follow(client.call_tool("stuck", json!({})).start()).await;
    let error = result.expect_err("it never answers");
    assert!(error.is_timeout() && error.last_update().is_some());
    assert!(lines.iter().filter(|line| *line == waiting).count() > 170);
    println!("tested, waiting included: {:?}", error.elapsed());

    client.close().await;
    Ok(())
}
