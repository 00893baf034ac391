//! What the server is told about rounds and tasks, once and in time: stops, answers, subscriptions.

use std::time::Duration;

use mcp_progress::ErrorKind;
use serde_json::json;

use super::hand::{WORKING, created, played, reply, says, shaken, state};
use super::tasks::{HANDSHAKE, MODERN, answering, assert_nothing_is_left, start};
use crate::peer::{settle, spawn};

#[tokio::test(start_paused = true)]
async fn what_comes_in_the_grace_of_a_cancelled_call_is_stopped_and_not_taken_further() {
    let asks = r#"{"resultType":"input_required","inputRequests":{"a":{"method":"roots/list"}}}"#;
    let task = created(MODERN, WORKING);
    let early = created(HANDSHAKE, WORKING);
    for (version, response) in [(MODERN, asks), (MODERN, &*task), (HANDSHAKE, &*early)] {
        let (client, mut peer) = shaken(version, |connect| connect.roots(Vec::new())).await;
        let request = client.call_tool("work", json!({})).as_task(None);
        let call = request.cancel_grace(Duration::from_secs(10)).start();
        let canceller = call.canceller();
        let running = spawn(call.result());
        let asked = peer.next().await;
        assert!(canceller.cancel("enough"));
        assert_eq!(peer.next().await["method"], "notifications/cancelled");
        peer.send_text(&format!("{}\n", reply(&asked, response)))
            .await;
        if response != asks {
            assert_eq!(peer.next().await["method"], "tasks/cancel", "{version}");
        }
        let error = running
            .await
            .expect("no panic")
            .expect_err("it was cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{version}: {error}");
        assert_nothing_is_left(&client);
        client.close().await;
        let rest = peer.rest().await;
        let more = |message: &&serde_json::Value| {
            message["method"] == "tools/call" || message["method"] == "tasks/cancel"
        };
        assert_eq!(rest.iter().filter(more).count(), 0, "{version}: {rest:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_arrive_is_sent_again() {
    let (client, written) = played(MODERN, answering, {
        let mut updates = 0;
        move |message, before| {
            let asks = state(
                r#""status":"input_required","inputRequests":{"a":{"method":"elicitation/create","params":{"message":"?","requestedSchema":{"type":"object","properties":{}}}}}"#,
            );
            let over = state(&format!(r#""status":"completed","result":{}"#, says("done")));
            match message["method"].as_str().unwrap_or_default() {
                "tools/call" => vec![reply(message, &created(MODERN, WORKING))],
                "tasks/get" => vec![reply(message, if updates < 2 { &asks } else { &over })],
                "tasks/update" => {
                    updates += 1;
                    // The first one is lost.
                    if before == 0 { Vec::new() } else { vec![reply(message, "{}")] }
                }
                _ => Vec::new(),
            }
        }
    })
    .await;
    let end = start(&client, "work").result();
    let end = tokio::time::timeout(Duration::from_secs(600), end).await;
    let end = end.expect("the call ends").expect("a result");
    assert_eq!(end.as_text().as_deref(), Some("done"));
    assert_eq!(written.count("tasks/update"), 2);
    assert_nothing_is_left(&client);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_says_that_it_stops_a_task_is_not_waited_for() {
    let (client, written) = played(
        MODERN,
        |connect| connect,
        |message, _| match message["method"].as_str().unwrap_or_default() {
            "tools/call" => vec![reply(message, &created(MODERN, WORKING))],
            _ => Vec::new(),
        },
    )
    .await;
    let call = start(&client, "work");
    settle().await;
    drop(call);
    settle().await;
    assert_eq!(written.count("tasks/cancel"), 1);
    assert_eq!(written.count("notifications/cancelled"), 0);
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(
        written.count("notifications/cancelled"),
        1,
        "it was given up"
    );
    assert_eq!(client.stats().queued_frames, 0);
}

#[tokio::test(start_paused = true)]
async fn the_place_of_a_subscription_is_free_again_after_its_task() {
    let (client, written) = played(
        MODERN,
        |connect| connect,
        |message, before| {
            let over = state(&format!(
                r#""status":"completed","result":{}"#,
                says("done")
            ));
            match message["method"].as_str().unwrap_or_default() {
                "tools/call" => vec![reply(message, &created(MODERN, WORKING))],
                "tasks/get" if before % 2 == 0 => vec![reply(message, &state(WORKING))],
                "tasks/get" => vec![reply(message, &over)],
                _ => Vec::new(),
            }
        },
    )
    .await;
    for _ in 0..12 {
        start(&client, "work").result().await.expect("a result");
    }
    settle().await;
    assert_eq!(written.count("subscriptions/listen"), 12);
    assert_eq!(
        written.count("notifications/cancelled"),
        12,
        "each is ended"
    );
    assert_nothing_is_left(&client);
}
