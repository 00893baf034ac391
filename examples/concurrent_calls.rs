//! Many calls at once on one connection, a bar for each. The bars show on a terminal; elsewhere only the results do.
#![expect(clippy::print_stdout, reason = "a program may print")]

use futures::future::join_all;
use indicatif::{MultiProgress, ProgressBar, ProgressFinish, ProgressStyle};
use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Client, Overflow, Progress};
use serde_json::json;
use tokio::task::JoinSet;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let client = Client::connect(ScriptedServer::demo()).await?;
    let bars = MultiProgress::new();
    let style = ProgressStyle::with_template("{prefix:10} {bar:30} {pos:>3}/{len} {msg}")?;

    // Joined in one task. Each callback borrows its own bar, and none of them waits for another.
    let steps = [5, 10, 20];
    let own: Vec<ProgressBar> = steps
        .iter()
        .map(|steps| {
            let bar = bars.add(ProgressBar::new(*steps).with_style(style.clone()));
            bar.with_prefix(format!("count {steps}"))
                .with_finish(ProgressFinish::AndLeave)
        })
        .collect();
    let calls = steps.iter().zip(&own).map(|(steps, bar)| {
        client
            .call_tool("count", json!({"steps": steps, "delay_ms": 40}))
            .on_progress(|update| draw(bar, &update))
            .send()
    });
    for result in join_all(calls).await {
        let text = result?.as_text().unwrap_or_default();
        bars.suspend(|| println!("{text}"));
    }

    // Or each in a task of its own: a hundred calls, drawn as one bar. A bar needs the newest value only.
    let all = bars.add(ProgressBar::new(100).with_style(style).with_prefix("all"));
    let mut tasks = JoinSet::new();
    for _ in 0..100 {
        let call = client
            .call_tool("count", json!({"steps": 5, "delay_ms": 20}))
            .overflow(Overflow::Latest);
        let all = all.clone();
        tasks.spawn(async move {
            let result = call.on_progress(|_| all.tick()).await;
            all.inc(1);
            result
        });
    }
    let results = tasks.join_all().await;
    let done = results.iter().flatten().count();
    bars.suspend(|| println!("{done} of 100 calls done"));
    assert_eq!(client.stats().live_calls, 0);

    client.close().await;
    Ok(())
}

/// Shows one update on its bar.
fn draw(bar: &ProgressBar, update: &Progress) {
    bar.set_position(update.progress as u64);
    if let Some(message) = &update.message {
        bar.set_message(message.to_string());
    }
}
