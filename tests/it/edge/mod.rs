//! What stands between a client and its server: TLS, HTTP/2 on one connection, and a proxy.
//!
//! Owns the endpoint that all of these begin with, and the look at all that an error says. What nginx does is in
//! `tests/edge`.

mod certificate;
mod front;
mod multiplexing;
mod proxy;
mod tls;

use std::error::Error as _;

use mcp_progress::testing::{HttpHosting, Log, Script, ScriptedServer};
use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, Error};
use serde_json::json;
use tokio::task::JoinHandle;

/// An endpoint that no variable of the environment sends through a proxy.
fn endpoint(url: &str) -> HttpEndpoint {
    HttpEndpoint::new(url).no_proxy()
}

/// A server on a port of its own, until it is dropped.
struct Running {
    url: String,
    log: Log,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(server: &ScriptedServer) -> Self {
        Self::hosted(server.http(), server.log()).await
    }

    async fn hosted(hosting: HttpHosting, log: Log) -> Self {
        let listening = hosting.bind("127.0.0.1:0").await.expect("a port is free");
        let url = listening.url();
        #[expect(clippy::disallowed_methods, reason = "a test is a program")]
        let task = tokio::spawn(listening.serve());
        Self { url, log, task }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A server with one tool, which counts to five.
fn counting() -> ScriptedServer {
    ScriptedServer::new().tool("five", |_| {
        let counted = (1..=5).fold(Script::new(), |script, step| script.progress(step, 5));
        counted.text("five")
    })
}

/// Calls that tool; every update must come, in order.
async fn count(client: &Client) {
    let mut seen = Vec::new();
    let counted = client
        .call_tool("five", json!({}))
        .on_progress(|update| seen.push((update.progress, update.seq, update.merged)))
        .await;
    let expected = [1, 2, 3, 4, 5].map(|step: u32| (f64::from(step), u64::from(step), 0));
    assert_eq!(seen, expected);
    assert_eq!(
        counted.expect("a result").as_text().as_deref(),
        Some("five")
    );
}

/// All that an error tells, to people and to programmers.
fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!("\n{cause}"));
        next = cause.source();
    }
    format!("{text}\n{error:?}")
}

/// Why there is no client.
async fn refused(endpoint: HttpEndpoint) -> Error {
    let connected = Client::connect(endpoint).await;
    connected.expect_err("this cannot be connected to")
}
