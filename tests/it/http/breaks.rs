//! Replies of a modern server that break off, and calls that are sent again.
//!
//! Revision 2026-07-28 has no resumption: the outcome is unknown, and only who calls may say that it may be done twice.

use mcp_progress::{Client, DiagnosticKind, ErrorKind, Progress};
use serde_json::{Value, json};

use super::calls::{assert_idle, count, values, within};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, answer, result, step};

fn post(got: &Got) -> bool {
    got.kind() == "tools/call"
}

/// The ways in which a reply breaks off after one update.
fn breaks(got: &Got, way: usize) -> Reply {
    let begun = Reply::sse().event(&step(got, 1));
    match way {
        0 => begun,
        1 => begun.cut(),
        2 => begun.part("data: {\"jsonrpc\":\"2.0\",\"id\":").cut(),
        // An unfinished event is not taken for a message.
        _ => begun.part("data: {\"jsonrpc\":\"2.0\",\"id\":"),
    }
}

async fn started(call: mcp_progress::Request<mcp_progress::model::CallToolResult>) -> Outcome {
    let mut call = call.start();
    let id = call.request_id();
    let mut updates = Vec::new();
    while let Some(update) = within(call.next()).await {
        updates.push(update);
    }
    let last = call.request_id();
    Outcome {
        updates,
        ids: [id, last],
        result: call.await.map(drop),
    }
}

struct Outcome {
    updates: Vec<Progress>,
    ids: [Option<i64>; 2],
    result: mcp_progress::Result<()>,
}

#[tokio::test]
async fn a_reply_that_breaks_off_ends_the_call_which_is_not_sent_again() {
    for way in 0..4 {
        for modern in [true, false] {
            let play = move |got: &Got| post(got).then(|| breaks(got, way));
            let server = if modern {
                Server::modern(play).await
            } else {
                Server::handshake(play).await
            };
            let client = server.connect().await;
            let (updates, result) = within(count(&client)).await;
            let error = result.expect_err("it broke off");
            assert_eq!(values(&updates), [1.0]);
            assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{way}: {error}");
            let said = error.to_string();
            assert!(said.contains("unknown"), "{way}: {said}");
            assert_eq!(error.last_update().map(|update| update.progress), Some(1.0));
            assert_eq!(server.seen().all("tools/call").len(), 1, "{way}");
            assert_idle(&client);
            // The connection is one of many: others go on.
            within(client.list_tools().into_future())
                .await
                .expect_err("no tools here");
            assert!(!client.is_closed());
        }
    }
}

#[tokio::test]
async fn no_answer_at_all_ends_the_call() {
    for modern in [true, false] {
        let play = |got: &Got| post(got).then(Reply::none);
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let client = server.connect().await;
        let error = within(count(&client)).await.1.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains("unknown"), "{error}");
        assert_idle(&client);
    }
}

#[tokio::test]
async fn a_json_reply_that_is_cut_off_ends_the_call() {
    let server = Server::modern(|got| {
        let cut = || {
            let reply = Reply::status(200).header("content-type", "application/json");
            reply.chunked().part("{\"jsonrpc\":\"2.0\",").cut()
        };
        post(got).then(cut)
    })
    .await;
    let client = server.connect().await;
    let error = within(count(&client)).await.1.expect_err("it broke off");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_idle(&client);
}

#[tokio::test]
async fn a_call_that_may_be_sent_again_goes_on_with_a_gap() {
    for way in 0..4 {
        let server = Server::modern(move |got| {
            post(got).then(|| match got.nth {
                0 => breaks(got, way),
                _ => Reply::sse()
                    .event(&step(got, 2))
                    .event(&step(got, 3))
                    .event(&answer(got)),
            })
        })
        .await;
        let client = server.connect().await;
        let request = client.call_tool("count", json!({"steps": 3}));
        let outcome = started(request.reissue(1)).await;
        outcome.result.expect("a result");
        assert_eq!(values(&outcome.updates), [1.0, 2.0, 3.0], "{way}");
        let gaps: Vec<_> = outcome.updates.iter().map(|update| update.gap).collect();
        assert_eq!(gaps, [false, true, false], "{way}");
        let seqs: Vec<_> = outcome.updates.iter().map(|update| update.seq).collect();
        assert_eq!(seqs, [1, 2, 3], "{way}");
        let posts = server.seen().all("tools/call");
        assert_eq!(posts.len(), 2);
        assert_ne!(posts[0].json["id"], posts[1].json["id"]);
        let ids = outcome.ids.map(|id| id.map(Value::from));
        assert_eq!(
            ids,
            [0, 1].map(|nth: usize| Some(posts[nth].json["id"].clone()))
        );
        // But for the id it is the same request.
        let mut again = posts[1].json.clone();
        again["id"] = posts[0].json["id"].clone();
        assert_eq!(again, posts[0].json);
        assert_eq!(client.stats().count(DiagnosticKind::Resumed), 1);
        assert_idle(&client);
    }
}

