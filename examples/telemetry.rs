//! Watching calls: an observer for all of them, a span for each, and the trace that the server is told of.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::testing::ScriptedServer;
use mcp_progress::{CallClosed, CallObserver, CallStarted, Client};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Prints what happens, and counts what a dashboard would show.
#[derive(Clone, Default)]
struct Dashboard {
    updates: Arc<AtomicU64>,
}

impl CallObserver for Dashboard {
    fn started(&self, call: &CallStarted) {
        println!("{}: started", name(call));
    }

    fn first_update(&self, call: &CallStarted, after: Duration) {
        println!("{}: first update after {after:.0?}", name(call));
    }

    fn milestone(&self, call: &CallStarted, fraction: f64, after: Duration) {
        let percent = fraction * 100.0;
        println!("{}: {percent} % after {after:.0?}", name(call));
    }

    fn closed(&self, call: &CallStarted, closed: &CallClosed) {
        self.updates.fetch_add(closed.received, Ordering::Relaxed);
        let (outcome, silence) = (closed.outcome, closed.longest_silence);
        println!(
            "{}: {outcome} after {:.0?}, {} updates, at most {silence:.0?} of silence",
            name(call),
            closed.elapsed,
            closed.received
        );
    }
}

fn name(call: &CallStarted) -> &str {
    call.tool.as_deref().unwrap_or(&call.method)
}

#[tokio::main]
async fn main() -> mcp_progress::Result<()> {
    let dashboard = Dashboard::default();
    let server = ScriptedServer::demo();
    let log = server.log();
    let client = Client::connect(server)
        .observer(dashboard.clone())
        .milestones([0.5, 1.0])
        // With the feature `opentelemetry`: `.trace_context_from_span()`.
        .trace_context(|trace| {
            let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
            trace.traceparent = Some(parent.to_owned());
        })
        .await?;

    let steps = json!({"steps": 4, "delay_ms": 50});
    client.call_tool("count", steps.clone()).await?;

    // However a call ends, it is told once; a subscriber of `tracing` finds the same in the span `mcp.call`.
    drop(client.call_tool("count", steps).start());

    let sent = log.requests("tools/call");
    println!(
        "the server saw {}",
        sent[0].params()["_meta"]["traceparent"]
    );
    println!(
        "{} updates in all",
        dashboard.updates.load(Ordering::Relaxed)
    );
    client.close().await;
    Ok(())
}
