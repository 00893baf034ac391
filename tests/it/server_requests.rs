//! Requests of the server that a handler of the client answers: beside calls, bounded, and stopped in time.
//!
//! Promises 3 and 4, for what the server asks. On a paused clock, over memory; and over HTTP.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, Connect, DiagnosticKind, ErrorObject, ProtocolVersion, ServerRequest};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::timeout;

use crate::peer::{Peer, done, initialized, now, settle, spawn};

const METHOD: &str = "vendor/ask";

/// At work at once, and open at once with those that wait.
const AT_ONCE: usize = 16;
const OPEN: usize = 80;

type Answer = Result<Value, ErrorObject>;

fn ask(id: impl Into<Value>, n: u64) -> Value {
    let id: Value = id.into();
    json!({"jsonrpc": "2.0", "id": id, "method": METHOD, "params": {"n": n}})
}

fn cancelled(id: impl Into<Value>) -> Value {
    let id: Value = id.into();
    let params = json!({"requestId": id, "reason": "no longer wanted"});
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params})
}

/// What a request asks about.
fn number(request: &ServerRequest) -> u64 {
    #[derive(serde::Deserialize)]
    struct Params {
        n: u64,
    }

    request.params::<Params>().expect("a number").n
}

async fn echo(request: ServerRequest) -> Answer {
    Ok(json!({"n": number(&request)}))
}

fn unserved(client: &Client) -> u64 {
    client.stats().count(DiagnosticKind::UnservedRequest)
}

