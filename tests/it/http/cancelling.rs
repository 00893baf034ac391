//! Cancelling over HTTP: by closing the stream in the modern era, by a word of its own before.
//!
//! Promises 6 and 7.

use std::time::Duration;

use mcp_progress::model::SubscriptionFilter;
use mcp_progress::{Client, Clock, ErrorKind};
use serde_json::json;
use tokio::time::sleep;

use super::calls::{assert_idle, count, text, values, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{SESSION, Server, answer, fails, says, step};
use crate::peer::settle;

const MOMENT: Duration = Duration::from_millis(40);

fn post(got: &Got) -> bool {
    got.kind() == "tools/call"
}

fn held(got: &Got) -> Option<Reply> {
    post(got).then(|| Reply::sse().event(&step(got, 1)).hold())
}

fn silent(got: &Got) -> Option<Reply> {
    post(got).then(Reply::silence)
}

#[tokio::test]
async fn dropping_a_modern_call_closes_its_stream_and_sends_nothing() {
    for play in [held, silent] {
        let server = Server::modern(play).await;
        let client = server.connect().await;
        let call = client.call_tool("count", json!({})).start();
        server.request("tools/call", 0).await;
        drop(call);
        assert_idle(&client);
        let left = within(server.left("tools/call")).await;
        assert_eq!(left.tool(), "count");
        sleep(MOMENT).await;
        assert_eq!(server.seen().kinds(), ["server/discover", "tools/call"]);
        assert_eq!(client.stats().queued_frames, 0);
        assert_eq!(client.stats().diagnostics(), 0);
    }
}

#[tokio::test]
async fn dropping_a_handshake_call_posts_the_word_and_closes_the_stream() {
    let server = Server::handshake(held).await;
    let client = server.shake().await;
    let mut call = client.call_tool("count", json!({})).start();
    within(call.next()).await.expect("an update");
    let id = call.request_id().expect("it is sent");
    drop(call);
    assert_idle(&client);
    let told = within(server.request("notifications/cancelled", 0)).await;
    assert_eq!(told.json["params"]["requestId"], id);
    assert!(told.json.get("id").is_none());
    assert_eq!(told.header("mcp-session-id"), Some(SESSION));
    within(server.left("tools/call")).await;
    sleep(MOMENT).await;
    assert_eq!(server.seen().all("notifications/cancelled").len(), 1);
}

/// On another connection the word could overtake its request.
#[tokio::test]
async fn the_word_waits_for_the_head_of_the_answer() {
    let gate = Gate::new();
    let head = gate.clone();
    let server = Server::handshake(move |got| {
        post(got).then(|| Reply::sse().behind(&head).part(":\n\n").hold())
    })
    .await;
    let client = server.shake().await;
    let call = client.call_tool("count", json!({})).start();
    server.request("tools/call", 0).await;
    drop(call);
    assert_idle(&client);
    sleep(MOMENT).await;
    assert!(server.seen().all("notifications/cancelled").is_empty());
    gate.open();
    within(server.request("notifications/cancelled", 0)).await;
    within(server.left("tools/call")).await;
}

#[tokio::test]
async fn the_word_waits_a_second_and_no_longer() {
    let server = Server::handshake(silent).await;
    let client = server.shake().await;
    let call = client.call_tool("count", json!({})).start();
    server.request("tools/call", 0).await;
    drop(call);
    sleep(MOMENT).await;
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(800)).await;
    settle().await;
    tokio::time::resume();
    assert!(server.seen().all("notifications/cancelled").is_empty());
    tokio::time::pause();
    tokio::time::advance(Duration::from_millis(300)).await;
    tokio::time::resume();
    within(server.request("notifications/cancelled", 0)).await;
}

