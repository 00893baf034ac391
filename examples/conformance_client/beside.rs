//! A call in the middle of another one that waits for its answers.

use std::sync::OnceLock;

use mcp_progress::Client;
use serde_json::json;

/// Set where another tool is to be called while one waits for its answers.
pub(crate) static BESIDE: OnceLock<Client> = OnceLock::new();

/// Calls a tool in the middle of another call, so that the judge sees that nothing of that one gets into it.
pub(crate) async fn call_beside() {
    if let Some(client) = BESIDE.get() {
        let called = client.call_tool("test_mrtr_unrelated", json!({})).await;
        // The judge says what is wrong with it.
        drop(called);
    }
}
