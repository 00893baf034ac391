//! Owns the line client that the tests share. Must not know what the server means to send.

use crate::testing::log::Log;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

pub(super) const SECOND: Duration = Duration::from_secs(1);

pub(super) struct Client {
    pub(super) reader: BufReader<ReadHalf<DuplexStream>>,
    pub(super) writer: WriteHalf<DuplexStream>,
    pub(super) served: JoinHandle<()>,
    pub(super) log: Log,
}

impl Client {
    pub(super) fn connect(server: &ScriptedServer) -> Self {
        Self::connect_with(server, 1 << 20)
    }

    pub(super) fn connect_with(server: &ScriptedServer, buffer: usize) -> Self {
        let (ours, theirs) = tokio::io::duplex(buffer);
        let (reader, writer) = tokio::io::split(theirs);
        let (log, server) = (server.log(), server.clone());
        #[expect(clippy::disallowed_methods, reason = "a test owns its runtime")]
        let served = tokio::spawn(async move { server.serve(reader, writer).await });
        let (reader, writer) = tokio::io::split(ours);
        Self {
            reader: BufReader::new(reader),
            writer,
            served,
            log,
        }
    }

    pub(super) async fn send(&mut self, message: Value) {
        let line = format!("{message}\n");
        self.writer.write_all(line.as_bytes()).await.unwrap();
    }

    pub(super) async fn request(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}))
            .await;
    }

    pub(super) async fn call(&mut self, id: impl Into<Value>, tool: &str) {
        let id = id.into();
        let meta = json!({"progressToken": id.clone()});
        self.request(id, "tools/call", json!({"name": tool, "_meta": meta}))
            .await;
    }

    pub(super) async fn cancel(&mut self, id: impl Into<Value>) {
        let params = json!({"requestId": id.into()});
        self.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}))
            .await;
    }

    /// The next line without its end; none at the end of the connection.
    pub(super) async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(3600 * SECOND, self.reader.read_line(&mut line));
        let n = read.await.expect("a line within an hour").unwrap();
        (n > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    pub(super) async fn next(&mut self) -> Value {
        serde_json::from_str(&self.line().await.unwrap()).unwrap()
    }

    /// The `progress` of the next message, which must be an update of `token`.
    pub(super) async fn update(&mut self, token: impl Into<Value>) -> Value {
        let message = self.next().await;
        assert_eq!(message["method"], "notifications/progress", "{message}");
        assert_eq!(
            message["params"]["progressToken"],
            token.into(),
            "{message}"
        );
        message["params"]["progress"].clone()
    }

    /// Sends a request and returns the message that comes next.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request("ask", method, params).await;
        let answer = self.next().await;
        assert_eq!(answer["id"], "ask", "{answer}");
        answer
    }

    /// Waits until `condition` holds for what the server recorded.
    pub(super) async fn logged(&self, condition: impl FnMut(&Log) -> bool) {
        let held = timeout(3600 * SECOND, self.log.wait_for(condition)).await;
        held.expect("recorded within an hour");
    }

    pub(super) async fn assert_quiet(&mut self) {
        let heard = timeout(60 * SECOND, self.line()).await;
        assert!(heard.is_err(), "expected nothing, got {heard:?}");
    }

    pub(super) async fn assert_closed(mut self) {
        assert_eq!(self.line().await, None);
        self.served.await.unwrap();
    }
}

pub(super) fn modern(version: &str) -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": version,
        "io.modelcontextprotocol/clientCapabilities": {},
    })
}

pub(super) fn tool(script: Script) -> ScriptedServer {
    ScriptedServer::new().tool("it", move |_| script.clone())
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test measures on the paused clock"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}
