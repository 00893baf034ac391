//! The two clocks of a call, on a paused clock: what arms them, what stops them, what they say.
//!
//! Promise 9.

use std::time::Duration;

use mcp_progress::model::SubscriptionFilter;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, Clock, Connect, Error, ErrorKind, ProgressToken};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::peer::{Peer, now, settle, spawn};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const IDLE: Duration = secs(5 * 60);
const TOTAL: Duration = secs(24 * 60 * 60);

/// A tool that reports every `pause` seconds, `n` times, and then says no more.
fn server(pause: u64, n: u64) -> ScriptedServer {
    ScriptedServer::new().tool("work", move |_| {
        Script::new().every(secs(pause), n).silence()
    })
}

async fn connect(server: &ScriptedServer) -> Client {
    connect_with(server, |connect| connect).await
}

async fn connect_with(server: &ScriptedServer, options: impl FnOnce(Connect) -> Connect) -> Client {
    options(Client::connect(server.clone()))
        .await
        .expect("connects")
}

/// Timers have a resolution of a millisecond.
#[track_caller]
fn assert_at(elapsed: Duration, expected: Duration) {
    let late = elapsed.checked_sub(expected);
    let late = late.unwrap_or_else(|| panic!("{elapsed:?}, expected {expected:?}"));
    assert!(
        late <= Duration::from_millis(2),
        "{elapsed:?}, expected {expected:?}"
    );
}

#[track_caller]
fn assert_timeout(error: &Error, clock: Clock, elapsed: Duration) {
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    assert_eq!(error.timeout_clock(), Some(clock), "{error}");
    assert_at(error.elapsed().expect("it was started"), elapsed);
}

#[tokio::test(start_paused = true)]
async fn idle_is_rearmed_by_updates_and_needs_no_handler() {
    let server = server(299, 10);
    let client = connect(&server).await;
    let error = client.call_tool("work", json!({})).await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, 9 * secs(299) + IDLE);
    assert_eq!(
        error.last_update().map(|update| update.progress),
        Some(10.0)
    );
    client.close().await;
    assert_eq!(server.log().cancelled(), [json!(error.request_id())]);
}

#[tokio::test(start_paused = true)]
async fn idle_is_five_minutes_where_nothing_comes() {
    let server = server(1, 0);
    let client = connect(&server).await;
    for _ in 0..2 {
        let error = client.call_tool("work", json!({})).await.expect_err("idle");
        assert_timeout(&error, Clock::Idle, IDLE);
        assert!(error.last_update().is_none());
    }
}

/// Also by updates that a handler is still busy with, and by ones that nobody reads.
#[tokio::test(start_paused = true)]
async fn idle_counts_what_arrives_and_not_what_is_handled() {
    let client = connect(&server(200, 4)).await;
    let call = client.call_tool("work", json!({}));
    let call = call.on_progress_async(|_| sleep(secs(3000)));
    let error = call.await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, 3 * secs(200) + IDLE);

    let mut call = client.call_tool("work", json!({})).start();
    let _unread = call.updates();
    assert_eq!(call.next().await.map(|update| update.progress), Some(1.0));
    let error = call.await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, 3 * secs(200) + IDLE);
}

/// Updates under another call's token are no sign of life.
#[tokio::test(start_paused = true)]
async fn idle_is_not_rearmed_by_other_calls() {
    let server = server(10, 10_000).tool("quiet", |_| Script::new().silence());
    let client = connect(&server).await;
    let busy = client.call_tool("work", json!({})).start().detach();
    let error = client
        .call_tool("quiet", json!({}))
        .await
        .expect_err("idle");
    assert_timeout(&error, Clock::Idle, IDLE);
    assert!(!busy.is_finished());
}

#[tokio::test(start_paused = true)]
async fn total_ends_a_call_that_is_full_of_life() {
    let client = connect(&server(240, 100_000)).await;
    let mut seen = 0;
    let call = client.call_tool("work", json!({}));
    let error = call.on_progress(|_| seen += 1).await.expect_err("total");
    assert_timeout(&error, Clock::Total, TOTAL);
    assert_eq!(seen, 24 * 60 / 4);
    // With the default limit, and with one of its own.
    let call = client
        .call_tool("work", json!({}))
        .total_timeout(secs(1000));
    let error = call.await.expect_err("total");
    assert_timeout(&error, Clock::Total, secs(1000));
    assert_eq!(error.last_update().map(|update| update.progress), Some(5.0));
}

