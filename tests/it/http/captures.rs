//! What real servers put on the wire, served again byte for byte.
//!
//! `replies.jsonl` holds the reply to one call of each server over Streamable HTTP, `streams.jsonl` the event stream of
//! each over HTTP+SSE, `refusals.jsonl` the refusals of all. Only ids and dates were replaced.

use std::sync::{Arc, Mutex};

use mcp_progress::{DiagnosticKind, ErrorKind, ProtocolVersion};
use serde_json::{Value, json};

use super::calls::{assert_idle, count, text, values};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, handshake, modern, result};
use crate::peer::initialized;

fn lines(text: &'static str) -> impl Iterator<Item = Value> {
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
}

/// The captured call had the id 101, or 100 over HTTP+SSE, and the token 7.
fn of_this_call(part: &Value, got: &Got) -> String {
    let (id, token) = (got.json["id"].to_string(), got.token().to_string());
    part.as_str()
        .expect("a text")
        .replace("\"id\":101", &format!("\"id\":{id}"))
        .replace("\"id\":100", &format!("\"id\":{id}"))
        .replace("\"progressToken\":7", &format!("\"progressToken\":{token}"))
}

fn parts(capture: &Value) -> Vec<Value> {
    capture.as_array().expect("parts").clone()
}

fn captured(capture: &Value, got: &Got) -> Reply {
    let status = capture["status"].as_u64().expect("a status");
    let mut reply = Reply::status(status.try_into().expect("three digits"));
    for header in parts(&capture["headers"]) {
        let text = |at: usize| header[at].as_str().expect("a text").to_owned();
        reply = reply.header(&text(0), text(1));
    }
    if capture["chunked"] == true {
        reply = reply.chunked();
    }
    for part in parts(&capture["parts"]) {
        reply = reply.part(of_this_call(&part, got));
    }
    reply
}

/// What the captured call brought: 1, 2, 3; less where the server thins or drops progress.
fn expected(server: &str) -> Vec<f64> {
    match server.split(' ').next().expect("a name") {
        "pmcp" => vec![1.0, 3.0],
        "py1-json" | "py2-json" | "fastmcp4-json" | "ts1-json" => Vec::new(),
        "ts2-json" if server.ends_with("modern") => Vec::new(),
        _ => vec![1.0, 2.0, 3.0],
    }
}

/// Quirks 4, 5, 11, 12, 13, 22 to 25.
async fn replay(change: fn(Reply) -> Reply) {
    for capture in lines(include_str!("replies.jsonl")) {
        let name = capture["server"].as_str().expect("a name").to_owned();
        if capture.get("get").is_some() {
            continue;
        }
        let play =
            move |got: &Got| (got.kind() == "tools/call").then(|| change(captured(&capture, got)));
        let (server, version) = if name.ends_with("modern") {
            (Server::modern(play).await, ProtocolVersion::V2026_07_28)
        } else {
            (Server::handshake(play).await, ProtocolVersion::V2025_11_25)
        };
        let client = server.connect().await;
        assert_eq!(client.server().protocol_version, version, "{name}");
        let (updates, result) = count(&client).await;
        let result = result.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(values(&updates), expected(&name), "{name}");
        let said = text(&result);
        assert!(
            said.contains("counted 3") || said.contains("Steps: 3"),
            "{name}: {said}"
        );
        assert!(
            updates
                .iter()
                .all(|update| !update.gap && !update.by_stream)
        );
        assert_eq!(client.stats().diagnostics(), 0, "{name}");
        assert_idle(&client);
    }
}

#[tokio::test]
async fn every_servers_reply_is_read() {
    replay(|reply| reply).await;
}

#[tokio::test]
async fn every_servers_reply_is_read_in_one_piece() {
    replay(Reply::glued).await;
}

#[tokio::test]
async fn every_servers_reply_is_read_byte_by_byte() {
    replay(Reply::trickled).await;
}

