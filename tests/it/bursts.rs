//! Updates and their result in one write: every update is there before the result, singly and in order.
//!
//! Promises 1, 2 and 4, for every way to receive.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, Overflow, Progress, ProgressToken, Request, StreamEnd};
use serde_json::json;

use crate::peer::{settle, spawn};

/// How a consumer receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Callback,
    AsyncCallback,
    Stream,
    Registered,
    RegistryStream,
}

const WAYS: [Way; 5] = [
    Way::Callback,
    Way::AsyncCallback,
    Way::Stream,
    Way::Registered,
    Way::RegistryStream,
];

/// One update as it was received: value, place, earlier ones in it.
type Seen = (f64, u64, u64);

fn seen(update: &Progress) -> Seen {
    (update.progress, update.seq, update.merged)
}

/// Awaits without giving the thread away.
async fn settled_already() {}

/// A tool whose updates and result leave in one write, then one update too late.
fn server() -> ScriptedServer {
    ScriptedServer::new().tool("burst", |request| {
        let n = request.arguments()["n"].as_u64().unwrap_or(1);
        Script::new()
            .burst(|together| together.flood(n).text("done"))
            .then_late(|late| late.progress(n + 1, n + 1))
    })
}

async fn over_memory(server: &ScriptedServer) -> Client {
    Client::connect(server.clone()).await.expect("connects")
}

/// Two pipes of the operating system.
#[cfg(unix)]
async fn over_pipes(server: &ScriptedServer) -> Client {
    use tokio::net::unix::pipe::pipe;

    let (requests, served_input) = pipe().expect("a pipe");
    let (served_output, answers) = pipe().expect("a pipe");
    let server = server.clone();
    spawn(async move { server.serve(served_input, served_output).await });
    Client::io(answers, requests).await.expect("connects")
}

/// Calls the tool and gives what `way` received by the time the result was there, each update having cost `work`.
async fn receive(
    client: &Client,
    way: Way,
    n: u64,
    work: Option<Duration>,
    limits: impl Fn(Request<serde_json::Value>) -> Request<serde_json::Value>,
) -> Vec<Seen> {
    let token = ProgressToken::generate();
    let call = client.request(
        "tools/call",
        json!({"name": "burst", "arguments": {"n": n}}),
    );
    let call = limits(call.progress_token(token.clone()));
    let all = Arc::new(Mutex::new(Vec::new()));
    let note = {
        let all = all.clone();
        move |update: Progress| {
            all.lock().expect("not poisoned").push(seen(&update));
            if let Some(work) = work {
                std::thread::sleep(work);
            }
        }
    };
    match way {
        Way::Callback => drop(call.on_progress(note).await.expect("a result")),
        Way::AsyncCallback => {
            let all = all.clone();
            let noted = |update: Progress| {
                let all = all.clone();
                async move {
                    match work {
                        Some(work) => tokio::time::sleep(work).await,
                        None => settled_already().await,
                    }
                    all.lock().expect("not poisoned").push(seen(&update));
                }
            };
            call.on_progress_async(noted).await.expect("a result");
        }
        Way::Stream => {
            let mut call = call.start();
            while let Some(update) = call.next().await {
                note(update);
            }
            call.await.expect("a result");
        }
        Way::Registered => {
            let guard = client.progress().register(&token, note);
            call.await.expect("a result");
            let at_the_result = all.lock().expect("not poisoned").len();
            settle().await;
            assert_eq!(
                all.lock().expect("not poisoned").len(),
                at_the_result,
                "an update after the result"
            );
            drop(guard);
        }
        Way::RegistryStream => {
            let overflow = Overflow::Lossless { up_to: 1 << 20 };
            let mut updates = client.progress().subscribe_with(&token, overflow);
            call.await.expect("a result");
            while let Some(update) = updates.next().await {
                note(update);
            }
            assert_eq!(updates.end(), Some(StreamEnd::Completed));
        }
    }
    let mut all = all.lock().expect("not poisoned");
    std::mem::take(&mut *all)
}

fn assert_singly(received: &[Seen], n: u64, what: impl std::fmt::Debug) {
    let expected: Vec<Seen> = (1..=n).map(|i| (i as f64, i, 0)).collect();
    assert_eq!(received, expected, "{what:?}");
}

/// `seq` says which update each is, `merged` how many it stands for; together they leave none out.
fn assert_exact(received: &[Seen], n: u64, what: impl std::fmt::Debug) {
    let mut counted = 0;
    for &(progress, seq, merged) in received {
        counted += 1 + merged;
        assert_eq!((progress, seq), (counted as f64, counted), "{what:?}");
    }
    assert_eq!(counted, n, "{what:?}");
}

