//! Cancelling: one signal on the wire for a call that is on the wire, none for any other.
//!
//! Promise 7. A server played by hand sees the very lines.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use futures::FutureExt;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Call, Client, ErrorKind, Progress, StreamEnd};
use serde_json::{Value, json};

use crate::peer::{Peer, done, now, settle, spawn, update};

const SECOND: Duration = Duration::from_secs(1);

fn is_cancel_of(message: &Value, request: &Value) -> bool {
    message["method"] == "notifications/cancelled"
        && message.get("id").is_none()
        // The same JSON type, and not just the same digits.
        && message["params"]["requestId"] == request["id"]
}

#[track_caller]
fn assert_cancels(rest: &[Value], requests: &[&Value]) {
    assert_eq!(rest.len(), requests.len(), "{rest:?}");
    for (message, request) in rest.iter().zip(requests) {
        assert!(is_cancel_of(message, request), "{message} for {request}");
        assert!(message["params"]["reason"].is_string(), "{message}");
    }
}

fn call(client: &Client, name: &str) -> mcp_progress::Request<Value> {
    client.request("tools/call", json!({"name": name}))
}

/// What every way to give a call up leaves on the wire: this, once.
#[tokio::test(start_paused = true)]
async fn each_way_to_give_up_sends_one_cancel() {
    let (client, mut peer) = Peer::connect(1 << 16).await;

    // Dropped as a handle, as a running future, with its task, and by leaving `select!`.
    let handle = call(&client, "dropped").start();
    let dropped = peer.next().await;
    drop(handle);
    assert!(is_cancel_of(&peer.next().await, &dropped));

    let task = spawn(call(&client, "aborted").send());
    let aborted = peer.next().await;
    task.abort();
    assert!(task.await.expect_err("aborted").is_cancelled());
    assert!(is_cancel_of(&peer.next().await, &aborted));

    let selected = tokio::select! {
        _ = call(&client, "selected") => unreachable!("no answer"),
        request = peer.next() => request,
    };
    assert!(is_cancel_of(&peer.next().await, &selected));

    // By the button, by the clocks, by a panic of the handler.
    let handle = call(&client, "cancelled").start();
    let cancelled = peer.next().await;
    assert!(handle.canceller().cancel("the user \"clicked\"\n"));
    let error = handle.await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let message = peer.next().await;
    assert!(is_cancel_of(&message, &cancelled));
    assert_eq!(message["params"]["reason"], "the user \"clicked\"\n");

    for (name, clock) in [("idle", SECOND), ("total", 2 * SECOND)] {
        let limited = call(&client, name).idle_timeout(SECOND);
        let limited = if name == "total" {
            limited.idle_timeout(None)
        } else {
            limited
        };
        let (error, request) = tokio::join!(limited.total_timeout(clock).send(), peer.next());
        assert_eq!(error.expect_err("too late").kind(), ErrorKind::Timeout);
        let message = peer.next().await;
        assert!(is_cancel_of(&message, &request));
        assert!(
            message["params"]["reason"]
                .as_str()
                .is_some_and(|text| text.contains("timeout"))
        );
    }

    let task = spawn(
        call(&client, "panicking")
            .on_progress(|_| panic!("on purpose"))
            .into_future(),
    );
    let panicking = peer.next().await;
    peer.update(&panicking, 1).await;
    assert!(task.await.expect_err("a panic").is_panic());
    assert!(is_cancel_of(&peer.next().await, &panicking));

    // Nothing else, and nothing twice.
    assert_eq!(client.stats().live_calls, 0);
    assert_eq!(client.stats().registrations, 0);
    client.close().await;
    assert_cancels(&peer.rest().await, &[]);
}

#[tokio::test(start_paused = true)]
async fn closing_and_dropping_the_client_cancel_what_is_in_flight() {
    let (client, mut peer) = Peer::connect(1 << 16).await;
    let one = spawn(call(&client, "one").send());
    let two = call(&client, "two").start();
    let requests = [peer.next().await, peer.next().await];
    let stream = two.updates();
    client.close().await;
    assert!(client.is_closed());
    for error in [one.await.expect("no panic"), two.await] {
        assert_eq!(error.expect_err("closed").kind(), ErrorKind::Cancelled);
    }
    let mut stream = stream;
    assert!(stream.next().await.is_none());
    assert_eq!(stream.end(), Some(StreamEnd::Cancelled));
    let mut rest = peer.rest().await;
    rest.sort_by_key(|message| message["params"]["requestId"].as_i64());
    let mut ids = [&requests[0], &requests[1]];
    ids.sort_by_key(|request| request["id"].as_i64());
    assert_cancels(&rest, &ids);
    let refused = call(&client, "late").await.expect_err("closed");
    assert_eq!(refused.kind(), ErrorKind::ConnectionLost);

    // Dropping the client alone ends nothing that is still awaited; the last call takes it along.
    let (client, mut peer) = Peer::connect(1 << 16).await;
    let handle = call(&client, "alone").start();
    drop(client);
    let alone = peer.next().await;
    peer.update(&alone, 1).await;
    settle().await;
    assert_eq!(
        handle.last_update().map(|update| update.progress),
        Some(1.0)
    );
    drop(handle);
    assert_cancels(&peer.rest().await, &[&alone]);
}