/// Quirk 26.
#[tokio::test]
async fn a_call_that_is_answered_202_is_answered_on_the_servers_own_stream() {
    let capture = lines(include_str!("replies.jsonl"))
        .find(|capture| capture.get("get").is_some())
        .expect("one server does it");
    let called = Gate::new();
    let call: Arc<Mutex<Option<Got>>> = Arc::default();
    let server = Server::handshake({
        let (called, call) = (called.clone(), call.clone());
        move |got| match got.kind() {
            "GET" => {
                // Only the second stream brings the answer, since then the call is known.
                let known = call.lock().expect("not poisoned").clone();
                let Some(known) = known else {
                    return Some(
                        Reply::sse()
                            .part(": here\n\n")
                            .part("retry: 10\n\n")
                            .gate(&called),
                    );
                };
                let answers = parts(&capture["get"]);
                let write = |reply: Reply, part| reply.part(of_this_call(part, &known));
                Some(answers.iter().fold(Reply::sse(), write).hold())
            }
            "tools/call" => {
                *call.lock().expect("not poisoned") = Some(got.clone());
                called.open();
                Some(captured(&capture, got))
            }
            _ => None,
        }
    })
    .await;
    let client = server.connect().await;
    server.request("GET", 0).await;
    let (updates, result) = count(&client).await;
    assert_eq!(values(&updates), [1.0, 3.0]);
    assert!(text(&result.expect("it comes")).contains("counted 3"));
    assert_idle(&client);
}

/// Quirk 34, and the event stream of every server that has one.
#[tokio::test]
async fn every_servers_event_stream_is_read() {
    for capture in lines(include_str!("streams.jsonl")) {
        let name = capture["server"].as_str().expect("a name").to_owned();
        let (initialize, called) = (Gate::new(), Gate::new());
        let call: Arc<Mutex<Option<Got>>> = Arc::default();
        let server = Server::new({
            let (initialize, called) = (initialize.clone(), called.clone());
            move |got| match (got.kind(), &*got.path) {
                ("GET", _) => event_stream(&capture, &initialize, &called),
                // A server of that revision takes nothing at the address of its stream.
                (_, "/mcp") => Reply::with(404, "text/html", "<html>Cannot POST /mcp</html>"),
                ("initialize", path) => {
                    assert!(
                        path.starts_with("/message") && path.contains("ession"),
                        "{path}"
                    );
                    initialize.open();
                    Reply::with(202, "", "Accepted")
                }
                ("tools/call", _) => {
                    *call.lock().expect("not poisoned") = Some(got.clone());
                    called.open();
                    Reply::with(202, "", "Accepted")
                }
                _ => Reply::with(202, "", "Accepted"),
            }
        })
        .await;
        let client = server.connect().await;
        let version = client.server().protocol_version;
        assert_eq!(version, ProtocolVersion::V2024_11_05, "{name}");
        // The captured stream answers the request with the id that a client of this crate gives its fourth: the probe
        // and `initialize` twice come before it. Its token is that of the capture.
        let mut call = client
            .call_tool("count", json!({"steps": 3}))
            .progress_token(7)
            .start();
        assert_eq!(call.request_id(), Some(4), "{name}");
        let mut updates = Vec::new();
        while let Some(update) = call.next().await {
            updates.push(update);
        }
        let result = call.await.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(values(&updates), [1.0, 2.0, 3.0], "{name}");
        assert!(text(&result).contains('3'), "{name}");
        assert_eq!(client.stats().diagnostics(), 0, "{name}");
        assert_idle(&client);
    }
}

fn event_stream(capture: &Value, initialize: &Gate, called: &Gate) -> Reply {
    let line = if capture["endpoint"].as_str().expect("a text").contains('\r') {
        "\r\n"
    } else {
        "\n"
    };
    let answer = json!({"jsonrpc": "2.0", "id": 3, "result": initialized("2024-11-05")});
    let begun = Reply::status(200)
        .header("content-type", capture["content"].as_str().expect("a text"))
        .chunked()
        .part(capture["endpoint"].as_str().expect("a text"))
        .gate(initialize)
        .part(format!("event: message{line}data: {answer}{line}{line}"))
        .gate(called);
    let parts = parts(&capture["parts"]);
    parts
        .iter()
        .map(|part| part.as_str().expect("a text"))
        .map(|part| part.replace("\"id\":100", "\"id\":4"))
        .fold(begun, Reply::part)
        .hold()
}

