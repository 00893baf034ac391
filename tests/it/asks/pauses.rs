//! While a handler is at work, the idle clocks of the connection's calls stand still; the total clocks do not.

use std::time::Duration;

use mcp_progress::model::ElicitResult;
use mcp_progress::{Client, Clock, Connect, Error, ErrorKind};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::connect;
use crate::peer::{Peer, done, now, settle, spawn};

const IDLE: Duration = Duration::from_secs(10);
const THINKING: Duration = Duration::from_secs(1800);

/// A user who thinks for half an hour.
fn slow(connect: Connect) -> Connect {
    let connect = connect.on_elicitation(|_form, _context| async {
        tokio::time::sleep(THINKING).await;
        Ok(ElicitResult::decline())
    });
    connect.idle_timeout(IDLE)
}

type Running = JoinHandle<Result<mcp_progress::model::CallToolResult, Error>>;

/// Starts a call and waits until its request has left.
async fn call(client: &Client, peer: &mut Peer) -> (Running, Value) {
    let running = spawn(client.call_tool("t", json!({})).send());
    (running, peer.next().await)
}

async fn ask(peer: &mut Peer, id: &str) {
    let schema = json!({"type": "object", "properties": {}});
    let params = json!({"message": "m", "requestedSchema": schema});
    peer.send(
        &json!({"jsonrpc": "2.0", "id": id, "method": "elicitation/create", "params": params}),
    )
    .await;
}

async fn seconds(seconds: u64) {
    tokio::time::sleep(Duration::from_secs(seconds)).await;
}

fn timed_out(result: Result<mcp_progress::model::CallToolResult, Error>) -> Clock {
    let error = result.expect_err("it is over");
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    error.timeout_clock().expect("a clock")
}

#[tokio::test(start_paused = true)]
async fn what_was_silent_before_counts_and_the_pause_does_not() {
    let (client, mut peer) = connect(slow).await;
    let began = now();
    // On a byte stream the server's request names no call, so that it stands for all.
    let (first, _) = call(&client, &mut peer).await;
    let (second, request) = call(&client, &mut peer).await;
    seconds(4).await;
    ask(&mut peer, "q").await;
    assert_eq!(peer.next().await["result"]["action"], "decline");
    assert_eq!(began.elapsed(), THINKING + Duration::from_secs(4));
    seconds(5).await;
    assert!(!first.is_finished() && !second.is_finished());
    peer.answer(&request, done()).await;
    second.await.expect("no panic").expect("a result");

    // Four seconds before the question, and six behind the answer.
    assert_eq!(timed_out(first.await.expect("no panic")), Clock::Idle);
    assert_eq!(began.elapsed(), THINKING + IDLE);
}

#[tokio::test(start_paused = true)]
async fn questions_one_after_the_other_are_each_a_pause() {
    let (client, mut peer) = connect(slow).await;
    let began = now();
    let (running, _) = call(&client, &mut peer).await;
    for id in ["1", "2", "3"] {
        seconds(3).await;
        ask(&mut peer, id).await;
        assert_eq!(peer.next().await["id"], id);
    }
    assert_eq!(timed_out(running.await.expect("no panic")), Clock::Idle);
    assert_eq!(began.elapsed(), THINKING * 3 + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_question_that_the_server_takes_back_is_no_pause_any_more() {
    let (client, mut peer) = connect(slow).await;
    let began = now();
    let (running, _) = call(&client, &mut peer).await;
    seconds(1).await;
    ask(&mut peer, "q").await;
    seconds(60).await;
    peer.send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "q"}}))
        .await;
    settle().await;
    assert_eq!(timed_out(running.await.expect("no panic")), Clock::Idle);
    assert_eq!(began.elapsed(), Duration::from_secs(60) + IDLE);
}

#[tokio::test(start_paused = true)]
async fn the_total_clock_runs_on() {
    let (client, mut peer) = connect(|connect| slow(connect).total_timeout(THINKING / 2)).await;
    let began = now();
    let (running, _) = call(&client, &mut peer).await;
    ask(&mut peer, "q").await;
    assert_eq!(timed_out(running.await.expect("no panic")), Clock::Total);
    assert_eq!(began.elapsed(), THINKING / 2);
}
