//! Owns the HTTP client that the tests share: it writes what it is told and reads what comes. Must not know MCP but
//! for the headers that go with a body.

use crate::testing::http::hosting::HttpHosting;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, DuplexStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

const HOUR: Duration = Duration::from_secs(3600);

/// One HTTP/1.1 connection to a server in memory.
pub(super) struct Wire {
    stream: BufReader<DuplexStream>,
    pub(super) served: JoinHandle<()>,
    /// What of a body was read and is not looked at yet.
    text: String,
}

/// The beginning of a response.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Stands in for a head that is known well enough.
    pub(super) fn of_length(length: usize) -> Self {
        Self {
            status: 202,
            headers: vec![("content-length".to_owned(), length.to_string())],
        }
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name)?;
        Some(&found.1)
    }
}

/// One block of a stream of events.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Block {
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
    pub(super) retry: Option<String>,
    pub(super) data: Option<String>,
    pub(super) comment: Option<String>,
}

impl Block {
    fn parse(text: &str) -> Self {
        let mut block = Self::default();
        for line in text.lines() {
            let (field, value) = line.split_once(':').expect("a field");
            let value = value.trim_start().to_owned();
            match field {
                "event" => block.name = Some(value),
                "id" => block.id = Some(value),
                "retry" => block.retry = Some(value),
                "data" => {
                    block.data = Some(
                        block
                            .data
                            .map_or_else(|| value.clone(), |data| data + "\n" + &value),
                    )
                }
                "" => block.comment = Some(value),
                _ => panic!("unknown field in {text:?}"),
            }
        }
        block
    }

    pub(super) fn message(&self) -> Value {
        assert_eq!(self.name.as_deref(), Some("message"), "{self:?}");
        serde_json::from_str(self.data.as_deref().expect("data")).expect("JSON")
    }
}

impl Wire {
    pub(super) fn connect(hosting: &HttpHosting) -> Self {
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        let hosting = hosting.clone();
        #[expect(clippy::disallowed_methods, reason = "a test owns its runtime")]
        let served = tokio::spawn(async move { hosting.serve_connection(theirs).await });
        Self {
            stream: BufReader::new(ours),
            served,
            text: String::new(),
        }
    }

    /// Closes the connection and returns what still serves it.
    pub(super) fn close(self) -> JoinHandle<()> {
        self.served
    }

    /// Writes a request. The host and, with a body, its length are added.
    pub(super) async fn send(&mut self, line: &str, headers: &[(&str, &str)], body: &str) {
        let mut text = format!("{line} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| *name == "host") {
            text += "host: localhost:80\r\n";
        }
        for (name, value) in headers {
            text += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() {
            text += &format!("content-length: {}\r\n", body.len());
        }
        text += "\r\n";
        text += body;
        let written = self.stream.get_mut().write_all(text.as_bytes()).await;
        written.expect("written");
    }

    /// Posts a body to the endpoint with the headers that every revision wants, and reads the head of the response.
    pub(super) async fn post(&mut self, headers: &[(&str, &str)], body: &Value) -> Head {
        let mut all = vec![
            ("accept", "application/json, text/event-stream"),
            ("content-type", "application/json"),
        ];
        all.extend(headers);
        self.send("POST /mcp", &all, &body.to_string()).await;
        self.head().await
    }

    pub(super) async fn get(&mut self, headers: &[(&str, &str)]) -> Head {
        let mut all = vec![("accept", "text/event-stream")];
        all.extend(headers);
        self.send("GET /mcp", &all, "").await;
        self.head().await
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = timeout(HOUR, self.stream.read_line(&mut line)).await;
        // A broken connection reads as the end.
        let _ = read.expect("a line within an hour");
        line.trim_end_matches("\r\n").to_owned()
    }

    pub(super) async fn head(&mut self) -> Head {
        let status = self.line().await;
        let status = status.split(' ').nth(1).expect("a status line");
        let status = status.parse().expect("a number");
        let mut headers = Vec::new();
        loop {
            let line = self.line().await;
            match line.split_once(": ") {
                Some((name, value)) => headers.push((name.to_owned(), value.to_owned())),
                None => return Head { status, headers },
            }
        }
    }

    /// The body of a response with a length.
    pub(super) async fn body(&mut self, head: &Head) -> String {
        let length = head.header("content-length").expect("a length");
        let mut body = vec![0; length.parse().expect("a number")];
        self.stream.read_exact(&mut body).await.expect("the body");
        String::from_utf8(body).expect("text")
    }

    pub(super) async fn json(&mut self, head: &Head) -> Value {
        assert_eq!(head.header("content-type"), Some("application/json"));
        serde_json::from_str(&self.body(head).await).expect("JSON")
    }

    /// The next piece of a body in pieces as it was written; none at its end, good or bad.
    pub(super) async fn chunk(&mut self) -> Option<String> {
        let length = self.line().await;
        let length = usize::from_str_radix(&length, 16).ok()?;
        let mut chunk = vec![0; length + 2];
        self.stream.read_exact(&mut chunk).await.ok()?;
        chunk.truncate(length);
        (length > 0).then(|| String::from_utf8(chunk).expect("text"))
    }

    /// The next block of the stream; none at its end, good or bad.
    pub(super) async fn block(&mut self) -> Option<Block> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = Block::parse(block);
                self.text = rest.to_owned();
                return Some(block);
            }
            let chunk = self.chunk().await?;
            self.text += &chunk;
        }
    }

    pub(super) async fn message(&mut self) -> Value {
        self.block().await.expect("a block").message()
    }

    /// Begins a session and returns its id.
    pub(super) async fn initialize(&mut self, version: &str) -> String {
        let head = self.post(&[], &initialize(version)).await;
        assert_eq!(head.status, 200);
        let id = head.header("mcp-session-id").expect("a session").to_owned();
        while self.block().await.is_some() {}
        id
    }
}

pub(super) fn initialize(version: &str) -> Value {
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

/// A call of a tool with a token that is its id.
pub(super) fn call(id: impl Into<Value>, tool: &str) -> Value {
    let id = id.into();
    let params = json!({"name": tool, "_meta": {"progressToken": id.clone()}});
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
}

pub(super) fn cancelled(id: impl Into<Value>) -> Value {
    let params = json!({"requestId": id.into()});
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
}