#[tokio::test]
async fn a_call_is_sent_again_as_often_as_allowed_and_no_more() {
    let server = Server::modern(|got| post(got).then(|| breaks(got, 1))).await;
    let client = server.connect().await;
    let request = client.call_tool("count", json!({})).reissue(2);
    let outcome = started(request).await;
    let error = outcome.result.expect_err("it broke off three times");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_eq!(values(&outcome.updates), [1.0, 1.0, 1.0]);
    let posts = server.seen().all("tools/call");
    assert_eq!(posts.len(), 3);
    assert_eq!(
        error.request_id().map(Value::from),
        Some(posts[2].json["id"].clone())
    );
    assert_idle(&client);
}

/// What the server refuses is not sent again: it was answered.
#[tokio::test]
async fn a_refusal_is_no_break() {
    for status in [400, 404, 500, 503] {
        let server = Server::modern(move |got| {
            post(got).then(|| Reply::with(status, "text/event-stream", ""))
        })
        .await;
        let client = server.connect().await;
        let request = client.call_tool("count", json!({})).reissue(3);
        let error = started(request).await.result.expect_err("refused");
        assert_eq!(error.status(), Some(status), "{error}");
        assert_eq!(server.seen().all("tools/call").len(), 1, "{status}");
    }
}

/// The answer to the first id comes after all, on the stream of the second: it is late.
#[tokio::test]
async fn the_first_legs_answer_is_late_on_the_second() {
    let server = Server::modern(|got| {
        post(got).then(|| match got.nth {
            0 => breaks(got, 1),
            _ => {
                let mut late = answer(got);
                late["id"] = json!(got.json["id"].as_i64().expect("an integer") - 1);
                Reply::sse().event(&late).event(&answer(got))
            }
        })
    })
    .await;
    let client = server.connect().await;
    let request = client.call_tool("count", json!({})).reissue(1);
    started(request).await.result.expect("a result");
    assert_eq!(client.stats().count(DiagnosticKind::LateResponse), 1);
}

fn tools(got: &Got) -> Value {
    let tool = |name: &str, hints: Value| json!({"name": name, "inputSchema": {"type": "object"}, "annotations": hints});
    let tools = json!([
        tool("reads", json!({"readOnlyHint": true})),
        tool("repeats", json!({"idempotentHint": true})),
        tool("writes", json!({"readOnlyHint": false, "idempotentHint": false})),
        {"name": "unknown", "inputSchema": {"type": "object"}},
    ]);
    result(
        got,
        &json!({"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
    )
}

/// How often each tool is called where its reply breaks off every time.
async fn posts(client: &Client, server: &Server) -> Vec<usize> {
    let names = ["reads", "repeats", "writes", "unknown"];
    let calls = names.map(|name| client.call_tool(name, json!({})).into_future());
    for outcome in within(futures::future::join_all(calls)).await {
        let error = outcome.expect_err("it broke off");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    }
    let posts = server.seen().all("tools/call");
    let of = |name: &str| posts.iter().filter(|got| got.tool() == name).count();
    names.map(of).to_vec()
}

#[tokio::test]
async fn tools_that_are_declared_safe_are_called_again_where_the_client_allows_it() {
    for (allowed, listed, expected) in [
        (true, true, [4, 4, 1, 1]),
        (true, false, [1, 1, 1, 1]),
        (false, true, [1, 1, 1, 1]),
    ] {
        let server = Server::modern(|got| match got.kind() {
            "tools/list" => Some(Reply::json(&tools(got))),
            "tools/call" => Some(breaks(got, 1)),
            _ => None,
        })
        .await;
        let connecting = server.connecting().reissue_safe_tools(allowed);
        let client = connecting.await.expect("connects");
        if listed {
            client.list_tools().await.expect("tools");
        }
        let posts = posts(&client, &server).await;
        assert_eq!(posts, expected, "allowed {allowed}, listed {listed}");
        assert_idle(&client);
    }
}

/// The handshake revisions take a stream up again or not at all.
#[tokio::test]
async fn a_handshake_call_is_never_sent_again() {
    let server = Server::handshake(|got| post(got).then(|| breaks(got, 1))).await;
    let connecting = server.connecting().reissue_safe_tools(true);
    let client = connecting.await.expect("connects");
    let request = client.call_tool("count", json!({})).reissue(3);
    let error = started(request).await.result.expect_err("it broke off");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_eq!(server.seen().all("tools/call").len(), 1);
}

/// A call that is cancelled while it waits to be sent again is not.
#[tokio::test]
async fn a_cancelled_call_is_not_sent_again() {
    let server = Server::modern(|got| post(got).then(|| breaks(got, 1))).await;
    let client = server.connect().await;
    let mut call = client.call_tool("count", json!({})).reissue(1).start();
    within(call.next()).await.expect("an update");
    // The reply has broken off, and half a second goes by before the call is sent again.
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert!(call.canceller().cancel("enough"));
    let error = call.await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_idle(&client);
    tokio::time::sleep(std::time::Duration::from_millis(800)).await;
    assert_eq!(server.seen().all("tools/call").len(), 1);
    within(client.close()).await;
}
