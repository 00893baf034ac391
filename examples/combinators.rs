//! Bends a stream of updates to what a screen wants: fewer of them, an estimate of the rest, silence as an event.
//! The clock is paused, so that four minutes of work pass at once.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::combinators::{MilestoneEvent, StallEvent};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, UpdatesExt as _};
use serde_json::json;
use std::time::Duration;

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> mcp_progress::Result<()> {
    let second = Duration::from_secs(1);
    let server = ScriptedServer::new()
        .tool("index", move |_| {
            Script::new().every(second / 100, 10_000).text("indexed")
        })
        .tool("upload", move |_| {
            Script::new()
                .progress_message(10, 100, "sending")
                .wait(20 * second)
                .progress_message(50, 100, "sending")
                .wait(100 * second)
                .progress_message(60, 100, "the line is back")
                .wait(second)
                .text("sent")
        });
    let client = Client::connect(server).await?;

    // A hundred updates a second are too many: one in ten seconds will do. Over `&mut call`, so that the call is
    // still there for its result.
    let mut call = client.call_tool("index", json!({})).start();
    let mut updates = (&mut call).throttle(0.1).with_estimate();
    while let Some(estimated) = updates.next().await {
        let percent = estimated.update.percent().unwrap_or_default();
        let rest = estimated
            .remaining
            .map_or_else(|| "?".to_owned(), |rest| format!("{} s", rest.as_secs()));
        let merged = estimated.update.merged;
        println!("{percent:>3.0} %, {rest} left; stands for {merged} more");
    }
    drop(updates);
    println!("{:?}\n", call.await?.as_text());

    // Silence is an event, and so is its end. Another stream of the same call may be read otherwise.
    let mut call = client.call_tool("upload", json!({})).start();
    let mut halves = call.updates().milestones([0.5, 1.0]);
    let mut events = (&mut call).stalled(30 * second);
    let watch = async {
        while let Some(event) = events.next().await {
            match event {
                StallEvent::Update(update) => println!("{update}"),
                StallEvent::Stalled { silence, .. } => println!("nothing for {silence:.0?}"),
                StallEvent::Resumed { silence, .. } => println!("it was silent for {silence:.0?}"),
                _ => {}
            }
        }
    };
    let celebrate = async {
        while let Some(event) = halves.next().await {
            if let MilestoneEvent::Reached { milestones, .. } = event {
                println!("reached {milestones:?}");
            }
        }
    };
    tokio::join!(watch, celebrate);
    drop(events);
    println!("{:?}", call.await?.as_text());

    client.close().await;
    Ok(())
}
