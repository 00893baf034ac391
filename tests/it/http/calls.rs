//! Calls of a client, with all that came of them.
//!
//! Owns what several tests look at. It must not know servers.

use std::future::Future;
use std::time::Duration;

use mcp_progress::model::CallToolResult;
use mcp_progress::{Client, DiagnosticKind, Progress, Result};
use serde_json::json;

/// Calls the tool `count`: all its updates, and how it ended.
pub(crate) async fn count(client: &Client) -> (Vec<Progress>, Result<CallToolResult>) {
    let mut call = client.call_tool("count", json!({"steps": 3})).start();
    let mut updates = Vec::new();
    while let Some(update) = call.next().await {
        updates.push(update);
    }
    (updates, call.await)
}

pub(crate) fn values(updates: &[Progress]) -> Vec<f64> {
    updates.iter().map(|update| update.progress).collect()
}

/// The text of a result.
pub(crate) fn text(result: &CallToolResult) -> String {
    result.content[0].as_text().unwrap_or_default().to_owned()
}

/// After the end of all calls nothing of them is left.
#[track_caller]
pub(crate) fn assert_idle(client: &Client) {
    let stats = client.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0), "{stats:?}");
}

/// The number of diagnostics of one kind, and of all others.
pub(crate) fn told(client: &Client, kind: DiagnosticKind) -> (u64, u64) {
    let stats = client.stats();
    (stats.count(kind), stats.diagnostics() - stats.count(kind))
}

/// What must end; a test that hangs says nothing.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    let limit = Duration::from_secs(10);
    let ended = tokio::time::timeout(limit, future).await;
    ended.expect("it ends within ten seconds")
}