/// On a paused clock `drain_for` never runs out, however slow the machine is.
#[tokio::test(start_paused = true)]
async fn small_bursts_come_singly_over_memory() {
    let server = server();
    let client = over_memory(&server).await;
    for way in WAYS {
        for (n, repetitions) in [(1, 200), (3, 200), (10, 200), (1000, 20)] {
            for repetition in 0..repetitions {
                let received = receive(&client, way, n, None, |call| call).await;
                assert_singly(&received, n, (way, n, repetition));
            }
        }
    }
    assert_eq!(client.stats().live_calls, 0);
    assert_eq!(client.stats().registrations, 0);
    client.close().await;
    assert!(server.log().cancelled().is_empty());
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_bursts_come_singly_over_pipes() {
    let server = server();
    let client = over_pipes(&server).await;
    for way in WAYS {
        for (n, repetitions) in [(1, 200), (3, 200), (10, 200), (1000, 10)] {
            for repetition in 0..repetitions {
                let received = receive(&client, way, n, None, |call| call.drain_for(None)).await;
                assert_singly(&received, n, (way, n, repetition));
            }
        }
    }
    assert_eq!(client.stats().registrations, 0);
    client.close().await;
    assert!(server.log().cancelled().is_empty());
}

/// A fresh connection each time: the first call has no lead over anything.
#[tokio::test(start_paused = true)]
async fn the_first_call_of_a_connection_is_no_exception() {
    for repetition in 0..200 {
        let client = over_memory(&server()).await;
        let way = WAYS[repetition % WAYS.len()];
        let received = receive(&client, way, 10, None, |call| call).await;
        assert_singly(&received, 10, (way, repetition));
    }
}

const MANY: u64 = 100_000;

#[tokio::test]
async fn a_hundred_thousand_updates_are_all_accounted_for_over_memory() {
    let client = over_memory(&server()).await;
    for way in WAYS {
        let received = receive(&client, way, MANY, None, |call| call).await;
        assert_exact(&received, MANY, way);
        assert_eq!(client.stats().live_calls, 0);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_updates_are_all_accounted_for_over_pipes() {
    let client = over_pipes(&server()).await;
    for way in WAYS {
        let received = receive(&client, way, MANY, None, |call| call).await;
        assert_exact(&received, MANY, way);
    }
}

/// A consumer that merely does its work when it is scheduled sees no merge, however long the burst is.
#[tokio::test(start_paused = true)]
async fn a_consumer_that_keeps_up_sees_no_merge() {
    let client = over_memory(&server()).await;
    for way in [
        Way::Callback,
        Way::AsyncCallback,
        Way::Stream,
        Way::Registered,
    ] {
        let received = receive(&client, way, 20_000, None, |call| call).await;
        assert_singly(&received, 20_000, way);
    }
}

/// The server needs some microseconds for an update, these consumers a millisecond.
const WORK: Duration = Duration::from_millis(1);

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_blocking_consumer_gets_everything_on_two_workers() {
    let client = over_pipes(&server()).await;
    for way in [Way::Callback, Way::Stream, Way::Registered] {
        let client = client.clone();
        let consumer = spawn(async move {
            for n in [1, 3, 10] {
                for repetition in 0..20 {
                    let singly = |call: Request<_>| call.drain_for(None);
                    let received = receive(&client, way, n, Some(WORK), singly).await;
                    assert_singly(&received, n, (way, n, repetition));
                }
            }
            let received =
                receive(&client, way, 1000, Some(WORK), |call| call.drain_for(None)).await;
            assert_singly(&received, 1000, way);
            let received = receive(&client, way, MANY, Some(WORK), |call| call).await;
            assert_exact(&received, MANY, way);
            assert!(received.len() < 10_000, "{} one by one", received.len());
        });
        consumer.await.expect("no panic");
    }
}

/// Virtual milliseconds, so that the machine does not matter: what arrives with the result is handed over for 100 of
/// them.
#[tokio::test(start_paused = true)]
async fn an_awaiting_consumer_gets_everything_on_one_worker() {
    let client = over_memory(&server()).await;
    for n in [1, 3, 10] {
        for repetition in 0..200 {
            let received = receive(&client, Way::AsyncCallback, n, Some(WORK), |call| call).await;
            assert_singly(&received, n, (n, repetition));
        }
    }
    let lossless = |call: Request<_>| call.drain_for(None);
    let received = receive(&client, Way::AsyncCallback, 1000, Some(WORK), lossless).await;
    assert_singly(&received, 1000, "without a limit");
    for n in [1000, MANY] {
        let received = receive(&client, Way::AsyncCallback, n, Some(WORK), |call| call).await;
        assert_exact(&received, n, n);
    }
}

/// In wire order also where two tokens share every read, and where one frame comes in pieces.
#[tokio::test(start_paused = true)]
async fn interleaved_calls_keep_their_own_order() {
    let server = ScriptedServer::new().tool("steps", |_| {
        Script::new().every(Duration::ZERO, 50).text("done")
    });
    let client = over_memory(&server).await;
    let calls = (0..20).map(|_| async {
        let mut received = VecDeque::new();
        let call = client.call_tool("steps", json!({}));
        let result = call
            .on_progress(|update| received.push_back(seen(&update)))
            .await;
        result.expect("a result");
        received
    });
    for received in futures::future::join_all(calls).await {
        assert_singly(&Vec::from(received), 50, "interleaved");
    }
}

/// No update after the result, whoever listens, and the late one is counted.
#[tokio::test(start_paused = true)]
async fn late_updates_reach_nobody_and_are_counted() {
    let server = server();
    let client = over_memory(&server).await;
    let heard = Arc::new(AtomicU64::new(0));
    let token = ProgressToken::from("late");
    let guard = {
        let heard = heard.clone();
        client.progress().register(&token, move |_| {
            heard.fetch_add(1, Ordering::Relaxed);
        })
    };
    let mut stream = client.progress().subscribe(&token);
    let mut own = 0;
    let call = client.call_tool("burst", json!({"n": 3}));
    let call = call.progress_token(token).on_progress(|_| own += 1);
    call.await.expect("a result");
    settle().await;
    assert_eq!((own, heard.load(Ordering::Relaxed)), (3, 3));
    for place in 1..=3 {
        assert_eq!(stream.next().await.map(|update| update.seq), Some(place));
    }
    assert!(stream.next().await.is_none());
    let late = client
        .stats()
        .count(mcp_progress::DiagnosticKind::LateUpdate);
    assert_eq!(late, 1);
    drop(guard);
}
