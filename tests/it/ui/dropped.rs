//! What is left of a call that is dropped between any two polls: nothing, whatever shows it.

use std::future::IntoFuture;
use std::pin::pin;
use std::task::Context;
use std::time::Duration;

use futures::task::noop_waker_ref;
use mcp_progress::testing::{Log, ScriptedServer};
use mcp_progress::ui::indicatif::Bars;
use mcp_progress::ui::sse;
use mcp_progress::{Client, ProgressGroup};
use serde_json::json;

use super::scene::Paper;
use crate::peer::settle;

/// The tool takes fewer turns than this.
const POLLS: usize = 40;

/// Polls so many times, with time for everybody else in between; true where it was ready before that.
async fn polled(work: impl Future, times: usize) -> bool {
    let mut work = pin!(work);
    for _ in 0..times {
        let mut cx = Context::from_waker(noop_waker_ref());
        if work.as_mut().poll(&mut cx).is_ready() {
            return true;
        }
        settle().await;
        tokio::time::advance(Duration::from_millis(1)).await;
    }
    false
}

async fn nothing_is_left(client: &Client, log: &Log, over: usize) {
    settle().await;
    assert_eq!(client.stats().live_calls, 0);
    assert!(client.progress().is_empty());
    assert!(log.cancelled().len() <= POLLS - over, "each call once");
}

async fn connected() -> (Client, Log) {
    let server = ScriptedServer::demo();
    let log = server.log();
    (Client::connect(server).await.expect("a server"), log)
}

#[tokio::test(start_paused = true)]
async fn a_bar_goes_with_its_call_and_says_how_it_ended() {
    let (client, log) = connected().await;
    let paper = Paper::default();
    let bars = Bars::plain(paper.clone());
    let mut over = 0;
    for times in 0..POLLS {
        let call = client
            .call_tool("count", json!({"steps": 3, "delay_ms": 2}))
            .with_bar(&bars);
        over += usize::from(polled(call.into_future(), times).await);
    }
    nothing_is_left(&client, &log, over).await;
    assert!((1..POLLS).contains(&over), "{over} came to their end");
    let text = paper.text();
    let ended = |word: &str| text.lines().filter(|line| line.contains(word)).count();
    assert_eq!(ended("count done "), over, "{text}");
    // Of one that was never polled there may be nothing to tell.
    assert!(ended("count cancelled ") <= POLLS - over, "{text}");
}

#[tokio::test(start_paused = true)]
async fn a_member_leaves_its_group_with_its_call() {
    let (client, log) = connected().await;
    let group = ProgressGroup::new();
    let mut over = 0;
    for times in 0..POLLS {
        let call = client
            .call_tool("count", json!({"steps": 3, "delay_ms": 2}))
            .start()
            .in_group(&group, 1.0);
        over += usize::from(polled(call.into_future(), times).await);
    }
    nothing_is_left(&client, &log, over).await;
    let told = group.snapshot();
    assert_eq!(
        (told.working(), told.finished, told.left),
        (0, over, POLLS - over)
    );
}

#[tokio::test(start_paused = true)]
async fn events_unsubscribe_and_leave_the_call_alone() {
    let (client, log) = connected().await;
    for times in 0..POLLS {
        let call = client
            .call_tool("count", json!({"steps": 3, "delay_ms": 2}))
            .start();
        let mut events = sse::events(call.updates());
        let reading = async { while events.next().await.is_some() {} };
        polled(reading, times).await;
        drop(events);
        let result = call.await.expect("nobody has cancelled it");
        assert_eq!(result.as_text().as_deref(), Some("counted to 3"));
    }
    nothing_is_left(&client, &log, POLLS).await;
}
