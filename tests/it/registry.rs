//! The public registry of progress tokens: who may subscribe when, what each of them sees, and when it ends.
//!
//! Promises 1, 2, 4, 5 and 6 through `client.progress()`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{
    Client, DiagnosticKind, Error, ErrorKind, ProgressToken, Registration, StreamEnd, Updates,
};
use serde_json::{Value, json};

use crate::peer::{Peer, block_on, done, now, settle, spawn};

const SECOND: Duration = Duration::from_secs(1);

/// Tools named after the ways in which a call can end.
fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("three", |_| Script::new().every(SECOND, 3).text("done"))
        .tool("bad", |_| Script::new().progress(1, 2).tool_error("no"))
        .tool("error", |_| {
            Script::new().progress(1, 2).error(-32000, "no")
        })
        .tool("silent", |_| Script::new().progress(1, 2).silence())
        .tool("crash", |_| Script::new().progress(1, 2).crash())
}

async fn connect(server: &ScriptedServer) -> Client {
    Client::connect(server.clone()).await.expect("connects")
}

/// What `updates` holds until it ends.
async fn drain(updates: &mut Updates) -> Vec<u64> {
    let mut places = Vec::new();
    while let Some(update) = updates.next().await {
        places.push(update.seq);
    }
    places
}

/// A callback that notes the places of what it is given.
fn noted(client: &Client, token: &ProgressToken) -> (Arc<Mutex<Vec<u64>>>, Registration) {
    let places = Arc::new(Mutex::new(Vec::new()));
    let writing = places.clone();
    let guard = client.progress().register(token, move |update| {
        writing.lock().expect("not poisoned").push(update.seq);
    });
    (places, guard)
}

fn taken(places: &Mutex<Vec<u64>>) -> Vec<u64> {
    std::mem::take(&mut places.lock().expect("not poisoned"))
}

#[tokio::test(start_paused = true)]
async fn subscribers_may_come_before_during_and_after_the_call() {
    let client = connect(&server()).await;
    let registry = client.progress();
    let token = ProgressToken::generate();
    let mut early = registry.subscribe(&token);
    assert_eq!(registry.len(), 1);
    assert!(registry.get(&token).is_none(), "no call carries it yet");
    assert!(early.next().now_or_never().is_none());
    let (places, _guard) = noted(&client, &token);
    let call = client
        .call_tool("three", json!({}))
        .progress_token(token.clone());
    let call = spawn(call.send());
    assert_eq!(early.next().await.map(|update| update.seq), Some(1));
    assert_eq!(early.next().await.map(|update| update.seq), Some(2));
    // Late ones first get the last value, and stand for nothing but it.
    let mut late = registry.subscribe(&token);
    let mut joined = registry.get(&token).expect("it is live");
    let first = late.next().await.expect("the last value");
    assert_eq!((first.seq, first.merged), (2, 0));
    let (late_places, _late_guard) = noted(&client, &token);
    call.await.expect("no panic").expect("a result");
    // The callbacks have run by now, the streams hold what is theirs.
    assert_eq!(taken(&places), [1, 2, 3]);
    assert_eq!(taken(&late_places), [2, 3]);
    assert_eq!(registry.len(), 0);
    assert_eq!(drain(&mut early).await, [3]);
    assert_eq!(drain(&mut late).await, [3]);
    assert_eq!(drain(&mut joined).await, [2, 3]);
    for stream in [&mut early, &mut late, &mut joined] {
        assert_eq!(stream.end(), Some(StreamEnd::Completed));
        assert!(stream.next().await.is_none(), "fused");
        assert_eq!(stream.token(), &token);
    }
    // Finished: a stream that ends at once, and says the same.
    let mut after = registry.subscribe(&token);
    assert!(matches!(after.next().now_or_never(), Some(None)), "at once");
    assert_eq!(after.end(), Some(StreamEnd::Completed));
    assert!(registry.get(&token).is_none());
    let (never, _inert) = noted(&client, &token);
    assert_eq!(registry.len(), 0);
    assert_eq!(taken(&never), [] as [u64; 0]);
}

/// Each way in which a call can end, as its streams tell it: live, and to whoever asks afterwards.
#[tokio::test(start_paused = true)]
async fn a_stream_tells_how_its_call_ended() {
    let ways = [
        ("three", StreamEnd::Completed),
        ("bad", StreamEnd::Completed),
        ("error", StreamEnd::Failed),
        ("silent", StreamEnd::TimedOut),
        ("dropped", StreamEnd::Cancelled),
        ("cancelled", StreamEnd::Cancelled),
        ("closed", StreamEnd::Cancelled),
        ("crash", StreamEnd::Disconnected),
    ];
    for (way, expected) in ways {
        let client = connect(&server()).await;
        let token = ProgressToken::from(way);
        let mut stream = client.progress().subscribe(&token);
        let tool = if ["dropped", "cancelled", "closed"].contains(&way) {
            "silent"
        } else {
            way
        };
        let call = client
            .call_tool(tool, json!({}))
            .progress_token(token.clone());
        let call = call.idle_timeout(SECOND * 30).start();
        assert_eq!(client.progress().len(), 1);
        assert_eq!(client.stats().registrations, 1);
        assert_eq!(
            stream.next().await.map(|update| update.seq),
            Some(1),
            "{way}"
        );
        match way {
            "dropped" => drop(call),
            "cancelled" => assert!(call.canceller().cancel("")),
            "closed" => client.close().await,
            _ => drop(call.await),
        }
        drain(&mut stream).await;
        assert_eq!(stream.end(), Some(expected), "{way}");
        assert_eq!(client.progress().len(), 0, "{way}");
        assert!(client.progress().is_empty());
        let mut late = client.progress().subscribe(&token);
        assert!(late.next().await.is_none());
        assert_eq!(late.end(), Some(expected), "{way}");
    }
}