#[tokio::test]
async fn a_request_that_waits_for_a_connection_is_withdrawn_silently() {
    for modern in [true, false] {
        let gate = Gate::new();
        let open = gate.clone();
        let play = move |got: &Got| {
            let stream = || {
                Reply::sse()
                    .event(&step(got, 1))
                    .gate(&gate)
                    .event(&answer(got))
            };
            (post(got) && got.tool() == "first").then(stream)
        };
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let endpoint = server.endpoint().max_connections(1);
        let client = Client::connect(endpoint).await.expect("connects");
        let mut first = client.call_tool("first", json!({})).start();
        within(first.next()).await.expect("an update");
        let second = client.call_tool("second", json!({})).start();
        let timed = client.call_tool("third", json!({})).total_timeout(MOMENT);
        let error = within(timed.into_future())
            .await
            .expect_err("no connection");
        assert_eq!(error.timeout_clock(), Some(Clock::Total));
        assert_eq!(client.stats().queued_frames, 1);
        drop(second);
        assert_eq!(client.stats().queued_frames, 0);
        open.open();
        within(first.into_future()).await.expect("a result");
        within(count(&client)).await.1.expect("a result");
        assert_idle(&client);
        let seen = server.seen();
        let tools: Vec<_> = seen
            .all("tools/call")
            .iter()
            .map(|got| got.tool().to_owned())
            .collect();
        assert_eq!(tools, ["first", "count"]);
        assert!(seen.all("notifications/cancelled").is_empty());
    }
}

#[tokio::test]
async fn a_time_out_cancels_as_a_drop_does() {
    for (clock, modern) in [
        (Clock::Idle, true),
        (Clock::Idle, false),
        (Clock::Total, true),
        (Clock::Total, false),
    ] {
        let server = if modern {
            Server::modern(held).await
        } else {
            Server::handshake(held).await
        };
        let client = server.connect().await;
        let request = client.call_tool("count", json!({}));
        let request = match clock {
            Clock::Idle => request.idle_timeout(MOMENT),
            Clock::Total => request.total_timeout(MOMENT),
        };
        let error = within(request.into_future()).await.expect_err("time-out");
        assert_eq!(error.timeout_clock(), Some(clock), "{error}");
        assert_eq!(error.last_update().map(|update| update.progress), Some(1.0));
        assert_idle(&client);
        within(server.left("tools/call")).await;
        if modern {
            assert!(server.seen().all("notifications/cancelled").is_empty());
        } else {
            let told = within(server.request("notifications/cancelled", 0)).await;
            let reason = told.json["params"]["reason"]
                .as_str()
                .expect("a reason")
                .to_owned();
            assert!(reason.contains(&clock.to_string()), "{reason}");
        }
    }
}

#[tokio::test]
async fn what_begins_a_connection_is_never_cancelled() {
    for silent in ["server/discover", "initialize"] {
        let server =
            Server::handshake(move |got| (got.kind() == silent).then(Reply::silence)).await;
        let mut connecting = server.connecting().connect_timeout(MOMENT);
        if silent == "server/discover" {
            connecting = connecting.protocol(mcp_progress::ProtocolVersion::V2026_07_28);
        }
        let error = within(connecting.into_future())
            .await
            .expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
        // The connection of what nobody waits for is closed, by and by.
        within(server.left(silent)).await;
        assert!(server.seen().all("notifications/cancelled").is_empty());
    }
}

/// In its grace a handshake call goes on: with updates, and a result if one comes.
#[tokio::test]
async fn a_call_in_its_grace_still_gets_updates_and_result() {
    let gate = Gate::new();
    let told = gate.clone();
    let server = Server::handshake(move |got| match got.kind() {
        "tools/call" => {
            let begun = Reply::sse().event(&step(got, 1)).gate(&gate);
            Some(begun.event(&step(got, 2)).event(&says(got, "done")))
        }
        "notifications/cancelled" => {
            told.open();
            None
        }
        _ => None,
    })
    .await;
    let client = server.shake().await;
    let request = client
        .call_tool("count", json!({}))
        .cancel_grace(Duration::from_secs(5));
    let mut call = request.start();
    within(call.next()).await.expect("an update");
    assert!(call.canceller().cancel("enough"));
    let second = within(call.next()).await.expect("another");
    assert_eq!(values(&[second]), [2.0]);
    assert_eq!(
        text(&within(call.into_future()).await.expect("a result")),
        "done"
    );
    assert_idle(&client);
}

