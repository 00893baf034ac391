//! Cancelling what waits to be written, and cancelling with grace.
//!
//! The other half of promise 7: order on the wire, silent withdrawal, the last words of a cancelled server.

use std::time::Duration;

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, ProgressToken, StreamEnd};
use serde_json::{Value, json};

use crate::peer::{Peer, done, now, settle, spawn};

const SECOND: Duration = Duration::from_secs(1);

fn call(client: &Client, name: &str) -> mcp_progress::Request<Value> {
    client.request("tools/call", json!({"name": name}))
}

/// A request that no small pipe holds.
fn long(client: &Client) -> mcp_progress::Request<Value> {
    client.request(
        "tools/call",
        json!({"name": "long", "arguments": {"text": "x".repeat(100_000)}}),
    )
}

fn names(messages: &[Value]) -> Vec<String> {
    let name = |message: &Value| match message["params"]["name"].as_str() {
        Some(name) => name.to_owned(),
        None => format!("{} {}", message["method"], message["params"]["requestId"]),
    };
    messages.iter().map(name).collect()
}

/// The server does not read: one request is in the pipe, the others wait and are withdrawn without a word.
#[tokio::test(start_paused = true)]
async fn what_waits_is_withdrawn_silently_and_cancels_go_first() {
    let (client, peer) = Peer::connect(64).await;
    let started = long(&client).start();
    settle().await;
    let id = started.request_id().expect("it was sent");
    let kept = call(&client, "kept").start();
    let stop = kept.canceller();
    let dropped = call(&client, "dropped").start();
    let aborted = spawn(call(&client, "aborted").send());
    let cancelled = call(&client, "cancelled").cancel_grace(SECOND).start();
    let timed_out = spawn(call(&client, "timed out").total_timeout(SECOND).send());
    settle().await;
    assert_eq!(client.stats().live_calls, 6);
    assert_eq!(client.stats().queued_frames, 5);

    drop(dropped);
    aborted.abort();
    assert!(aborted.await.expect_err("aborted").is_cancelled());
    // Nothing of it is on the wire, so that grace has no answer to wait for.
    let button = cancelled.canceller();
    let began = now();
    assert!(button.cancel("before it was written"));
    let error = cancelled.await.expect_err("cancelled");
    assert_eq!(
        (error.kind(), began.elapsed()),
        (ErrorKind::Cancelled, Duration::ZERO)
    );
    let error = timed_out.await.expect("no panic").expect_err("too late");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(client.stats().queued_frames, 1);

    // The one on the wire gets its cancel, ahead of the one that still waits.
    drop(started);
    assert_eq!(client.stats().queued_frames, 2);
    let reading = spawn(peer.rest());
    settle().await;
    assert!(stop.cancel("now that it is written"));
    assert_eq!(
        kept.await.expect_err("cancelled").kind(),
        ErrorKind::Cancelled
    );
    client.close().await;
    let rest = reading.await.expect("no panic");
    let expected = [
        "long".to_owned(),
        format!("\"notifications/cancelled\" {id}"),
        "kept".to_owned(),
        format!("\"notifications/cancelled\" {}", rest[2]["id"]),
    ];
    assert_eq!(names(&rest), expected);
}