#[tokio::test(start_paused = true)]
async fn unregistering_ends_the_subscriptions_and_not_the_call() {
    let client = connect(&server()).await;
    let token = ProgressToken::from("unregistered");
    assert!(!client.progress().unregister(&token));
    // While it waits for a call, there is nothing left of it.
    let mut waiting = client.progress().subscribe(&token);
    assert!(client.progress().unregister(&token));
    assert_eq!(client.progress().len(), 0);
    assert!(waiting.next().await.is_none());
    assert_eq!(waiting.end(), Some(StreamEnd::Unregistered));

    let mut stream = client.progress().subscribe(&token);
    let mut never_read = client.progress().subscribe(&token);
    let (places, _guard) = noted(&client, &token);
    let mut own = Vec::new();
    let call = client
        .call_tool("three", json!({}))
        .progress_token(token.clone());
    let registry = client.progress().clone();
    let call = call.on_progress(|update| {
        own.push(update.seq);
        if update.seq == 2 {
            assert!(registry.unregister(&token));
            assert_eq!(registry.len(), 1, "the call keeps its token");
        }
    });
    call.await.expect("the call goes on");
    assert_eq!(own, [1, 2, 3]);
    assert!(taken(&places).len() < 3);
    drain(&mut stream).await;
    drain(&mut never_read).await;
    // Whatever became of the call afterwards.
    assert_eq!(stream.end(), Some(StreamEnd::Unregistered));
    assert_eq!(never_read.end(), Some(StreamEnd::Unregistered));
    assert_eq!(client.progress().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_token_lives_once_at_a_time() {
    let client = connect(&server()).await;
    let token = ProgressToken::from("twice");
    let call = || {
        client
            .call_tool("three", json!({}))
            .progress_token(token.clone())
    };
    let first = call().start();
    let refused: Error = call().await.expect_err("in flight");
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    assert!(refused.to_string().contains("twice"), "{refused}");
    // The refused one takes nothing of the first with it.
    assert_eq!((client.stats().live_calls, client.progress().len()), (1, 1));
    first.await.expect("a result");
    // Finished is free again, for another call.
    let mut again = Vec::new();
    call()
        .on_progress(|update| again.push(update.seq))
        .await
        .expect("a result");
    assert_eq!(again, [1, 2, 3]);
    let live = call().start();
    let mut stream = client.progress().subscribe(&token);
    live.await.expect("a result");
    assert_eq!(drain(&mut stream).await, [1, 2, 3]);
}

/// A guard is as good as its scope: nothing starts after it, wherever it is dropped.
#[tokio::test(start_paused = true)]
async fn a_guard_may_go_at_any_moment() {
    let client = connect(&server()).await;
    let token = ProgressToken::from("guarded");
    let registry = client.progress();
    drop(registry.register(&token, |_| unreachable!("no guard, no call")));
    assert_eq!(registry.len(), 0);
    let (kept, outer) = noted(&client, &token);
    drop(registry.subscribe(&token));
    assert_eq!(registry.len(), 1, "one still waits");

    // Inside its own callback, which owns it.
    let slot: Arc<Mutex<Option<Registration>>> = Arc::default();
    let count = Arc::new(Mutex::new(0));
    let (own, counted) = (slot.clone(), count.clone());
    let guard = registry.register(&token, move |_| {
        *counted.lock().expect("not poisoned") += 1;
        drop(own.lock().expect("not poisoned").take());
    });
    slot.lock().expect("not poisoned").replace(guard);
    let call = client
        .call_tool("three", json!({}))
        .progress_token(token.clone());
    call.await.expect("a result");
    assert_eq!(*count.lock().expect("not poisoned"), 1);
    assert_eq!(
        Arc::strong_count(&slot),
        1,
        "the callback is gone with its guard"
    );
    assert_eq!(taken(&kept), [1, 2, 3]);

    // Before and after the client, which is gone with its runtime in the end.
    let (_places, inner) = noted(&client, &ProgressToken::from("another"));
    let stream = registry.subscribe(&ProgressToken::from("a third"));
    let registry = registry.clone();
    assert_eq!(registry.len(), 2);
    client.close().await;
    drop((client, outer));
    assert_eq!(registry.len(), 0, "no call comes any more");
    drop((inner, stream));
    assert_eq!(
        registry
            .subscribe(&token)
            .next()
            .await
            .map(|update| update.seq),
        None
    );
}

/// Dropping is synchronous: in any order, on a thread that knows no runtime, after the runtime is gone.
#[test]
fn dropping_needs_no_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let client = runtime.block_on(async { connect(&server()).await });
    let token = ProgressToken::from("left over");
    let stream = client.progress().subscribe(&token);
    let (_places, guard) = noted(&client, &token);
    let call = client
        .call_tool("silent", json!({}))
        .progress_token(token.clone())
        .start();
    let other = call.updates();
    assert_eq!(client.progress().len(), 1);
    std::thread::spawn(move || drop((guard, other)))
        .join()
        .expect("no panic");
    assert_eq!(client.progress().len(), 1);
    drop(call);
    assert_eq!((client.progress().len(), client.stats().live_calls), (0, 0));
    assert_eq!(client.stats().queued_frames, 0);
    let late = client.call_tool("silent", json!({})).start();
    drop(runtime);
    let mut stream = stream;
    assert!(block_on(stream.next()).is_none());
    assert_eq!(stream.end(), Some(StreamEnd::Cancelled));
    let error = block_on(late.result()).expect_err("no runtime, no connection");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    drop(client);
}

/// Promise 5: the token is live before the first byte, so that not even an update before the response to a slow
/// registration is foreign.
#[tokio::test(start_paused = true)]
async fn a_token_is_live_before_its_request_is_written() {
    let (client, mut peer) = Peer::connect(16).await;
    let token = ProgressToken::from("early");
    let call = client
        .call_tool("work", json!({}))
        .progress_token(token.clone())
        .start();
    assert!(client.progress().get(&token).is_some());
    assert_eq!(
        (client.stats().live_calls, client.stats().queued_frames),
        (1, 1)
    );
    // While half of the request is still to be written.
    let early = json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "early", "progress": 1}});
    peer.send(&early).await;
    settle().await;
    assert_eq!(call.last_update().map(|update| update.progress), Some(1.0));
    let request = peer.next().await;
    let (result, ()) = tokio::join!(call.result(), peer.answer(&request, done()));
    result.expect("a result");
    assert_eq!(client.stats().diagnostics(), 0);
}

