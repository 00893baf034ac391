//! Signs of life: bytes on a call's own stream, or updates only.
//!
//! Promise 9 over HTTP. The clock is paused once the reply has begun: from then on only time passes.

use std::time::Duration;

use mcp_progress::{Client, Clock, Connect, LifeSigns};
use serde_json::json;

use super::calls::{assert_idle, text};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, says, step};
use crate::peer::now;

const IDLE: Duration = Duration::from_secs(5 * 60);

/// One update, then a comment every 15 seconds for eleven minutes, then the result.
fn behind_comments(got: &Got, comment: &str) -> Reply {
    let begun = Reply::sse().event(&step(got, 1));
    let kept = (0..44).fold(begun, |reply, _| reply.wait(15_000).part(comment));
    kept.event(&says(got, "done"))
}

async fn server(modern: bool, reply: impl Fn(&Got) -> Reply + Send + Sync + 'static) -> Server {
    let play = move |got: &Got| (got.kind() == "tools/call").then(|| reply(got));
    if modern {
        Server::modern(play).await
    } else {
        Server::handshake(play).await
    }
}

/// The end of a call on a clock that is paused from its first update on, and how long that took.
async fn ends(
    client: &Client,
    life: Option<LifeSigns>,
) -> (mcp_progress::Result<String>, Duration) {
    let begun = now();
    let request = client.call_tool("count", json!({}));
    let mut call = match life {
        Some(life) => request.life_signs(life).start(),
        None => request.start(),
    };
    call.next().await.expect("an update");
    tokio::time::pause();
    let outcome = call.await.map(|result| text(&result));
    let elapsed = begun.elapsed();
    tokio::time::resume();
    (outcome, elapsed)
}

async fn connect(server: &Server, options: impl FnOnce(Connect) -> Connect) -> Client {
    options(server.connecting()).await.expect("connects")
}

#[tokio::test]
async fn eleven_minutes_of_keep_alives_are_survived_with_default_options() {
    for modern in [true, false] {
        for comment in [": keepalive\n\n", ":\r\n"] {
            let server = server(modern, move |got| behind_comments(got, comment)).await;
            let client = connect(&server, |connect| connect).await;
            let (outcome, elapsed) = ends(&client, None).await;
            assert_eq!(outcome.expect("a result"), "done");
            assert!(elapsed >= Duration::from_secs(660), "{elapsed:?}");
            assert_idle(&client);
        }
    }
}

#[tokio::test]
async fn without_keep_alives_the_idle_clock_ends_it() {
    for modern in [true, false] {
        let server = server(modern, |got| {
            let begun = Reply::sse().event(&step(got, 1));
            begun.wait(660_000).event(&says(got, "done"))
        })
        .await;
        let client = connect(&server, |connect| connect).await;
        let (outcome, elapsed) = ends(&client, None).await;
        let error = outcome.expect_err("idle");
        assert_eq!(error.timeout_clock(), Some(Clock::Idle), "{error}");
        let said = error.to_string();
        assert!(
            said.contains("idle") && said.contains("last update 1"),
            "{said}"
        );
        assert_eq!(error.last_update().map(|update| update.progress), Some(1.0));
        assert!(elapsed >= IDLE && elapsed < 2 * IDLE, "{elapsed:?}");
        assert_idle(&client);
    }
}

#[tokio::test]
async fn keep_alives_are_no_updates_where_only_those_count() {
    for of_the_call in [true, false] {
        let server = server(true, |got| behind_comments(got, ": keepalive\n\n")).await;
        let client = connect(&server, |connect| {
            if of_the_call {
                connect
            } else {
                connect.life_signs(LifeSigns::Updates)
            }
        })
        .await;
        let (outcome, elapsed) = ends(&client, of_the_call.then_some(LifeSigns::Updates)).await;
        let error = outcome.expect_err("idle");
        assert_eq!(error.timeout_clock(), Some(Clock::Idle), "{error}");
        assert!(elapsed >= IDLE && elapsed < 2 * IDLE, "{elapsed:?}");
    }
}

/// Bytes of a body that is no event stream are signs of life too.
#[tokio::test]
async fn a_slow_json_body_is_alive() {
    let gate = super::reply::Gate::new();
    let slow = gate.clone();
    let server = server(true, move |got| {
        let body = says(got, "done").to_string();
        let (head, rest) = body.split_at(1);
        let reply = Reply::status(200)
            .header("content-type", "application/json")
            .chunked();
        let begun = reply.gate(&slow).part(head);
        let kept = (0..4).fold(begun, |reply, _| reply.wait(200_000).part(" "));
        kept.wait(200_000).part(rest)
    })
    .await;
    let client = connect(&server, |connect| connect).await;
    let call = client.call_tool("count", json!({})).start();
    server.request("tools/call", 0).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    tokio::time::pause();
    gate.open();
    let result = call.await.expect("a result");
    tokio::time::resume();
    assert_eq!(text(&result), "done");
}

/// Another call's stream is no sign of life of this one.
#[tokio::test]
async fn each_call_has_its_own_life() {
    let server = server(true, |got| match got.tool() {
        "silent" => Reply::sse().event(&step(got, 1)).hold(),
        _ => behind_comments(got, ": keepalive\n\n"),
    })
    .await;
    let client = connect(&server, |connect| connect).await;
    let mut silent = client.call_tool("silent", json!({})).start();
    let mut busy = client.call_tool("busy", json!({})).start();
    silent.next().await.expect("an update");
    busy.next().await.expect("an update");
    tokio::time::pause();
    let (silent, busy) = tokio::join!(silent.into_future(), busy.into_future());
    tokio::time::resume();
    let error = silent.expect_err("idle");
    assert_eq!(error.timeout_clock(), Some(Clock::Idle), "{error}");
    assert_eq!(text(&busy.expect("a result")), "done");
}
