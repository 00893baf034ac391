//! The scripted server with our reporter, and our client: both halves of the crate over one wire.
//!
//! Owns what a call sees of a tool that reports.

use std::time::Duration;

use mcp_progress::model::LogMessage;
use mcp_progress::reporter::ReporterConfig;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, Notification, Progress, ProtocolVersion};
use serde_json::{Value, json};

const BOTH: [ProtocolVersion; 2] = [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28];

fn server() -> ScriptedServer {
    let purge = || {
        Script::new()
            .report(|reporter| async move {
                {
                    let deleting = reporter.phase("Deleting", 0.0..0.9).total(90);
                    for _file in deleting.wrap(0..90) {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                }
                let done = reporter.finish().await;
                assert_eq!(done.expect("sent").given_up, 0);
            })
            .text("purged")
    };
    let each = || {
        let config = ReporterConfig::new().emit_hz(0.0).life_cycle(false);
        Script::new().burst(|burst| {
            burst
                .report_with(
                    config,
                    |reporter| async move { for _ in reporter.wrap(0..3) {} },
                )
                .text("done")
        })
    };
    ScriptedServer::new()
        .tool("purge", move |_request| purge())
        .tool("each", move |_request| each())
}

async fn call(client: &Client, tool: &str) -> Vec<Progress> {
    let mut seen = Vec::new();
    let result = client
        .call_tool(tool, json!({}))
        .on_progress(|update| seen.push(update))
        .await
        .expect("the tool works");
    assert!(!result.is_error);
    seen
}

#[tokio::test(start_paused = true)]
async fn a_call_sees_a_tool_that_reports() {
    for version in BOTH {
        let client = Client::connect(server()).protocol(version).await;
        let client = client.expect("connects");
        let seen = call(&client, "purge").await;
        assert_eq!(seen[0].message.as_deref(), Some("Deleting"));
        assert!(
            seen.windows(2)
                .all(|pair| pair[0].progress < pair[1].progress)
        );
        let last = seen.last().expect("several");
        assert_eq!((last.progress, last.total), (1.0, Some(1.0)));
        // 900 milliseconds of work: one in each eighth of a second, the first and the last.
        assert!((8..=10).contains(&seen.len()), "{version}: {}", seen.len());
        for pair in seen[..seen.len() - 1].windows(2) {
            let apart = pair[1].elapsed - pair[0].elapsed;
            assert!(apart >= Duration::from_millis(125), "{version}: {apart:?}");
        }
        assert_eq!(client.stats().diagnostics(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_burst_holds_what_a_reporter_sends() {
    let client = Client::connect(server()).await.expect("connects");
    let seen = call(&client, "each").await;
    let values: Vec<f64> = seen.iter().map(|update| update.progress).collect();
    assert_eq!(values, [1.0, 2.0, 3.0]);
}

#[tokio::test(start_paused = true)]
async fn without_a_token_nothing_is_reported() {
    let server = server();
    let client = Client::connect(server.clone()).await.expect("connects");
    let result = client
        .call_tool("purge", json!({}))
        .without_progress()
        .await;
    assert!(!result.expect("the tool works").is_error);
    assert_eq!(client.stats().updates, 0);
}

#[tokio::test(start_paused = true)]
async fn life_cycle_events_come_as_log_messages_where_they_are_wanted() {
    for (version, level, wanted) in [
        (ProtocolVersion::V2025_11_25, None, 5),
        (ProtocolVersion::V2026_07_28, None, 0),
        (ProtocolVersion::V2026_07_28, Some("error"), 0),
        (ProtocolVersion::V2026_07_28, Some("info"), 5),
    ] {
        let mut connect = Client::connect(server()).protocol(version);
        if let Some(level) = level {
            let level = serde_json::from_value(json!(level)).expect("a level");
            connect = connect.log_level(level);
        }
        let client = connect.await.expect("connects");
        let mut notifications = client.notifications();
        call(&client, "purge").await;
        client.close().await;
        let mut events: Vec<Value> = Vec::new();
        while let Some(notification) = notifications.next().await {
            events.extend(log_event(&notification));
        }
        assert_eq!(events.len(), wanted, "{version} {level:?}: {events:?}");
        if wanted > 0 {
            let percents: Vec<&Value> = events.iter().map(|data| &data["percent"]).collect();
            assert_eq!(events[0]["event"], "started");
            assert_eq!(percents[1..4], [25, 50, 75]);
            assert_eq!(events[4]["event"], "completed");
        }
    }
}

/// The data of a life-cycle event, if that is what it is.
fn log_event(notification: &Notification) -> Option<Value> {
    let message: LogMessage = notification.params().ok()?;
    (notification.method == Notification::LOG && message.logger.as_deref() == Some("progress"))
        .then_some(message.data)
}
