//! How many connections there are: kept for the next request, and bounded.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mcp_progress::{Client, ProtocolVersion};
use serde_json::json;
use tokio::time::sleep;

use super::calls::{assert_idle, count, text, values, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, answer, says, step};

fn post(got: &Got) -> bool {
    got.kind() == "tools/call"
}

fn streamed(got: &Got) -> Reply {
    Reply::sse().event(&step(got, 1)).event(&answer(got))
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_streamed_result() {
    let forms: [fn(&Got) -> Reply; 4] = [
        streamed,
        |got| streamed(got).glued(),
        // The end of the body comes a moment behind the result.
        |got| streamed(got).wait(2),
        |got| Reply::json(&answer(got)),
    ];
    for (form, reply) in forms.into_iter().enumerate() {
        for modern in [true, false] {
            let play = move |got: &Got| post(got).then(|| reply(got));
            let server = if modern {
                Server::modern(play).await
            } else {
                Server::handshake(play).await
            };
            let client = server.connect().await;
            for _ in 0..50 {
                count(&client).await.1.expect("a result");
                if form == 2 {
                    // A caller who is as quick as that would need a second connection.
                    sleep(Duration::from_millis(4)).await;
                }
            }
            let connections = server.seen().connections;
            assert!(
                connections <= 2,
                "form {form}, modern {modern}: {connections}"
            );
        }
    }
}

/// A server that keeps no connection is spoken to all the same.
#[tokio::test]
async fn a_server_that_closes_every_connection_is_no_trouble() {
    let server = Server::modern(|got| {
        post(got).then(|| streamed(got).closing().header("connection", "close"))
    })
    .await;
    let client = server.connect().await;
    for _ in 0..20 {
        let (updates, result) = count(&client).await;
        result.expect("a result");
        assert_eq!(values(&updates), [1.0]);
    }
    assert!(server.seen().connections >= 20);
}

/// Also where the next call comes before the end of the last one's body.
#[tokio::test]
async fn a_caller_in_a_hurry_needs_few_connections() {
    let server = Server::modern(|got| post(got).then(|| streamed(got).wait(2))).await;
    let client = server.connect().await;
    for _ in 0..50 {
        count(&client).await.1.expect("a result");
    }
    let connections = server.seen().connections;
    assert!(connections <= 8, "{connections}");
}

/// A stream that is left open behind its result is given up, and nobody waits for that.
#[tokio::test]
async fn a_stream_that_stays_open_behind_its_result_is_closed() {
    let server = Server::modern(|got| post(got).then(|| streamed(got).hold())).await;
    let client = server.connect().await;
    let (updates, result) = within(count(&client)).await;
    result.expect("a result");
    assert_eq!(values(&updates), [1.0]);
    within(server.left("tools/call")).await;
}

/// One that floods behind its result is given up too.
#[tokio::test]
async fn a_stream_that_goes_on_behind_its_result_is_closed() {
    let server = Server::modern(|got| {
        let late = format!("data: {}\n\n", step(got, 2)).repeat(200);
        let flood = || (0..10_000).fold(streamed(got), |reply, _| reply.part(&late));
        post(got).then(flood)
    })
    .await;
    let client = server.connect().await;
    within(count(&client)).await.1.expect("a result");
    within(server.left("tools/call")).await;
}

#[tokio::test]
async fn no_more_requests_are_under_way_than_allowed_and_the_rest_is_seen_to_wait() {
    let gate = Gate::new();
    let open = gate.clone();
    let server = Server::modern(move |got| {
        post(got).then(|| {
            Reply::sse()
                .event(&step(got, 1))
                .gate(&gate)
                .event(&answer(got))
        })
    })
    .await;
    let client = Client::connect(server.endpoint().max_connections(3))
        .await
        .expect("connects");
    let calls: Vec<_> = (0..10)
        .map(|_| client.call_tool("count", json!({})).start())
        .collect();
    server.request("tools/call", 2).await;
    sleep(Duration::from_millis(30)).await;
    assert_eq!(server.seen().all("tools/call").len(), 3);
    assert_eq!(client.stats().queued_frames, 7);
    assert_eq!(client.stats().live_calls, 10);
    open.open();
    for call in calls {
        within(call.into_future()).await.expect("a result");
    }
    assert_eq!(server.seen().all("tools/call").len(), 10);
    assert!(
        server.seen().connections <= 4,
        "{}",
        server.seen().connections
    );
    assert_idle(&client);
    assert_eq!(client.stats().queued_frames, 0);
}

/// Zero counts as one, and each end makes room: results, errors, drops, breaks.
#[tokio::test]
async fn every_end_makes_room_for_the_next() {
    for modern in [true, false] {
        let at = Arc::new(AtomicUsize::new(0));
        let play = move |got: &Got| {
            post(got).then(|| match at.fetch_add(1, Ordering::SeqCst) % 7 {
                0 => streamed(got),
                1 => Reply::with(500, "text/plain", "no"),
                2 => Reply::sse().cut(),
                3 => Reply::none(),
                4 => Reply::sse().event(&step(got, 1)).hold(),
                5 => streamed(got).hold(),
                _ => Reply::status(202),
            })
        };
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let client = Client::connect(server.endpoint().max_connections(0))
            .await
            .expect("connects");
        for nth in 0..21 {
            let mut call = client.call_tool("count", json!({})).start();
            if nth % 7 == 4 {
                within(call.next()).await.expect("an update");
                drop(call);
            } else {
                let outcome = within(call.into_future()).await;
                assert_eq!(
                    outcome.is_ok(),
                    matches!(nth % 7, 0 | 5),
                    "{nth}: {outcome:?}"
                );
            }
            assert_idle(&client);
        }
        assert_eq!(server.seen().all("tools/call").len(), 21);
    }
}

#[tokio::test]
async fn a_client_of_ones_own_with_a_time_out_does_not_end_long_calls() {
    for modern in [true, false] {
        let play = |got: &Got| {
            let begun = || Reply::sse().event(&step(got, 1)).wait(60);
            post(got).then(|| {
                begun()
                    .event(&step(got, 2))
                    .wait(60)
                    .event(&says(got, "done"))
            })
        };
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        // Whoever makes a client says what its TLS is; that is once for the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let own = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_millis(50))
            .build()
            .expect("a client");
        let endpoint = server.endpoint().http_client(own);
        let client = Client::connect(endpoint).await.expect("connects");
        let (updates, result) = within(count(&client)).await;
        assert_eq!(text(&result.expect("a result")), "done");
        assert_eq!(values(&updates), [1.0, 2.0]);
    }
}

/// Many calls at once, each with its updates in order, over HTTP/1.1.
#[tokio::test]
async fn many_calls_at_once_are_kept_apart() {
    let server = Server::handshake(|got| {
        post(got).then(|| {
            let begun = Reply::sse().priming("a_0", 1);
            let updates = (1..20).fold(begun, |reply, n| {
                reply.event_id(&format!("a_{n}"), &step(got, n))
            });
            updates.event(&says(got, &got.token().to_string()))
        })
    })
    .await;
    let connecting = Client::connect(server.endpoint().max_connections(20));
    let client = connecting
        .protocol(ProtocolVersion::V2025_11_25)
        .await
        .expect("connects");
    let calls = (0..100).map(|_| async {
        let call = client.call_tool("count", json!({})).start();
        let token = serde_json::to_string(call.token().expect("minted")).expect("JSON");
        let expected: Vec<f64> = (1..20).map(f64::from).collect();
        let (updates, result) = collected(call).await;
        assert_eq!(values(&updates), expected);
        assert_eq!(text(&result.expect("a result")), token);
    });
    within(futures::future::join_all(calls)).await;
    assert_idle(&client);
    assert_eq!(client.stats().updates, 1900);
    assert_eq!(client.stats().diagnostics(), 0);
}

async fn collected(
    mut call: mcp_progress::Call<mcp_progress::model::CallToolResult>,
) -> (
    Vec<mcp_progress::Progress>,
    mcp_progress::Result<mcp_progress::model::CallToolResult>,
) {
    let mut updates = Vec::new();
    while let Some(update) = call.next().await {
        updates.push(update);
    }
    (updates, call.await)
}
