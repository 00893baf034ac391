//! What the crate promises of a call, kept by a call that is waited for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Clock, ErrorKind, ProgressToken, Result};
use serde_json::{Value, json};

use super::{connected, restless, wait_for_cancels};

/// The handler borrows, holds what is not `Send`, and runs on this thread; the last update and the result come in one write.
#[test]
fn every_update_is_handed_over_in_order_before_send_returns() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let here = thread::current().id();
    let kept = Rc::new(());
    let mut seen = Vec::new();
    let result = client
        .call_tool("burst", json!({"n": 200}))
        .drain_for(None)
        .on_progress(|update| {
            assert_eq!(thread::current().id(), here);
            assert_eq!(Rc::strong_count(&kept), 1);
            seen.push((update.seq, update.progress, update.merged));
        })
        .send()?;
    let expected: Vec<_> = (1..=200).map(|n| (n, n as f64, 0)).collect();
    assert_eq!(seen, expected);
    assert_eq!(
        result.as_text().as_deref(),
        Some("200 updates in one write")
    );
    Ok(())
}

/// More than a mailbox holds: what is merged is counted, and the last is there.
#[test]
fn a_flood_is_handed_over_or_counted() -> Result<()> {
    const FLOOD: u64 = 10_000;
    let (client, _log) = connected(ScriptedServer::demo());
    let (mut stood_for, mut last) = (0, 0);
    client
        .call_tool("burst", json!({"n": FLOOD}))
        .on_progress(|update| {
            assert!(update.seq > last);
            (stood_for, last) = (stood_for + 1 + update.merged, update.seq);
        })
        .send()?;
    assert_eq!((stood_for, last), (FLOOD, FLOOD));
    Ok(())
}

#[test]
fn the_updates_of_a_call_then_its_result() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let mut call = client.read_resource("demo:///report").start();
    assert!(call.token().is_some() && call.request_id().is_some());
    let messages: Vec<_> = call.by_ref().filter_map(|update| update.message).collect();
    assert_eq!(messages.len(), 3);
    assert_eq!(call.last_update().map(|update| update.progress), Some(3.0));
    assert!(call.next().is_none(), "it stays at its end");
    assert_eq!(call.result()?.contents.len(), 1);

    // Without a look at the updates too.
    let call = client.read_resource("demo:///report").start();
    assert_eq!(call.result()?.contents.len(), 1);
    assert_eq!((client.stats().live_calls, client.progress().len()), (0, 0));
    Ok(())
}

#[test]
fn both_clocks_run_and_the_error_has_the_last_update() {
    let (client, log) = connected(restless());
    let limit = Duration::from_millis(700);
    let error = client
        .call_tool("stalls", json!({}))
        .idle_timeout(limit)
        .send();
    let error = error.expect_err("it goes silent");
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
    let last = error.last_update().map(|update| update.progress);
    assert_eq!(last, Some(3.0));

    let mut seen = 0;
    let mut call = client
        .call_tool("endless", json!({}))
        .total_timeout(limit)
        .start();
    seen += call.by_ref().count();
    let error = call.result().expect_err("it goes on");
    assert_eq!(error.timeout_clock(), Some(Clock::Total));
    assert!(seen > 0 && error.last_update().is_some(), "{error}");
    wait_for_cancels(&log, 2);
}

/// Also those of the builder count.
#[test]
fn limits_of_the_client_are_those_of_its_calls() {
    let connect = mcp_progress::blocking::Client::connect(restless());
    let client = connect.idle_timeout(Duration::from_millis(50)).connect();
    let error = client.expect("connects").call_tool("stalls", json!({}));
    let error = error.send().expect_err("it goes silent");
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
}

#[test]
fn a_panic_of_the_handler_unwinds_to_the_caller_and_cancels_the_call() {
    let (client, log) = connected(restless());
    let mut seen = Vec::new();
    let sent = catch_unwind(AssertUnwindSafe(|| {
        client
            .call_tool("endless", json!({}))
            .on_progress(|update| {
                seen.push(update.progress);
                assert!(seen.len() < 2, "the second update");
            })
            .send()
    }));
    let panic = sent.expect_err("it went through");
    let text = panic.downcast_ref::<&str>().copied();
    assert_eq!(text, Some("the second update"));
    assert_eq!(seen.len(), 2);
    wait_for_cancels(&log, 1);
    assert_eq!((client.stats().live_calls, client.progress().len()), (0, 0));
    assert!(client.list_tools().send().is_ok(), "the connection goes on");
}

#[test]
fn dropping_a_call_cancels_it() {
    let (client, log) = connected(restless());
    let mut call = client.call_tool("endless", json!({})).start();
    assert!(call.next().is_some());
    drop(call);
    wait_for_cancels(&log, 1);
    for update in client.call_tool("endless", json!({})).start() {
        if update.progress >= 3.0 {
            break;
        }
    }
    wait_for_cancels(&log, 2);
    assert_eq!((client.stats().live_calls, client.progress().len()), (0, 0));
}

#[test]
fn a_tool_that_fails_gives_a_result_and_a_refusal_an_error() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let arguments = json!({"after": 2, "delay_ms": 1});
    assert!(client.call_tool("fail", arguments).send()?.is_error);
    let error = client.call_tool("no such tool", json!({})).send();
    assert_eq!(error.expect_err("refused").kind(), ErrorKind::Rpc);
    let error = client.call_tool("count", 7).send();
    let error = error.expect_err("no object");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    Ok(())
}

/// What the options do is tested with the async client; here, that they arrive.
#[test]
fn options_reach_the_request() -> Result<()> {
    let (client, log) = connected(ScriptedServer::demo());
    let token = ProgressToken::from("mine");
    let updates = client.progress().subscribe(&token);
    client
        .call_tool("burst", json!({"n": 3}))
        .progress_token(token)
        .meta("example.com/why", "because")
        .send()?;
    client
        .call_tool("burst", json!({"n": 3}))
        .without_progress()
        .on_progress(|_| panic!("it has no token"))
        .send()?;
    let sent: Vec<Value> = log
        .requests("tools/call")
        .iter()
        .map(|request| request.params()["_meta"].clone())
        .collect();
    assert_eq!(sent[0]["progressToken"], "mine");
    assert_eq!(sent[0]["example.com/why"], "because");
    assert!(sent[1].get("progressToken").is_none());
    let heard = mcp_progress::blocking::iter(updates).map(|update| update.progress);
    assert_eq!(heard.collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    Ok(())
}

/// Waits nest: neither call misses what woke the other.
#[test]
fn a_handler_may_call_too() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let (mut outer, mut inner) = (0, 0);
    client
        .call_tool("count", json!({"steps": 5, "delay_ms": 1}))
        // The handler is slower than the tool, on a busy machine by much.
        .drain_for(None)
        .on_progress(|_| {
            outer += 1;
            let nested = client.call_tool("count", json!({"steps": 3, "delay_ms": 2}));
            let nested = nested.on_progress(|_| inner += 1).send();
            assert!(nested.is_ok(), "{nested:?}");
        })
        .send()?;
    assert_eq!((outer, inner), (5, 15));
    Ok(())
}
