//! A server played by hand, line by line, for what no script can do: not reading, answering out of turn, tiny pipes.
//!
//! Owns the other end of a connection, and the two doors to the runtime that the tests use. It must not know what a
//! test is about.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake};
use std::thread::{self, Thread};
use std::time::Duration;

use futures::future::BoxFuture;
use mcp_progress::transport::{Connection, Connector, Io, memory};
use mcp_progress::{Client, Connect, Error, ProtocolVersion, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, ReadHalf, WriteHalf};
use tokio::task::JoinHandle;
use tokio::time::Instant;

#[expect(clippy::disallowed_methods, reason = "a test owns its runtime")]
pub(crate) fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    tokio::spawn(future)
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test measures on the runtime's clock"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Lets every task that is ready run until none is; takes no time on a paused clock.
pub(crate) async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

/// Runs `future` on this thread without any runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Arc::new(Unpark(thread::current())).into();
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut cx) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

/// The server's end of an in-memory connection.
#[derive(Debug)]
pub(crate) struct Peer {
    reader: BufReader<ReadHalf<DuplexStream>>,
    writer: WriteHalf<DuplexStream>,
}

impl Peer {
    /// A pair whose directions hold `buffer` bytes each.
    pub(crate) fn pair(buffer: usize) -> (Io, Self) {
        let (io, served) = memory(buffer);
        let (reader, writer) = tokio::io::split(served);
        let reader = BufReader::with_capacity(1, reader);
        (io, Self { reader, writer })
    }

    /// A client of revision 2025-11-25 with its handshake done, and its server.
    pub(crate) async fn connect(buffer: usize) -> (Client, Self) {
        Self::connect_with(buffer, |connect| connect).await
    }

    pub(crate) async fn connect_with(
        buffer: usize,
        options: impl FnOnce(Connect) -> Connect,
    ) -> (Client, Self) {
        let (io, mut peer) = Self::pair(buffer);
        let connect = options(Client::connect(io).protocol(ProtocolVersion::V2025_11_25));
        let (client, ()) = tokio::join!(connect.into_future(), async {
            let request = peer.next().await;
            assert_eq!(request["method"], "initialize");
            peer.answer(&request, initialized("2025-11-25")).await;
            assert_eq!(peer.next().await["method"], "notifications/initialized");
        });
        (client.expect("the handshake succeeds"), peer)
    }

    /// The next line, or nothing at the end of the connection. Gives up after an hour.
    pub(crate) async fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        let read = self.reader.read_line(&mut line);
        let read = tokio::time::timeout(Duration::from_secs(3600), read).await;
        let bytes = read.expect("a line within an hour").unwrap_or(0);
        (bytes > 0).then(|| serde_json::from_str(&line).expect("a client writes JSON"))
    }

    pub(crate) async fn next(&mut self) -> Value {
        self.line().await.expect("one more message of the client")
    }

    /// All that the client writes until it closes.
    pub(crate) async fn rest(mut self) -> Vec<Value> {
        let mut rest = Vec::new();
        while let Some(message) = self.line().await {
            rest.push(message);
        }
        rest
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_text(&format!("{message}\n")).await;
    }

    /// Writes `text`, all of it at once as far as the pipe holds it.
    pub(crate) async fn send_text(&mut self, text: &str) {
        let written = self.writer.write_all(text.as_bytes()).await;
        written.expect("the client reads");
    }

    pub(crate) async fn answer(&mut self, request: &Value, result: Value) {
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "result": result}))
            .await;
    }

    pub(crate) async fn refuse(&mut self, request: &Value, code: i64, message: &str) {
        let error = json!({"code": code, "message": message});
        self.send(&json!({"jsonrpc": "2.0", "id": request["id"], "error": error}))
            .await;
    }

    /// Sends an update for `request`.
    pub(crate) async fn update(&mut self, request: &Value, progress: u32) {
        self.send(&update(request, progress)).await;
    }
}

/// An update for `request`.
pub(crate) fn update(request: &Value, progress: u32) -> Value {
    let token = &request["params"]["_meta"]["progressToken"];
    assert!(!token.is_null(), "{request} carries no token");
    json!({
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": token, "progress": progress},
    })
}

/// What a server of a handshake revision answers to `initialize`.
pub(crate) fn initialized(version: &str) -> Value {
    json!({
        "protocolVersion": version,
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "by hand", "version": "1"},
    })
}

/// The result of a tool that has nothing to say.
pub(crate) fn done() -> Value {
    json!({"content": []})
}

/// Hands out prepared connections one after the other, and counts them.
#[derive(Debug)]
pub(crate) struct Several {
    connections: std::sync::Mutex<Vec<Io>>,
}

impl Several {
    /// The peers in the order in which they will be connected to.
    pub(crate) fn pairs(count: usize) -> (Self, Vec<Peer>) {
        let (mut connections, mut peers) = (Vec::new(), Vec::new());
        for _ in 0..count {
            let (io, peer) = Peer::pair(1 << 16);
            connections.push(io);
            peers.push(peer);
        }
        connections.reverse();
        let connections = std::sync::Mutex::new(connections);
        (Self { connections }, peers)
    }
}

impl Connector for Several {
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        Box::pin(async {
            let next = self.connections.lock().expect("not poisoned").pop();
            match next {
                Some(io) => io.connect().await,
                None => Err(Error::connect("no connection is left")),
            }
        })
    }
}
