//! A server of tasks that is played by hand: what it answers is text, so that it may be anything.
//!
//! Owns the connection and the record of what the client wrote. It must not know what a test is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use mcp_progress::{Client, Connect, ProtocolVersion};
use serde_json::{Value, json};

use crate::peer::{Peer, initialized, spawn};

/// How much the client wrote after its first words, by method.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<Mutex<HashMap<String, usize>>>);

impl Written {
    pub(super) fn count(&self, method: &str) -> usize {
        let written = self.0.lock().expect("not poisoned");
        written.get(method).copied().unwrap_or_default()
    }

    fn add(&self, message: &Value) {
        let method = message["method"].as_str().unwrap_or_default().to_owned();
        let mut written = self.0.lock().expect("not poisoned");
        *written.entry(method).or_default() += 1;
    }
}

/// A client and the server that answers each message with the lines that `play` gives; it is told how many messages of
/// that method came before.
pub(super) async fn played(
    version: ProtocolVersion,
    options: impl FnOnce(Connect) -> Connect,
    mut play: impl FnMut(&Value, usize) -> Vec<String> + Send + 'static,
) -> (Client, Written) {
    let (client, mut peer) = shaken(version, options).await;
    let written = Written::default();
    let record = written.clone();
    spawn(async move {
        while let Some(message) = peer.line().await {
            let method = message["method"].as_str().unwrap_or_default();
            let before = record.count(method);
            let lines = play(&message, before);
            record.add(&message);
            for line in lines {
                peer.send_text(&format!("{line}\n")).await;
            }
        }
    });
    (client, written)
}

/// A client with its first words behind it, and its server.
pub(super) async fn shaken(
    version: ProtocolVersion,
    options: impl FnOnce(Connect) -> Connect,
) -> (Client, Peer) {
    let (io, mut peer) = Peer::pair(1 << 20);
    let connect = options(Client::connect(io).protocol(version));
    let (client, ()) = tokio::join!(connect.into_future(), async {
        let request = peer.next().await;
        let mut hello = initialized("2025-11-25");
        hello["capabilities"]["tasks"] = json!({"requests": {"tools": {"call": {}}}});
        if version.is_modern() {
            hello = json!({
                "supportedVersions": [version], "resultType": "complete", "ttlMs": 0, "cacheScope": "private",
                "capabilities": {"tools": {}, "extensions": {"io.modelcontextprotocol/tasks": {}}},
            });
        }
        peer.answer(&request, hello).await;
        if !version.is_modern() {
            assert_eq!(peer.next().await["method"], "notifications/initialized");
        }
    });
    (client.expect("the server answers"), peer)
}

/// The response to a request, whose result is this text.
pub(super) fn reply(request: &Value, result: &str) -> String {
    let id = &request["id"];
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

pub(super) fn refusal(request: &Value, code: i64) -> String {
    let error = json!({"code": code, "message": "refused"});
    json!({"jsonrpc": "2.0", "id": request["id"], "error": error}).to_string()
}

/// What a server tells of the task by itself.
pub(super) fn told(state: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/tasks/status","params":{{"taskId":"t",{state}}}}}"#
    )
}

/// A result that creates the task, with these members beside its id.
pub(super) fn created(version: ProtocolVersion, members: &str) -> String {
    if version.is_modern() {
        format!(r#"{{"resultType":"task","taskId":"t",{members}}}"#)
    } else {
        format!(r#"{{"task":{{"taskId":"t",{members}}}}}"#)
    }
}

/// A state of the task, with these members beside its id.
pub(super) fn state(members: &str) -> String {
    format!(r#"{{"taskId":"t",{members}}}"#)
}

/// The result of a tool, with these words.
pub(super) fn says(words: &str) -> String {
    json!({"content": [{"type": "text", "text": words}]}).to_string()
}

pub(super) const WORKING: &str = r#""status":"working","pollIntervalMs":50"#;
