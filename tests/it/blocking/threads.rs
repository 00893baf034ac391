//! One client, several threads: calls beside each other, buttons and readers elsewhere, calls that nobody waits for.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mcp_progress::blocking::{Call, Client, Detached, NextError, Request, iter};
use mcp_progress::model::CallToolResult;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Canceller, ErrorKind, ProgressToken, Result};
use serde_json::{Value, json};

use super::{connected, restless, wait_for_cancels};

#[test]
fn sixteen_threads_share_a_client() {
    let (client, _log) = connected(ScriptedServer::demo());
    thread::scope(|scope| {
        for steps in 1..=16 {
            let client = client.clone();
            scope.spawn(move || {
                let mut seen = Vec::new();
                let result = client
                    .call_tool("count", json!({"steps": steps, "delay_ms": 1}))
                    .drain_for(None)
                    .on_progress(|update| seen.push(update.progress as u64))
                    .send()
                    .expect("counted");
                assert_eq!(seen, (1..=steps).collect::<Vec<_>>());
                assert_eq!(result.as_text(), Some(format!("counted to {steps}")));
            });
        }
    });
    assert_eq!((client.stats().live_calls, client.progress().len()), (0, 0));
}

/// What a handler of Ctrl-C does: the button is pressed while this thread waits.
#[test]
fn another_thread_cancels() {
    let (client, log) = connected(restless());
    let call = client.call_tool("endless", json!({})).start();
    let button = call.canceller();
    let mut watched = call.updates();
    let pressed = thread::spawn(move || {
        assert!(watched.next().is_some());
        let again = button.clone();
        (
            button.cancel("the user has seen enough"),
            again.cancel("again"),
        )
    });
    let error = call.result().expect_err("it goes on for ever");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(pressed.join().expect("no panic"), (true, false));
    wait_for_cancels(&log, 1);
    let told = log.notifications("notifications/cancelled");
    assert_eq!(told[0].params()["reason"], "the user has seen enough");
}

#[test]
fn cancelling_ends_an_iterator_that_waits() {
    let (client, _log) = connected(restless());
    let mut call = client.call_tool("stalls", json!({})).start();
    let button = call.canceller();
    for _ in 0..3 {
        assert!(call.next().is_some());
    }
    let pressed = thread::spawn(move || button.cancel("enough"));
    assert!(call.next().is_none());
    assert!(pressed.join().expect("no panic"));
    let error = call.result().expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
}

#[test]
fn a_wait_with_a_limit_loses_nothing() {
    let (client, _log) = connected(restless());
    let mut call = client.call_tool("stalls", json!({})).start();
    let mut seen = Vec::new();
    let limit = Duration::from_millis(20);
    while seen.len() < 3 {
        match call.next_timeout(limit) {
            Ok(update) => seen.push(update.expect("it has no end").progress),
            Err(error) => assert_eq!(error, NextError::TimedOut),
        }
    }
    let error = call.next_timeout(limit).expect_err("it is silent");
    assert_eq!(error, NextError::TimedOut);
    assert_eq!(seen, [1.0, 2.0, 3.0]);
    call.canceller().cancel("enough");
    assert!(matches!(call.next_timeout(Duration::MAX), Ok(None)));
}

#[test]
fn updates_are_read_on_another_thread() -> Result<()> {
    let (client, _log) = connected(ScriptedServer::demo());
    let token = ProgressToken::generate();
    let subscribed = iter(client.progress().subscribe(&token));
    let readers = [subscribed].map(|updates| {
        assert_eq!(*updates.token(), token);
        thread::spawn(move || updates.map(|update| update.progress).collect::<Vec<_>>())
    });
    let (sender, registered) = mpsc::channel();
    let _guard = client.progress().register(&token, move |update| {
        let _ = sender.send((thread::current().id(), update.progress));
    });
    client
        .call_tool("burst", json!({"n": 4}))
        .drain_for(None)
        .progress_token(token)
        .send()?;
    // A callback of the token runs where the call that carries it is waited for.
    let here = thread::current().id();
    let registered: Vec<_> = registered.try_iter().collect();
    assert_eq!(registered, [1.0, 2.0, 3.0, 4.0].map(|n| (here, n)));
    for reader in readers {
        assert_eq!(reader.join().expect("no panic"), [1.0, 2.0, 3.0, 4.0]);
    }
    Ok(())
}

#[test]
fn a_detached_call_runs_by_itself() -> Result<()> {
    let (client, log) = connected(restless());
    let demo = ScriptedServer::demo();
    let (other, _log) = connected(demo);
    let detached = other
        .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
        .start()
        .detach();
    let last = detached.updates().last().map(|update| update.progress);
    assert_eq!(last, Some(3.0));
    assert_eq!(
        detached.result()?.as_text().as_deref(),
        Some("counted to 3")
    );

    let detached = client.call_tool("endless", json!({})).start().detach();
    assert!(detached.updates().next().is_some() && !detached.is_finished());
    assert!(detached.canceller().cancel("enough"));
    let error = detached.result().expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    wait_for_cancels(&log, 1);
    Ok(())
}

/// Checked by the compiler; the values are never made.
#[test]
fn handles_go_from_thread_to_thread() {
    const fn send<T: Send>() {}
    const fn shared<T: Send + Sync + Clone>() {}
    send::<Call<Value>>();
    send::<Detached<CallToolResult>>();
    send::<Request<Value>>();
    shared::<Client>();
    shared::<Canceller>();
    let (client, _log) = connected(ScriptedServer::demo());
    let call = client.call_tool("burst", json!({})).start();
    let result = thread::spawn(move || call.result()).join();
    assert!(result.expect("no panic").is_ok());
}

/// The client outlives what tokio keeps of this thread: nobody can wait there any more, and the connection ends by itself.
#[test]
fn a_client_that_goes_with_its_thread() {
    thread_local! {
        static KEPT: std::cell::RefCell<Option<Client>> = const { std::cell::RefCell::new(None) };
    }
    let (client, _log) = connected(ScriptedServer::demo());
    let over = iter(client.as_async().notifications());
    thread::spawn(move || {
        KEPT.with(|kept| kept.replace(None));
        assert!(client.list_tools().send().is_ok());
        KEPT.with(|kept| kept.replace(Some(client)));
    })
    .join()
    .expect("no panic");
    assert_eq!(over.count(), 0);
}