/// Polls `future` so many times at most, then drops it and gives what `before` that was to be seen.
async fn poll_at_most<F: Future, B>(
    future: F,
    mut polls: usize,
    before: impl Fn() -> B,
) -> Result<F::Output, B> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if polls == 0 {
            return Poll::Ready(Err(before()));
        }
        polls -= 1;
        match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Ok(output)),
            Poll::Pending if polls == 0 => Poll::Ready(Err(before())),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// Dropped after each number of polls, a call leaves one cancel if its request was read, none otherwise.
#[tokio::test(start_paused = true)]
async fn dropping_at_any_await_point_cancels_once() {
    let server = ScriptedServer::new().tool("work", |_| {
        let script = Script::new()
            .progress(1, 4)
            .wait(SECOND)
            .progress(2, 4)
            .wait(SECOND);
        script.burst(|together| together.progress(3, 4).progress(4, 4).text("done"))
    });
    let client = Client::connect(server.clone()).await.expect("connects");
    let (mut finished, mut cancelled, mut answered) = (0, 0, 0);
    for polls in 0..24 {
        let asked = server.log().requests("tools/call").len();
        let call = client.call_tool("work", json!({}));
        let awaiting = call.on_progress_async(|_| async {
            tokio::task::yield_now().await;
            tokio::time::sleep(SECOND / 10).await;
        });
        let live = || client.stats().live_calls;
        let outcome = poll_at_most(awaiting.into_future(), polls, live).await;
        assert_eq!(client.stats().live_calls, 0, "{polls} polls");
        assert_eq!(client.stats().registrations, 0, "{polls} polls");
        settle().await;
        let asked = server.log().requests("tools/call").len() - asked;
        match outcome {
            Ok(result) => {
                result.expect("a result");
                finished += 1;
            }
            // Dropped with the response already here, behind a busy handler.
            Err(0) => answered += asked,
            Err(_) => cancelled += asked,
        }
        assert_eq!(server.log().cancelled().len(), cancelled, "{polls} polls");
    }
    let all = (finished, cancelled, answered);
    assert!(finished > 3 && cancelled > 3 && answered > 0, "{all:?}");
    assert_eq!(server.log().stopped().len(), cancelled);
    client.close().await;
    assert_eq!(server.log().cancelled().len(), cancelled);
}

#[tokio::test(start_paused = true)]
async fn dropping_before_the_first_poll_or_after_the_response_says_nothing() {
    let (client, mut peer) = Peer::connect(1 << 16).await;
    // Never polled: never registered, never written.
    drop(call(&client, "builder"));
    drop(call(&client, "future").into_future());
    drop(call(&client, "handled").on_progress(|_| ()).into_future());
    assert_eq!(client.stats().live_calls, 0);
    // Started, but dropped before the writer came to it.
    let handle = call(&client, "withdrawn").start();
    assert_eq!(client.stats().live_calls, 1);
    assert!(handle.request_id().is_some());
    drop(handle);
    assert_eq!(client.stats().queued_frames, 0);

    // The response is there, but not taken: unpolled, half read, and with an update left over.
    for updates in [0, 2] {
        let mut handle = call(&client, "answered").start();
        let stop = handle.canceller();
        let request = peer.next().await;
        let lines = (1..=updates).map(|n| format!("{}\n", update(&request, n)));
        let response = json!({"jsonrpc": "2.0", "id": request["id"], "result": done()});
        peer.send_text(&format!("{}{response}\n", lines.collect::<String>()))
            .await;
        settle().await;
        assert_eq!(client.stats().live_calls, 0);
        if updates > 0 {
            assert!(handle.next().await.is_some());
        }
        assert!(!stop.cancel("too late"));
        drop(handle);
        assert!(!stop.cancel("much too late"));
    }
    // Taken: a finished call has nothing to cancel.
    let handle = call(&client, "finished").start();
    let stop = handle.canceller();
    let (result, ()) = tokio::join!(handle.result(), async {
        let request = peer.next().await;
        peer.answer(&request, done()).await;
    });
    result.expect("a result");
    assert!(!stop.cancel("after the end"));
    client.close().await;
    assert_cancels(&peer.rest().await, &[]);
}