#[track_caller]
fn assert_refused(reply: &Value, id: impl Into<Value>, code: i64, text: &str) {
    let id: Value = id.into();
    assert_eq!((&reply["id"], &reply["error"]["code"]), (&id, &json!(code)));
    let message = reply["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(text), "{reply}");
    assert!(reply.get("result").is_none(), "{reply}");
}

/// Handlers that say when they begin and when they are dropped, and end when they are let go.
#[derive(Clone)]
struct Gate {
    told: mpsc::UnboundedSender<(&'static str, u64)>,
    open: Arc<Semaphore>,
    working: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

struct Inside {
    gate: Gate,
    n: u64,
}

impl Gate {
    fn new() -> (Self, mpsc::UnboundedReceiver<(&'static str, u64)>) {
        let (told, heard) = mpsc::unbounded_channel();
        let gate = Self {
            told,
            open: Arc::new(Semaphore::new(0)),
            working: Arc::default(),
            most: Arc::default(),
        };
        (gate, heard)
    }

    fn tell(&self, what: &'static str, n: u64) {
        // Whoever listens may be gone at the end of a test.
        let _ = self.told.send((what, n));
    }

    fn enter(&self, n: u64) -> Inside {
        let working = self.working.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(working, Ordering::SeqCst);
        self.tell("begun", n);
        let gate = self.clone();
        Inside { gate, n }
    }

    async fn handle(self, request: ServerRequest) -> Answer {
        let inside = self.enter(number(&request));
        self.open.acquire().await.expect("never closed").forget();
        Ok(json!({"n": inside.n}))
    }

    fn on(&self, connect: Connect) -> Connect {
        let gate = self.clone();
        connect.on_request(METHOD, move |request| gate.clone().handle(request))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.gate.working.fetch_sub(1, Ordering::SeqCst);
        self.gate.tell("dropped", self.n);
    }
}

#[tokio::test(start_paused = true)]
async fn answered_while_a_call_waits() {
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| {
        connect
            .on_request(METHOD, echo)
            .on_request("roots/list", |request| async move {
                assert_eq!(request.method, "roots/list");
                assert!(request.params.is_none());
                Ok(json!({"roots": []}))
            })
            .on_request("vendor/no", |_| async {
                Err(ErrorObject::new(-32042, "not today"))
            })
    })
    .await;
    let mut seen = Vec::new();
    let call = client.call_tool("t", json!({}));
    let call = call.on_progress(|update| seen.push(update.progress));
    let served = async {
        let request = peer.next().await;
        peer.update(&request, 1).await;
        // The id comes back exactly as it was, also where one of our requests has the same.
        for id in [
            json!("a \"b\""),
            json!(7),
            json!("7"),
            request["id"].clone(),
        ] {
            peer.send(&ask(id.clone(), 3)).await;
            let reply = peer.next().await;
            assert_eq!(
                reply,
                json!({"jsonrpc": "2.0", "id": id, "result": {"n": 3}})
            );
        }
        peer.send(&json!({"jsonrpc": "2.0", "id": 8, "method": "roots/list"}))
            .await;
        assert_eq!(peer.next().await["result"], json!({"roots": []}));
        peer.send(&json!({"jsonrpc": "2.0", "id": 9, "method": "vendor/no"}))
            .await;
        assert_refused(&peer.next().await, 9, -32042, "not today");
        peer.update(&request, 2).await;
        peer.answer(&request, done()).await;
    };
    let (result, ()) = tokio::join!(call.into_future(), served);
    result.expect("a result");
    assert_eq!(seen, [1.0, 2.0]);
    assert_eq!(client.stats().diagnostics(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_method_without_a_handler_is_refused_and_ping_needs_none() {
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| {
        connect
            .on_request(METHOD, echo)
            .on_request("ping", |_| async { Ok(json!({"not": "asked"})) })
    })
    .await;
    peer.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "vendor/other"}))
        .await;
    assert_refused(&peer.next().await, 1, -32601, "vendor/other");
    assert_eq!(unserved(&client), 1);
    peer.send(&json!({"jsonrpc": "2.0", "id": 2, "method": "ping"}))
        .await;
    assert_eq!(
        peer.next().await,
        json!({"jsonrpc": "2.0", "id": 2, "result": {}})
    );
    assert_eq!(client.stats().diagnostics(), 1);
}

#[tokio::test(start_paused = true)]
async fn few_run_at_once_some_wait_and_the_rest_is_refused() {
    let (gate, mut heard) = Gate::new();
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| gate.on(connect)).await;
    let more = 5;
    for id in 0..OPEN + more {
        peer.send(&ask(id, id as u64)).await;
    }
    for id in OPEN..OPEN + more {
        assert_refused(&peer.next().await, id, -32603, "too many");
    }
    assert_eq!(unserved(&client), more as u64);
    settle().await;
    for n in 0..AT_ONCE as u64 {
        assert_eq!(heard.try_recv(), Ok(("begun", n)));
    }
    assert!(heard.try_recv().is_err(), "no other has begun");

    // One place is free again, and only one.
    gate.open.add_permits(1);
    peer.next().await;
    peer.send(&ask("in", 1_000)).await;
    peer.send(&ask("out", 1_001)).await;
    assert_refused(&peer.next().await, "out", -32603, "too many");

    gate.open.add_permits(OPEN);
    let mut answered = BTreeSet::new();
    for _ in 0..OPEN {
        let reply = peer.next().await;
        answered.insert(reply["result"]["n"].as_u64().expect("an answer"));
    }
    let mut expected: BTreeSet<u64> = (0..OPEN as u64).chain([1_000]).collect();
    // The first that began was let go first.
    assert!(expected.remove(&0));
    assert_eq!(answered, expected);
    assert_eq!(gate.most.load(Ordering::SeqCst), AT_ONCE);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_its_answers_is_refused_more() {
    let (client, mut peer) = Peer::connect_with(1 << 12, |connect| {
        connect.on_request(METHOD, |request| async move {
            // Larger than what the pipe holds.
            Ok(json!({"n": number(&request), "text": "x".repeat(10_000)}))
        })
    })
    .await;
    let asked = 120_u64;
    for id in 0..asked {
        peer.send(&ask(id, id)).await;
        settle().await;
        assert!(client.stats().queued_frames as u64 <= id + 1);
    }
    let mut answered = BTreeSet::new();
    let mut refused = 0;
    for _ in 0..asked {
        let reply = peer.next().await;
        if reply.get("error").is_some() {
            assert_eq!(reply["error"]["code"], -32603);
            refused += 1;
        }
        assert!(answered.insert(reply["id"].as_u64().expect("an id of ours")));
    }
    assert_eq!(answered.len() as u64, asked);
    assert_eq!(unserved(&client), refused);
    // One was being written when the queue filled.
    assert_eq!(asked - refused, OPEN as u64 + 1);
    // All is written: there is room again.
    peer.send(&ask("again", 1)).await;
    assert_eq!(peer.next().await["result"]["n"], 1);
}

#[tokio::test(start_paused = true)]
async fn the_server_cancels_what_waits_and_what_is_at_work() {
    let (gate, mut heard) = Gate::new();
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| gate.on(connect)).await;
    for id in 0..AT_ONCE + 2 {
        peer.send(&ask(id, id as u64)).await;
    }
    settle().await;
    for n in 0..AT_ONCE as u64 {
        assert_eq!(heard.try_recv(), Ok(("begun", n)));
    }
    // The last waits; an id in the other JSON type is another id.
    peer.send(&cancelled(AT_ONCE + 1)).await;
    peer.send(&cancelled("4")).await;
    peer.send(&cancelled(3)).await;
    settle().await;
    assert_eq!(heard.try_recv(), Ok(("dropped", 3)));
    // Its place goes to the one that waits and is still wanted.
    assert_eq!(heard.try_recv(), Ok(("begun", AT_ONCE as u64)));
    assert!(heard.try_recv().is_err());

    gate.open.add_permits(OPEN);
    let mut answered = BTreeSet::new();
    for _ in 0..AT_ONCE {
        answered.insert(peer.next().await["id"].as_u64().expect("an id of ours"));
    }
    let mut expected: BTreeSet<u64> = (0..=AT_ONCE as u64).collect();
    expected.remove(&3);
    assert_eq!(answered, expected);

    // Over, cancelled or never there: nothing happens, and nothing more is sent.
    for id in [0, 3, 99] {
        peer.send(&cancelled(id)).await;
    }
    settle().await;
    assert_eq!(client.stats().diagnostics(), 0);
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_panics_or_gives_no_object_is_answered_for() {
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| {
        let connect = connect.on_request("vendor/early", |request| {
            assert!(request.params.is_some(), "before there is a future");
            async { Ok(json!({})) }
        });
        let connect = connect.on_request("vendor/late", |request| async move {
            tokio::task::yield_now().await;
            assert!(request.params.is_some(), "secret: {}", request.method);
            Ok(json!({}))
        });
        connect
            .on_request("vendor/list", |_| async { Ok(json!([1])) })
            .on_request(METHOD, echo)
    })
    .await;
    for (id, method, text) in [
        (1, "vendor/early", "panicked"),
        (2, "vendor/late", "panicked"),
        (3, "vendor/list", "no JSON object"),
    ] {
        peer.send(&json!({"jsonrpc": "2.0", "id": id, "method": method}))
            .await;
        let reply = peer.next().await;
        assert_refused(&reply, id, -32603, text);
        assert!(!reply.to_string().contains("secret"));
        peer.send(&ask(id, 5)).await;
        assert_eq!(peer.next().await["result"], json!({"n": 5}));
    }
    assert!(!client.is_closed());
}

#[tokio::test(start_paused = true)]
async fn handlers_end_with_the_connection() {
    // By closing, by dropping the client, and by the server.
    for way in ["close", "drop", "server"] {
        let (gate, mut heard) = Gate::new();
        let (client, mut peer) = Peer::connect_with(1 << 16, |connect| gate.on(connect)).await;
        for id in 0..AT_ONCE as u64 + 3 {
            peer.send(&ask(id, id)).await;
        }
        settle().await;
        for n in 0..AT_ONCE as u64 {
            assert_eq!(heard.try_recv(), Ok(("begun", n)));
        }
        let kept = gate.open.clone();
        drop(gate);
        let mut client = Some(client);
        match way {
            "close" => {
                client.as_ref().expect("is there").close().await;
                assert_eq!(peer.rest().await, Vec::<Value>::new());
            }
            "drop" => {
                client = None;
                assert_eq!(peer.rest().await, Vec::<Value>::new());
            }
            _ => drop(peer),
        }
        let mut dropped = BTreeSet::new();
        let gone = timeout(Duration::from_secs(60), async {
            while dropped.len() < AT_ONCE {
                let (what, n) = heard.recv().await.expect("one more");
                assert_eq!(what, "dropped", "none of those that waited begins");
                dropped.insert(n);
            }
            // Only the client itself and the task hold the other ends: the channel closes when both are gone.
            drop(client);
            assert_eq!(heard.recv().await, None, "none of those that waited begins");
        });
        gone.await
            .unwrap_or_else(|_| panic!("{way}: handlers are left"));
        assert_eq!(dropped, (0..AT_ONCE as u64).collect(), "{way}");
        assert_eq!(kept.available_permits(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_delays_neither_updates_nor_results() {
    let (client, mut peer) = Peer::connect_with(1 << 16, |connect| {
        connect.on_request(METHOD, |request| async move {
            tokio::time::sleep(Duration::from_secs(60)).await;
            echo(request).await
        })
    })
    .await;
    let began = now();
    let call = client.call_tool("t", json!({}));
    let mut seen = Vec::new();
    let call = call.on_progress(|update| seen.push((update.progress, update.merged)));
    let served = async {
        let request = peer.next().await;
        for step in 1..=200 {
            // Beyond what may be open at once.
            peer.send(&ask(step, 1)).await;
            peer.update(&request, step).await;
        }
        peer.answer(&request, done()).await;
        peer
    };
    let (result, mut peer) = tokio::join!(call.into_future(), served);
    result.expect("a result");
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(
        seen,
        (1..=200).map(|n| (f64::from(n), 0)).collect::<Vec<_>>()
    );

    // Those that had to wait are answered in turns of a minute.
    let replies = spawn(async move {
        let mut replies = Vec::new();
        while replies.len() < 200 {
            replies.push(peer.next().await);
        }
        (replies, peer)
    });
    let (replies, _peer) = replies.await.expect("no panic");
    let answers = replies.iter().filter(|reply| reply.get("result").is_some());
    assert_eq!(answers.count(), OPEN);
    let turns = u32::try_from(OPEN / AT_ONCE).expect("few");
    assert_eq!(began.elapsed().as_secs(), u64::from(turns) * 60);
}

#[tokio::test(start_paused = true)]
async fn a_modern_server_gets_no_answer() {
    let (io, mut peer) = Peer::pair(1 << 16);
    let connect = Client::connect(io).protocol(ProtocolVersion::V2026_07_28);
    let connect = connect.on_request(METHOD, |request| async move {
        panic!("{} is served", request.method)
    });
    let (client, ()) = tokio::join!(connect.into_future(), async {
        let request = peer.next().await;
        assert_eq!(request["method"], "server/discover");
        let versions = ["2026-07-28"];
        let result =
            json!({"supportedVersions": versions, "capabilities": {}, "resultType": "complete"});
        peer.answer(&request, result).await;
    });
    let client = client.expect("connects");
    peer.send(&ask(1, 1)).await;
    peer.send(&cancelled(1)).await;
    settle().await;
    assert_eq!(unserved(&client), 1);
    client.close().await;
    assert_eq!(peer.rest().await, Vec::<Value>::new());
}

#[tokio::test]
async fn over_http_the_answer_is_posted() {
    let server = ScriptedServer::new().tool("t", |_| {
        Script::new()
            .progress(1, 2)
            .raw(ask("a", 3).to_string())
            .progress(2, 2)
            .text("done")
    });
    let log = server.log();
    let listening = server.http().bind("127.0.0.1:0").await.expect("an address");
    let streamable = HttpEndpoint::new(listening.url());
    let events = HttpEndpoint::new(listening.sse_url()).sse();
    spawn(listening.serve());
    let mut asked = 0;
    for (endpoint, version) in [
        (&streamable, ProtocolVersion::V2025_11_25),
        (&streamable, ProtocolVersion::V2025_06_18),
        (&streamable, ProtocolVersion::V2025_03_26),
        (&events, ProtocolVersion::V2024_11_05),
    ] {
        let connect = Client::connect(endpoint.clone()).protocol(version);
        let client = connect
            .on_request(METHOD, echo)
            .await
            .expect("the handshake");
        let mut seen = Vec::new();
        let call = client.call_tool("t", json!({}));
        let call = call.on_progress(|update| seen.push(update.progress));
        call.await.expect("a result");
        assert_eq!(seen, [1.0, 2.0], "{version}");
        // Closing waits for an answer that is on its way.
        settle().await;
        client.close().await;
        asked += 1;
        let messages = log.messages();
        let replies = messages.iter().filter(|message| message.method().is_none());
        let replies: Vec<_> = replies.map(|reply| reply.value().clone()).collect();
        assert_eq!(replies.len(), asked, "{version}: {messages:?}");
        assert_eq!(
            replies[asked - 1],
            json!({"jsonrpc": "2.0", "id": "a", "result": {"n": 3}})
        );
        assert_eq!(client.stats().diagnostics(), 0);
    }
}

/// A server over HTTP, by hand, that asks so many things during a call, and takes the answers only when let to.
struct Asking {
    asked: u64,
    /// The answers that it has.
    posted: watch::Sender<Vec<Value>>,
    takes: Semaphore,
}

impl Asking {
    async fn serve(self: Arc<Self>, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            spawn(async move { server.connection(BufReader::new(stream)).await });
        }
    }

    /// One connection, until the client closes it.
    async fn connection(&self, mut stream: BufReader<TcpStream>) -> Option<()> {
        loop {
            let message = Self::message(&mut stream).await?;
            let id = message["id"].clone();
            let (head, body) = match message["method"].as_str() {
                None => {
                    self.posted.send_modify(|posted| posted.push(message));
                    self.takes.acquire().await.ok()?.forget();
                    ("202 Accepted", String::new())
                }
                Some("initialize") => {
                    let result = initialized("2025-11-25");
                    let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
                    (
                        "200 OK\r\ncontent-type: application/json",
                        answer.to_string(),
                    )
                }
                Some("tools/call") => {
                    let answer = json!({"jsonrpc": "2.0", "id": id, "result": done()});
                    let asked = (0..self.asked).map(|n| ask(n, n));
                    let events = asked
                        .chain([answer])
                        .map(|message| format!("data: {message}\n\n"));
                    (
                        "200 OK\r\ncontent-type: text/event-stream",
                        events.collect(),
                    )
                }
                Some("none") => ("405 Method Not Allowed", String::new()),
                Some(_) => ("202 Accepted", String::new()),
            };
            let length = body.len();
            let text = format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(text.as_bytes()).await.ok()?;
        }
    }

    /// The body of the next request, or something else where it has none.
    async fn message(stream: &mut BufReader<TcpStream>) -> Option<Value> {
        let mut length = 0;
        let mut line = String::new();
        while stream.read_line(&mut line).await.ok()? > 0 && line.trim() != "" {
            if let Some(("content-length", value)) = line.to_lowercase().split_once(": ") {
                length = value.trim().parse().ok()?;
            }
            line.clear();
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        Some(serde_json::from_slice(&body).unwrap_or_else(|_| json!({"method": "none"})))
    }
}

#[tokio::test]
async fn over_http_few_answers_are_posted_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("an address");
    let address = listener.local_addr().expect("an address");
    let server = Arc::new(Asking {
        asked: 500,
        posted: watch::Sender::new(Vec::new()),
        takes: Semaphore::new(0),
    });
    let mut posted = server.posted.subscribe();
    spawn(server.clone().serve(listener));
    let connect = Client::http(format!("http://{address}/mcp"));
    let connect = connect.protocol(ProtocolVersion::V2025_11_25);
    let client = connect.on_request(METHOD, echo).await.expect("connects");
    client.call_tool("t", json!({})).await.expect("a result");
    posted
        .wait_for(|posted| posted.len() >= 16)
        .await
        .expect("it serves");
    // The others wait, those that were refused among them, and more would be refused.
    settle().await;
    assert_eq!(client.stats().queued_frames, 500 - 16);
    assert_eq!(posted.borrow().len(), 16);
    let refused = unserved(&client);
    assert!(
        refused >= 500 - OPEN as u64 - 16,
        "{refused} were refused of 500"
    );

    server.takes.add_permits(500);
    let all = posted.wait_for(|posted| posted.len() == 500).await;
    let all = all.expect("it serves");
    let ids: BTreeSet<_> = all
        .iter()
        .filter_map(|reply| reply["id"].as_u64())
        .collect();
    assert_eq!(ids, (0..500).collect());
    let errors = all.iter().filter(|reply| reply.get("error").is_some());
    assert_eq!(errors.count() as u64, refused);
}