/// Quirks 21, 31, 32 and 33: each refusal as the answer to a call ends that call, with its status and what it says.
#[tokio::test]
async fn every_refusal_ends_its_call_and_says_why() {
    for capture in lines(include_str!("refusals.jsonl")) {
        let name = format!("{} {}", capture["server"], capture["test"]);
        let (status, body) = (capture["status"].clone(), capture["body"].clone());
        let body = body.as_str().expect("a text").to_owned();
        let refused = captured_refusal(&capture);
        let play = move |got: &Got| (got.kind() == "tools/call").then(|| refused.clone());
        // Without a session, so that a 404 is a refusal like others.
        let server = Server::new(move |got| {
            play(got).unwrap_or_else(|| match got.kind() {
                "initialize" => Reply::json(&result(got, &initialized("2025-11-25"))),
                "server/discover" if capture["server"].as_str().is_some_and(is_modern) => {
                    modern(got)
                }
                _ => handshake(got),
            })
        })
        .await;
        let client = server.connect().await;
        let (updates, result) = count(&client).await;
        let error = result.expect_err("refused");
        assert!(updates.is_empty());
        assert_eq!(
            error.status().map(Value::from),
            Some(status),
            "{name}: {error}"
        );
        let rpc = serde_json::from_str::<Value>(&body)
            .ok()
            .filter(|body| body["error"].is_object());
        match rpc {
            Some(body) => {
                assert_eq!(error.kind(), ErrorKind::Rpc, "{name}: {error}");
                let rpc = error.as_rpc().expect("the server's object");
                assert_eq!(Value::from(rpc.code), body["error"]["code"], "{name}");
            }
            None => {
                assert_eq!(error.kind(), ErrorKind::Http, "{name}: {error}");
                let first = body.split_whitespace().next().unwrap_or_default();
                assert!(error.to_string().contains(first), "{name}: {error}");
            }
        }
        assert_eq!(
            client.stats().count(DiagnosticKind::ForeignResponse),
            0,
            "{name}"
        );
        assert_idle(&client);
    }
}

fn is_modern(server: &str) -> bool {
    server.ends_with("modern")
}

fn captured_refusal(capture: &Value) -> Reply {
    let status = capture["status"].as_u64().expect("a status");
    let media = capture["type"].as_str().unwrap_or_default();
    let body = capture["body"].as_str().expect("a text");
    Reply::with(status.try_into().expect("three digits"), media, body)
}

/// Every refusal of a legacy server, as the answer to the probe, leads to the handshake.
#[tokio::test]
async fn every_refusal_of_the_probe_by_a_legacy_server_leads_to_the_handshake() {
    for capture in lines(include_str!("refusals.jsonl")) {
        let personal = [401, 403].map(Value::from).contains(&capture["status"]);
        if is_modern(capture["server"].as_str().expect("a name")) || personal {
            continue;
        }
        let refused = captured_refusal(&capture);
        let play = move |got: &Got| {
            // Quirk 21: a session id on a refusal means nothing.
            (got.kind() == "server/discover")
                .then(|| refused.clone().header("Mcp-Session-Id", "not-a-session"))
        };
        let server = Server::handshake(play).await;
        let client = server.connect().await;
        let version = client.server().protocol_version;
        assert_eq!(version, ProtocolVersion::V2025_11_25, "{capture}");
        let (_, result) = count(&client).await;
        result.expect("it works");
        let seen = server.seen();
        assert_eq!(seen.all("initialize").len(), 1, "{capture}");
        let initialize = &seen.all("initialize")[0];
        assert_eq!(initialize.header("mcp-session-id"), None, "{capture}");
        assert_eq!(initialize.header("mcp-protocol-version"), None, "{capture}");
        let call = &seen.all("tools/call")[0];
        assert_eq!(
            call.header("mcp-session-id"),
            Some("session-0"),
            "{capture}"
        );
    }
}
