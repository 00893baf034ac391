//! A server that is played by hand, byte for byte.
//!
//! Owns the connections and the record of what was asked. It must not know what a test is about.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, Connect, ProtocolVersion};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::got::Got;
use super::reply::{Ended, Reply};
use crate::peer::{initialized, spawn};

/// The id of the first session that the server by hand opens.
pub(crate) const SESSION: &str = "session-0";

type Play = dyn Fn(&Got) -> Reply + Send + Sync;

/// A server on this machine; it ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    record: Arc<Record>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Record {
    seen: Mutex<Seen>,
    changed: Notify,
}

/// What the server has seen so far.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) got: Vec<Got>,
    /// The requests whose connection the client closed before their answer was at its end.
    pub(crate) left: Vec<Got>,
    pub(crate) connections: usize,
}

impl Seen {
    /// All requests of one kind.
    pub(crate) fn all(&self, kind: &str) -> Vec<Got> {
        let of_kind = self.got.iter().filter(|got| got.kind() == kind);
        of_kind.cloned().collect()
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.got.iter().map(|got| got.kind().to_owned()).collect()
    }
}

impl Server {
    /// Answers every request as `play` says.
    pub(crate) async fn new(play: impl Fn(&Got) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("it is bound");
        let record = Arc::new(Record::default());
        let task = spawn(accept(listener, record.clone(), Arc::new(play)));
        Self {
            address,
            record,
            task,
        }
    }

    /// A server of revision 2026-07-28 that answers the rest as `play` says.
    pub(crate) async fn modern(
        play: impl Fn(&Got) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |got| play(got).unwrap_or_else(|| modern(got))).await
    }

    /// A server of revision 2025-11-25 with sessions, without a stream of its own.
    pub(crate) async fn handshake(
        play: impl Fn(&Got) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        Self::new(move |got| play(got).unwrap_or_else(|| handshake(got))).await
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub(crate) fn endpoint(&self) -> HttpEndpoint {
        HttpEndpoint::new(self.url()).no_proxy()
    }

    pub(crate) fn connecting(&self) -> Connect {
        Client::connect(self.endpoint())
    }

    pub(crate) async fn connect(&self) -> Client {
        self.connecting().await.expect("connects")
    }

    /// A client that begins with `initialize`.
    pub(crate) async fn shake(&self) -> Client {
        let connecting = self.connecting().protocol(ProtocolVersion::V2025_11_25);
        connecting.await.expect("connects")
    }

    pub(crate) fn seen(&self) -> MutexGuard<'_, Seen> {
        self.record.seen.lock().expect("not poisoned")
    }

    /// Waits until the record fits, at most ten seconds.
    pub(crate) async fn until<T>(&self, what: &str, look: impl Fn(&Seen) -> Option<T>) -> T {
        let wait = async {
            loop {
                let changed = self.record.changed.notified();
                if let Some(found) = look(&self.seen()) {
                    return found;
                }
                changed.await;
            }
        };
        match timeout(Duration::from_secs(10), wait).await {
            Ok(found) => found,
            Err(_) => panic!("waited for {what}, saw {:?}", self.seen().kinds()),
        }
    }

    /// Waits for the `nth` request of a kind, counted from zero.
    pub(crate) async fn request(&self, kind: &str, nth: usize) -> Got {
        let look = |seen: &Seen| seen.all(kind).get(nth).cloned();
        self.until(&format!("{kind} number {nth}"), look).await
    }

    /// Waits until the client has closed the connection of a request of this kind before its end.
    pub(crate) async fn left(&self, kind: &str) -> Got {
        let look = |seen: &Seen| seen.left.iter().find(|got| got.kind() == kind).cloned();
        self.until(&format!("the end of {kind}"), look).await
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, record: Arc<Record>, play: Arc<Play>) {
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        stream.set_nodelay(true).expect("a socket has it");
        record.seen.lock().expect("not poisoned").connections += 1;
        connections.spawn(serve(stream, record.clone(), play.clone()));
    }
}

async fn serve(mut stream: TcpStream, record: Arc<Record>, play: Arc<Play>) {
    while let Some(mut got) = Got::read(&mut stream).await {
        {
            let mut seen = record.seen.lock().expect("not poisoned");
            got.nth = seen.all(got.kind()).len();
            seen.got.push(got.clone());
        }
        record.changed.notify_waiters();
        match play(&got).write(&mut stream).await {
            Ended::Kept => {}
            Ended::Cut => return,
            Ended::Left => {
                record.seen.lock().expect("not poisoned").left.push(got);
                record.changed.notify_waiters();
                return;
            }
        }
    }
}

/// What a modern server says to what a test does not care for.
pub(crate) fn modern(got: &Got) -> Reply {
    match got.kind() {
        "server/discover" => Reply::json(&discovered(got, &["2026-07-28"])),
        _ => Reply::json(&answer(got)),
    }
}

/// As `modern`, for the handshake revisions.
pub(crate) fn handshake(got: &Got) -> Reply {
    match got.kind() {
        "server/discover" => Reply::with(400, "application/json", refusal(-32000).to_string()),
        "initialize" => Reply::json(&result(got, &initialized("2025-11-25")))
            .header("Mcp-Session-Id", format!("session-{}", got.nth)),
        "GET" => Reply::status(405),
        "DELETE" => Reply::status(200),
        "response" => Reply::status(202),
        kind if kind.starts_with("notifications/") => Reply::status(202),
        _ => Reply::json(&answer(got)),
    }
}

/// What a modern server says of itself.
pub(crate) fn discovered(got: &Got, versions: &[&str]) -> Value {
    let discovered = json!({
        "supportedVersions": versions,
        "capabilities": {"tools": {}},
        "resultType": "complete",
        "ttlMs": 0,
        "cacheScope": "private",
    });
    result(got, &discovered)
}

pub(crate) fn result(got: &Got, result: &Value) -> Value {
    json!({"jsonrpc": "2.0", "id": got.json["id"], "result": result})
}

/// The response of a tool that has nothing to say.
pub(crate) fn answer(got: &Got) -> Value {
    result(got, &json!({"content": [], "resultType": "complete"}))
}

/// The response of a tool that says `text`.
pub(crate) fn says(got: &Got, text: &str) -> Value {
    let content = json!([{"type": "text", "text": text}]);
    result(got, &json!({"content": content, "resultType": "complete"}))
}

pub(crate) fn fails(got: &Got, code: i64, message: &str) -> Value {
    json!({"jsonrpc": "2.0", "id": got.json["id"], "error": {"code": code, "message": message}})
}

/// An error that names no request.
pub(crate) fn refusal(code: i64) -> Value {
    json!({"jsonrpc": "2.0", "error": {"code": code, "message": "refused"}, "id": null})
}

pub(crate) fn update(token: &Value, progress: f64) -> Value {
    let params = json!({"progressToken": token, "progress": progress});
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params})
}

/// An update for the call of `got`.
pub(crate) fn step(got: &Got, progress: u32) -> Value {
    update(got.token(), progress.into())
}