/// A modern call has lost its stream with the cancel.
#[tokio::test]
async fn a_modern_call_has_no_grace() {
    let server = Server::modern(held).await;
    let client = server.connect().await;
    let request = client
        .call_tool("count", json!({}))
        .cancel_grace(Duration::from_secs(60));
    let mut call = request.start();
    within(call.next()).await.expect("an update");
    assert!(call.canceller().cancel("enough"));
    let error = within(call.into_future()).await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    within(server.left("tools/call")).await;
    assert_idle(&client);
}

/// Quirk 28: errors of many codes, a stream that ends without a response, one that stays open for ever.
#[tokio::test]
async fn whatever_the_server_does_in_the_grace_the_call_is_cancelled() {
    let ways: [fn(&Got, Reply) -> Reply; 4] = [
        |got, reply| reply.event(&fails(got, 0, "Request cancelled")),
        |got, reply| reply.event(&fails(got, -32800, "cancelled")),
        |_, reply| reply,
        |_, reply| reply.hold(),
    ];
    for (way, end) in ways.into_iter().enumerate() {
        let gate = Gate::new();
        let told = gate.clone();
        let server = Server::handshake(move |got| match got.kind() {
            "tools/call" => Some(end(got, Reply::sse().event(&step(got, 1)).gate(&gate))),
            "notifications/cancelled" => {
                told.open();
                None
            }
            _ => None,
        })
        .await;
        let client = server.shake().await;
        let request = client
            .call_tool("count", json!({}))
            .cancel_grace(3 * MOMENT);
        let mut call = request.start();
        within(call.next()).await.expect("an update");
        assert!(call.canceller().cancel("enough"));
        let error = within(call.into_future()).await.expect_err("cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{way}: {error}");
        assert_idle(&client);
        assert_eq!(
            server.seen().all("notifications/cancelled").len(),
            1,
            "{way}"
        );
        if way == 3 {
            // A stream that stays open is not read beyond the grace.
            within(server.left("tools/call")).await;
        }
        within(client.close()).await;
    }
}

#[tokio::test]
async fn dropping_a_subscription_closes_its_stream() {
    let server = Server::modern(|got| {
        (got.kind() == "subscriptions/listen").then(|| {
            let meta = json!({"io.modelcontextprotocol/subscriptionId": got.json["id"]});
            let params = json!({"_meta": meta, "notifications": {"toolsListChanged": true}});
            let agreed = json!({"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": params});
            Reply::sse().event(&agreed).hold()
        })
    })
    .await;
    let client = server.connect().await;
    let mut listen = client
        .listen(&SubscriptionFilter::default())
        .expect("modern");
    let agreed = within(listen.next()).await.expect("the acknowledgement");
    assert_eq!(agreed.method, "notifications/subscriptions/acknowledged");
    drop(listen);
    within(server.left("subscriptions/listen")).await;
    assert_idle(&client);
    sleep(MOMENT).await;
    assert_eq!(
        server.seen().kinds(),
        ["server/discover", "subscriptions/listen"]
    );
}

/// A call whose answer is to come on the server's own stream has no exchange; the word is sent all the same.
#[tokio::test]
async fn an_accepted_call_is_cancelled_by_the_word() {
    let server = Server::handshake(|got| match got.kind() {
        "GET" => Some(Reply::sse().part(":\n\n").hold()),
        "tools/call" => Some(Reply::status(202)),
        _ => None,
    })
    .await;
    let client = server.shake().await;
    server.request("GET", 0).await;
    let call = client.call_tool("count", json!({})).start();
    let id = call.request_id();
    server.request("tools/call", 0).await;
    sleep(MOMENT).await;
    drop(call);
    let told = within(server.request("notifications/cancelled", 0)).await;
    assert_eq!(told.json["params"]["requestId"].as_i64(), id);
    assert_idle(&client);
}