#[tokio::test(start_paused = true)]
async fn integers_and_strings_are_two_tokens_but_a_retyped_one_is_understood() {
    let server = ScriptedServer::new()
        .tool("echo", |request| {
            let token = request.token().cloned().unwrap_or(Value::Null);
            let script = Script::new().progress(1, 3);
            script
                .progress_for(retyped(&token), Update::new(2))
                .text("done")
        })
        .tool("wait", |_| Script::new().wait(SECOND).text("done"));
    let client = connect(&server).await;
    for token in [7, 0, -7].map(ProgressToken::from).into_iter().chain([
        ProgressToken::from("8"),
        ProgressToken::from_integer(ProgressToken::MAX_INTEGER).expect("in range"),
    ]) {
        let mut stream = client.progress().subscribe(&token);
        let call = client
            .call_tool("echo", json!({}))
            .progress_token(token.clone());
        call.await.expect("a result");
        let (first, second) = (stream.next().await, stream.next().await);
        let exact = first.map(|update| (update.retyped, update.token));
        assert_eq!(exact, Some((false, token.clone())));
        assert_eq!(
            second.map(|update| (update.retyped, update.token)),
            Some((true, token.clone()))
        );
    }
    assert_eq!(client.stats().count(DiagnosticKind::Retyped), 5);
    assert!(ProgressToken::from_integer(ProgressToken::MAX_INTEGER + 1).is_none());

    // Where both are live, each gets its own.
    let number = client
        .call_tool("wait", json!({}))
        .progress_token(7)
        .start();
    let mut text = client.progress().subscribe(&ProgressToken::from("7"));
    let call = client.call_tool("echo", json!({})).progress_token("7");
    call.await.expect("a result");
    assert_eq!(drain(&mut text).await, [1]);
    assert_eq!(
        number
            .last_update()
            .map(|update| (update.progress, update.retyped)),
        Some((2.0, false))
    );
}

fn retyped(token: &Value) -> Value {
    match token {
        Value::Number(number) => json!(number.to_string()),
        Value::String(text) => json!(text.parse::<i64>().expect("digits")),
        other => other.clone(),
    }
}

/// Streams are never waited for: a call resolves though nobody reads them.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_a_stream() {
    let client = connect(&server()).await;
    let call = client.call_tool("three", json!({})).start();
    let mut unread = (call.updates(), call.updates());
    let began = now();
    call.await.expect("a result");
    assert_eq!(began.elapsed(), 2 * SECOND);
    assert_eq!(drain(&mut unread.0).await, [1, 2, 3]);
    drop(unread.1);
}