/// The last "cancelled" update is still delivered, and whatever error the server ends with counts as cancelled.
#[tokio::test(start_paused = true)]
async fn grace_delivers_the_last_words_and_turns_the_error_into_cancelled() {
    let server = ScriptedServer::new().tool("work", |_| {
        let script = Script::new().progress(1, 9).until_cancelled().wait(SECOND);
        script
            .progress_message(9, 9, "cancelled")
            .error(-32800, "as you wish")
    });
    let client = Client::connect(server.clone()).await.expect("connects");
    let mut call = client
        .call_tool("work", json!({}))
        .cancel_grace(10 * SECOND)
        .start();
    let stop = call.canceller();
    let mut listener = call.updates();
    assert_eq!(call.next().await.map(|update| update.progress), Some(1.0));
    assert!(stop.cancel("enough"));
    let last = call.next().await.expect("the last words");
    assert_eq!(last.message.as_deref(), Some("cancelled"));
    assert!(call.next().await.is_none());
    let error = call.await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let source = std::error::Error::source(&error).expect("what the server said");
    assert!(source.to_string().contains("as you wish"), "{source}");
    assert!(!stop.cancel("again"));
    assert_eq!(
        listener.next().await.map(|update| update.progress),
        Some(1.0)
    );
    assert_eq!(
        listener.next().await.map(|update| update.progress),
        Some(9.0)
    );
    assert!(listener.next().await.is_none());

    // The same where nobody polls the call in its grace.
    let call = client
        .call_tool("work", json!({}))
        .cancel_grace(10 * SECOND)
        .start();
    let stop = call.canceller();
    settle().await;
    assert!(stop.cancel("enough"));
    tokio::time::sleep(5 * SECOND).await;
    assert_eq!(
        call.await.expect_err("cancelled").kind(),
        ErrorKind::Cancelled
    );
    client.close().await;
    assert_eq!(server.log().cancelled().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_result_that_comes_in_the_grace_is_given() {
    let (client, mut peer) = Peer::connect(1 << 16).await;
    let graceful = call(&client, "work").cancel_grace(10 * SECOND).start();
    let stop = graceful.canceller();
    let running = spawn(graceful.result());
    let request = peer.next().await;
    assert!(stop.cancel("enough"));
    assert!(stop.clone().cancel("twice is once on the wire"));
    assert_eq!(peer.next().await["params"]["requestId"], request["id"]);
    settle().await;
    peer.answer(&request, done()).await;
    assert_eq!(running.await.expect("no panic").expect("a result"), done());
    client.close().await;
    assert_eq!(peer.rest().await, [] as [Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn grace_ends_in_time_also_under_a_flood() {
    let server = ScriptedServer::new()
        .tool("silent", |_| Script::new().silence())
        .tool("flood", |_| {
            Script::new().every(SECOND / 100, 100_000).ignores_cancel()
        });
    let client = Client::connect(server.clone()).await.expect("connects");
    for name in ["silent", "flood"] {
        let token = ProgressToken::from(name);
        let call = client
            .call_tool(name, json!({}))
            .progress_token(token.clone());
        let call = call.cancel_grace(3 * SECOND).start();
        let mut stream = client.progress().subscribe(&token);
        let stop = call.canceller();
        let running = spawn(call.result());
        settle().await;
        let began = now();
        assert!(stop.cancel("enough"));
        let error = running.await.expect("no panic").expect_err("cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        let over = began.elapsed().checked_sub(3 * SECOND).expect("not before");
        assert!(over <= Duration::from_millis(2), "{over:?}");
        while stream.next().await.is_some() {}
        assert_eq!(stream.end(), Some(StreamEnd::Cancelled));
    }
    // Dropped in its grace, a call is not cancelled a second time; and no grace is too long.
    let call = client
        .call_tool("silent", json!({}))
        .cancel_grace(Duration::MAX)
        .start();
    let stop = call.canceller();
    settle().await;
    assert!(stop.cancel("enough"));
    settle().await;
    drop(call);
    client.close().await;
    assert_eq!(server.log().cancelled().len(), 3);
}

/// A button is pressed wherever the user is: on a thread that knows no runtime.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_canceller_works_on_a_thread_without_a_runtime() {
    let server = ScriptedServer::new().tool("work", |_| Script::new().progress(1, 2).silence());
    let client = Client::connect(server.clone()).await.expect("connects");
    for grace in [Duration::ZERO, 60 * SECOND] {
        let mut call = client
            .call_tool("work", json!({}))
            .cancel_grace(grace)
            .start();
        let stop = call.canceller();
        assert!(call.next().await.is_some());
        let pressed = std::thread::spawn(move || {
            assert!(tokio::runtime::Handle::try_current().is_err());
            (stop.cancel("from afar"), stop)
        });
        let (cancelled, stop) = pressed.join().expect("no panic");
        assert!(cancelled);
        if grace.is_zero() {
            assert_eq!(
                call.await.expect_err("cancelled").kind(),
                ErrorKind::Cancelled
            );
            assert!(!stop.cancel("over"));
        } else {
            // Nor does dropping need one.
            std::thread::spawn(move || drop((call, stop)))
                .join()
                .expect("no panic");
        }
        assert_eq!(client.stats().live_calls, 0);
    }
    client.close().await;
    let log = server.log();
    assert_eq!(log.cancelled().len(), 2);
    let cancels = log.notifications("notifications/cancelled");
    assert!(
        cancels
            .iter()
            .all(|cancel| cancel.params()["reason"] == "from afar")
    );
}
