//! Streams of the handshake revisions that break, are closed, and are resumed.

use super::client::{SECOND, tool};
use super::http_wire::{Wire, call, cancelled};
use crate::testing::http::hosting::HttpHosting;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};
use std::time::Duration;

const SESSION: &str = "mcp-session-id";
const LAST: &str = "last-event-id";

async fn begin(hosting: &HttpHosting) -> (Wire, String) {
    let mut wire = Wire::connect(hosting);
    let session = wire.initialize("2025-11-25").await;
    (wire, session)
}

/// The updates and the answers of what is left of a body, and the id of its last event.
async fn rest(wire: &mut Wire) -> (Vec<Value>, Option<String>) {
    let (mut seen, mut last) = (Vec::new(), None);
    while let Some(block) = wire.block().await {
        last = block.id.clone().or(last);
        if block.name.is_some() {
            let message = block.message();
            let progress = message["params"]["progress"].clone();
            seen.push(if progress.is_null() {
                message["id"].clone()
            } else {
                progress
            });
        }
    }
    (seen, last)
}

#[tokio::test(start_paused = true)]
async fn a_broken_stream_is_resumed_after_any_of_its_events() {
    let server = tool(Script::new().every(SECOND, 4).text("done"));
    let whole = [json!(1), json!(2), json!(3), json!(4), json!("a")];
    for seen in 0..=4 {
        let hosting = server.http();
        let (mut wire, session) = begin(&hosting).await;
        wire.post(&[(SESSION, &session)], &call("a", "it")).await;
        let mut last = wire.block().await.unwrap().id.unwrap();
        for step in 1..=seen {
            let block = wire.block().await.unwrap();
            last = block.id.clone().unwrap();
            assert_eq!(block.message()["params"]["progress"], step);
        }
        let served = wire.close();
        // Two updates at least are sent while nobody reads.
        tokio::time::sleep(5 * SECOND / 2).await;
        let mut wire = Wire::connect(&hosting);
        let head = wire.get(&[(SESSION, &session), (LAST, &last)]).await;
        assert_eq!(head.status, 200);
        assert_eq!(rest(&mut wire).await.0, whole[seen..]);
        served.await.unwrap();

        // It can be had again, also now that it has ended.
        wire.get(&[(SESSION, &session), (LAST, &last)]).await;
        assert_eq!(rest(&mut wire).await.0, whole[seen..]);
    }
    assert_eq!(
        server.log().stopped(),
        [] as [Value; 0],
        "a disconnect cancels nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn the_server_breaks_connections_and_keeps_sessions() {
    let server = tool(Script::new().every(SECOND, 3).text("done"));
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    let last = wire.block().await.unwrap().id.unwrap();
    server.disconnect();
    let (seen, _) = rest(&mut wire).await;
    assert!(seen.len() <= 1, "{seen:?}");
    let mut wire = Wire::connect(&hosting);
    wire.get(&[(SESSION, &session), (LAST, &last)]).await;
    assert_eq!(
        rest(&mut wire).await.0,
        [json!(1), json!(2), json!(3), json!("a")]
    );
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_closed_after_every_n_events() {
    let server = tool(Script::new().every(SECOND, 4).text("done"));
    let hosting = server
        .http()
        .close_after(2)
        .retry(Duration::from_millis(70));
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    let prime = wire.block().await.unwrap();
    assert_eq!(
        (prime.retry.as_deref(), prime.data.as_deref()),
        (Some("70"), Some(""))
    );
    let (seen, last) = rest(&mut wire).await;
    assert_eq!(seen, [1, 2]);
    // The same connection goes on with what was closed in good order.
    wire.get(&[(SESSION, &session), (LAST, &last.unwrap())])
        .await;
    assert_eq!(wire.block().await.unwrap().retry.as_deref(), Some("70"));
    let (seen, last) = rest(&mut wire).await;
    assert_eq!(seen, [3, 4]);
    wire.get(&[(SESSION, &session), (LAST, &last.unwrap())])
        .await;
    assert_eq!(rest(&mut wire).await.0, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn a_script_closes_its_stream_and_answers_later() {
    let server = ScriptedServer::demo();
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "test_reconnection"))
        .await;
    let (seen, last) = rest(&mut wire).await;
    assert_eq!(seen, [] as [Value; 0]);
    wire.get(&[(SESSION, &session), (LAST, &last.unwrap())])
        .await;
    assert_eq!(rest(&mut wire).await.0, ["a"]);
}

#[tokio::test(start_paused = true)]
async fn one_who_resumes_takes_the_stream_from_one_who_still_seems_to_read() {
    let server = tool(Script::new().every(SECOND, 3).text("done"));
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    let last = wire.block().await.unwrap().id.unwrap();
    wire.message().await;
    let mut other = Wire::connect(&hosting);
    other.get(&[(SESSION, &session), (LAST, &last)]).await;
    assert_eq!(wire.block().await, None);
    assert_eq!(
        rest(&mut other).await.0,
        [json!(1), json!(2), json!(3), json!("a")]
    );
}

#[tokio::test(start_paused = true)]
async fn the_get_stream_is_resumed_too_and_unknown_ids_are_refused() {
    let server = ScriptedServer::new();
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.get(&[(SESSION, &session)]).await;
    let last = wire.block().await.unwrap().id.unwrap();
    server.notify("vendor/one", &Value::Null);
    wire.message().await;
    wire.close().await.unwrap();
    server.notify("vendor/two", &Value::Null);
    let mut wire = Wire::connect(&hosting);
    wire.get(&[(SESSION, &session), (LAST, &last)]).await;
    assert_eq!(wire.message().await["method"], "vendor/one");
    assert_eq!(wire.message().await["method"], "vendor/two");

    let mut wire = Wire::connect(&hosting);
    for id in ["", "x", "77_1", "0_99", "1_"] {
        assert_eq!(
            wire.get(&[(SESSION, &session), (LAST, id)]).await.status,
            400,
            "{id}"
        );
        wire = Wire::connect(&hosting);
    }
    let (mut wire, session) = begin(&server.http().event_ids(false)).await;
    assert_eq!(
        wire.get(&[(SESSION, &session), (LAST, "1_1")]).await.status,
        400
    );
}

#[tokio::test(start_paused = true)]
async fn without_ids_what_nobody_reads_is_lost_and_the_script_goes_on() {
    let server = tool(Script::new().progress(1, 2).wait(2 * SECOND).text("done"));
    let hosting = server.http().event_ids(false);
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    let block = wire.block().await.unwrap();
    assert_eq!(
        (&block.id, &block.message()["params"]["progress"]),
        (&None, &json!(1))
    );
    drop(wire);
    tokio::time::sleep(SECOND).await;
    // Only a script that still runs can be stopped.
    let mut wire = Wire::connect(&hosting);
    assert_eq!(server.log().stopped(), [] as [Value; 0]);
    wire.post(&[(SESSION, &session)], &cancelled("a")).await;
    server.log().wait_for(|log| log.stopped() == ["a"]).await;
}

#[tokio::test(start_paused = true)]
async fn the_store_is_bounded_and_a_reader_loses_nothing() {
    const N: u64 = 12_000;
    let server = tool(Script::new().every(Duration::ZERO, N).text("done"));
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    let first = wire.block().await.unwrap().id.unwrap();
    let (seen, _) = rest(&mut wire).await;
    assert_eq!(seen.len() as u64, N + 1);
    wire.get(&[(SESSION, &session), (LAST, &first)]).await;
    let (seen, _) = rest(&mut wire).await;
    assert_eq!((seen.len(), &seen[0]), (10_000, &json!(N + 2 - 10_000)));
}

#[tokio::test(start_paused = true)]
async fn ended_streams_are_forgotten_before_those_that_run() {
    let server = tool(Script::new().progress(1, 2).silence()).tool("quick", |_| Script::new());
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    let named = [(SESSION, session.as_str())];
    wire.post(&named, &call("a", "it")).await;
    let last = wire.block().await.unwrap().id.unwrap();
    let mut other = Wire::connect(&hosting);
    other.post(&named, &call("b", "quick")).await;
    let (_, quick) = rest(&mut other).await;
    for n in 0..1_500 {
        other.post(&named, &call(n, "quick")).await;
        assert_eq!(rest(&mut other).await.0, [n]);
    }
    let resume = [named[0], (LAST, last.as_str())];
    assert_eq!(other.get(&resume).await.status, 200);
    assert_eq!(
        other.block().await.unwrap().message()["params"]["progress"],
        1
    );
    let mut other = Wire::connect(&hosting);
    let resume = [named[0], (LAST, quick.as_deref().unwrap())];
    assert_eq!(other.get(&resume).await.status, 400);
}

#[tokio::test(start_paused = true)]
async fn a_flood_reaches_a_slow_reader_whole_and_ends_also_without_one() {
    const N: u64 = 30_000;
    let server = tool(Script::new().flood(N).text("done"));
    let hosting = server.http();
    let (mut wire, session) = begin(&hosting).await;
    wire.post(&[(SESSION, &session)], &call("a", "it")).await;
    wire.block().await;
    // The pipe takes a part of it; the rest is not written before it is read.
    tokio::time::sleep(SECOND).await;
    let (seen, last) = rest(&mut wire).await;
    assert_eq!(seen.len() as u64, N + 1);
    assert!(
        seen.iter()
            .zip(1..=N)
            .all(|(progress, step)| *progress == step)
    );
    assert_eq!(last.as_deref(), Some(format!("2_{}", N + 1).as_str()));

    wire.post(&[(SESSION, &session)], &call("b", "it")).await;
    let last = wire.block().await.unwrap().id.unwrap();
    wire.close().await.unwrap();
    let mut wire = Wire::connect(&hosting);
    wire.get(&[(SESSION, &session), (LAST, &last)]).await;
    assert_eq!(rest(&mut wire).await.0.last(), Some(&json!("b")));
}