/// `next()` may be dropped and asked again: it takes an update only when it gives it.
#[tokio::test(start_paused = true)]
async fn dropping_next_cancels_nothing_and_loses_nothing() {
    let server = ScriptedServer::new().tool("work", |_| {
        Script::new().wait(SECOND).every(SECOND, 20).text("done")
    });
    let client = Client::connect(server.clone()).await.expect("connects");
    let mut call = client.call_tool("work", json!({})).start();
    let (mut seen, mut dropped) = (Vec::new(), 0);
    loop {
        tokio::select! {
            biased;
            () = tokio::time::sleep(SECOND * 2 / 3) => dropped += 1,
            update = call.next() => match update {
                Some(Progress { seq, .. }) => seen.push(seq),
                None => break,
            },
        }
        assert!(
            call.next()
                .now_or_never()
                .is_none_or(|update| update.is_none())
        );
    }
    assert_eq!(seen, (1..=20).collect::<Vec<_>>());
    assert!(dropped >= 10);
    call.await.expect("a result");
    client.close().await;
    assert!(server.log().cancelled().is_empty());
}

/// A handler at work when its call ends is dropped at that point, and nothing more is handed over.
#[tokio::test(start_paused = true)]
async fn a_cancel_reaches_a_call_inside_its_handler() {
    let (client, mut peer) = Peer::connect(1 << 16).await;
    let (started, mut at_work) = tokio::sync::mpsc::unbounded_channel();
    let token = mcp_progress::ProgressToken::from("busy");
    let running = call(&client, "busy").progress_token(token.clone());
    let running = spawn(
        running
            .on_progress_async(move |update| {
                let _ = started.send(update.seq);
                pending()
            })
            .into_future(),
    );
    let request = peer.next().await;
    let updates = format!("{}\n{}\n", update(&request, 1), update(&request, 2));
    peer.send_text(&updates).await;
    assert_eq!(at_work.recv().await, Some(1));
    let began = now();
    running.abort();
    assert!(running.await.expect_err("aborted").is_cancelled());
    assert_eq!(began.elapsed(), Duration::ZERO);
    assert_eq!(at_work.recv().await, None);

    // The same by the button: the error comes at once.
    let calling = call(&client, "busy").start();
    let stop = calling.canceller();
    let second = peer.next().await;
    assert!(is_cancel_of(&second, &request));
    let second = peer.next().await;
    let running = spawn(calling.result());
    settle().await;
    assert!(stop.cancel("enough"));
    let error = running.await.expect("no panic").expect_err("cancelled");
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::Cancelled, Duration::ZERO)
    );
    client.close().await;
    assert_cancels(&peer.rest().await, &[&second]);
}

/// The probe and the handshake are never cancelled (every revision, "Cancellation").
#[tokio::test(start_paused = true)]
async fn negotiation_is_never_cancelled() {
    for polls in 1..5 {
        let (io, mut peer) = Peer::pair(1 << 16);
        let given_up = poll_at_most(Client::connect(io).into_future(), polls, || ()).await;
        assert!(given_up.is_err());
        settle().await;
        while let Some(message) = peer.line().await {
            assert_ne!(
                message["method"], "notifications/cancelled",
                "{polls} polls"
            );
        }
    }
    // By time-out: the probe goes unanswered, then the handshake.
    let (io, peer) = Peer::pair(1 << 16);
    let error = Client::connect(io).await.expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    let methods: Vec<_> = peer
        .rest()
        .await
        .iter()
        .map(|m| m["method"].clone())
        .collect();
    assert_eq!(methods, ["server/discover", "initialize"]);
}

/// A typed handle, so that the compiler knows what is dropped.
#[tokio::test(start_paused = true)]
async fn a_call_that_could_not_start_has_nothing_to_cancel() {
    let (client, peer) = Peer::connect(1 << 16).await;
    let failed: Call<Value> = client.request("vendor/bad", json!([1])).start();
    assert!(!failed.canceller().cancel("") && failed.token().is_none());
    assert_eq!(
        failed.await.expect_err("no object").kind(),
        ErrorKind::InvalidInput
    );
    client.close().await;
    assert_cancels(&peer.rest().await, &[]);
}