#[tokio::test(start_paused = true)]
async fn limits_are_set_per_client_and_per_call_and_switched_off() {
    let server = server(100, 3);
    let strict = connect_with(&server, |c| {
        c.idle_timeout(secs(20)).total_timeout(secs(50))
    })
    .await;
    let call = || strict.call_tool("work", json!({}));
    let error = call().await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, secs(20));
    let error = call().idle_timeout(None).await.expect_err("total");
    assert_timeout(&error, Clock::Total, secs(50));
    let error = call().idle_timeout(secs(49)).await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, secs(49));
    let off = call().idle_timeout(None).total_timeout(None).send();
    tokio::time::timeout(100 * TOTAL, off)
        .await
        .expect_err("no clock, no end");

    let free = connect_with(&server, |c| c.idle_timeout(None).total_timeout(None)).await;
    let off = free.call_tool("work", json!({})).send();
    tokio::time::timeout(100 * TOTAL, off)
        .await
        .expect_err("no clock, no end");
    let error = free
        .call_tool("work", json!({}))
        .idle_timeout(secs(150))
        .await;
    assert_timeout(&error.expect_err("idle"), Clock::Idle, secs(350));
    // So long that no clock can hold it: never.
    let endless = free
        .call_tool("work", json!({}))
        .idle_timeout(Duration::MAX);
    let endless = endless.total_timeout(Duration::MAX).send();
    tokio::time::timeout(TOTAL, endless)
        .await
        .expect_err("no end in sight");
    strict.close().await;
    free.close().await;
    assert_eq!(server.log().cancelled().len(), 7);
}

/// The outbox holds a request back while the server does not read: the idle clock waits for it, the total one not.
#[tokio::test(start_paused = true)]
async fn idle_starts_when_the_request_leaves_the_outbox() {
    let (client, mut peer) = Peer::connect(64).await;
    let long = "x".repeat(200_000);
    let first = client
        .call_tool("first", json!({"long": long}))
        .idle_timeout(None);
    let first = spawn(first.send());
    settle().await;
    let began = now();
    let second = spawn(client.call_tool("second", json!({})).send());
    let third = client
        .call_tool("third", json!({}))
        .total_timeout(secs(400));
    let third = spawn(third.send());
    let error = third.await.expect("no panic").expect_err("total");
    assert_timeout(&error, Clock::Total, secs(400));
    sleep(secs(600)).await;
    assert!(!second.is_finished());
    let requests = [peer.next().await, peer.next().await];
    assert_eq!(requests[0]["params"]["name"], "first");
    assert_eq!(requests[1]["params"]["name"], "second");
    let error = second.await.expect("no panic").expect_err("idle");
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
    assert_at(began.elapsed(), secs(1000) + IDLE);
    // The third was never written, so that nothing is to be cancelled.
    drop(client);
    first.abort();
    let rest = peer.rest().await;
    let cancelled: Vec<&Value> = rest.iter().map(|m| &m["params"]["requestId"]).collect();
    assert_eq!(cancelled, [&requests[1]["id"], &requests[0]["id"]]);
}

/// The response is in the slot, but a handler is slow: no clock ends the call any more.
#[tokio::test(start_paused = true)]
async fn a_response_that_has_arrived_beats_an_expired_clock() {
    let server = ScriptedServer::new().tool("work", |_| {
        Script::new().burst(|together| together.progress(1, 2).text("done"))
    });
    let client = connect(&server).await;
    let call = client
        .call_tool("work", json!({}))
        .total_timeout(secs(1000));
    let slow = call.on_progress_async(|_| sleep(secs(5000)));
    assert_eq!(
        slow.await.expect("a result").as_text().as_deref(),
        Some("done")
    );

    // Nor where nobody polls the call until long after.
    let call = client.call_tool("work", json!({})).start();
    sleep(2 * TOTAL).await;
    assert_eq!(
        call.await.expect("a result").as_text().as_deref(),
        Some("done")
    );

    // Nor where both are due in the same instant.
    let server = ScriptedServer::new().tool("work", |_| Script::new().wait(secs(60)).text("done"));
    let client = connect(&server).await;
    let handled = client
        .call_tool("work", json!({}))
        .total_timeout(secs(60))
        .start();
    sleep(secs(61)).await;
    assert_eq!(
        handled.await.expect("a result").as_text().as_deref(),
        Some("done")
    );
    client.close().await;
    assert!(server.log().cancelled().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_error_says_which_clock_and_all_it_knows() {
    let server = ScriptedServer::new().tool("work", |_| {
        let script = Script::new().wait(secs(2));
        script.progress_message(3, 7, "third file").silence()
    });
    let client = connect(&server).await;
    let call = client
        .call_tool("work", json!({}))
        .progress_token("import-9");
    let error = call.idle_timeout(secs(30)).await.expect_err("idle");
    let last = error.last_update().expect("one came");
    assert_eq!(
        (last.progress, last.seq, last.message.as_deref()),
        (3.0, 1, Some("third file"))
    );
    assert_eq!(last.elapsed.as_secs(), 2);
    assert!(error.is_timeout());
    assert_eq!(error.method(), Some("tools/call"));
    assert_eq!(error.token(), Some(&ProgressToken::from("import-9")));
    assert_timeout(&error, Clock::Idle, secs(32));
    let id = error.request_id().expect("it was sent");
    let text = error.to_string();
    let facts = [
        "tools/call",
        "idle",
        "30s",
        "import-9",
        "32.0s",
        "3 of 7: third file",
        "2.0s",
    ];
    for fact in facts.into_iter().chain([format!("request {id}").as_str()]) {
        assert!(text.contains(fact), "no {fact:?} in {text}");
    }
    let error = client
        .call_tool("work", json!({}))
        .total_timeout(secs(1))
        .await;
    let text = error.expect_err("total").to_string();
    for fact in ["total", "1s", "no update arrived", "total_timeout"] {
        assert!(text.contains(fact), "no {fact:?} in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn clocks_rest_while_a_call_is_not_polled_and_run_when_detached() {
    let server = server(1, 1);
    let client = connect(&server).await;
    let call = client.call_tool("work", json!({})).start();
    sleep(10 * TOTAL).await;
    assert_eq!(client.stats().live_calls, 1);
    assert!(server.log().cancelled().is_empty());
    let detached = call.detach();
    settle().await;
    // Polled at last, it finds that there was no sign of life for days.
    let error = detached.await.expect_err("a time-out");
    assert_eq!(error.kind(), ErrorKind::Timeout);

    let detached = client.call_tool("work", json!({})).start().detach();
    sleep(IDLE - secs(1)).await;
    assert!(!detached.is_finished());
    sleep(secs(2)).await;
    assert!(detached.is_finished());
    assert_eq!(client.stats().live_calls, 0);
    let error = detached.await.expect_err("idle");
    assert_timeout(&error, Clock::Idle, IDLE);
    assert_eq!(server.log().cancelled().len(), 2);
}

/// A future that is moved to another task keeps its clocks.
#[tokio::test(start_paused = true)]
async fn clocks_move_with_the_call() {
    let client = connect(&server(100, 2)).await;
    let mut call = client.call_tool("work", json!({})).start();
    assert!(call.next().await.is_some());
    let joined = spawn(call.result()).await.expect("no panic");
    assert_timeout(&joined.expect_err("idle"), Clock::Idle, secs(100) + IDLE);
}

#[tokio::test(start_paused = true)]
async fn a_subscription_has_no_clocks() {
    let server = server(1, 1);
    let client = connect_with(&server, |c| c.idle_timeout(secs(5)).total_timeout(secs(9))).await;
    let mut listen = client
        .listen(&SubscriptionFilter::new().with_tools())
        .expect("modern");
    let first = listen.next().await.expect("the acknowledgement");
    assert_eq!(first.method, "notifications/subscriptions/acknowledged");
    tokio::time::timeout(30 * TOTAL, listen.next())
        .await
        .expect_err("nothing comes");
    let told = server.notify_subscribers("notifications/tools/list_changed", &Value::Null);
    assert_eq!(told, 1);
    let next = listen.next().await.expect("still open");
    assert_eq!(next.method, "notifications/tools/list_changed");
    assert!(server.log().cancelled().is_empty());
}
