//! What a subscription keeps of what it does not read, and coming back to a call that runs by itself.
//!
//! Promise 4's policies with their exact counts, and the detached call.

use std::time::Duration;

use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{Client, ErrorKind, Overflow, ProgressToken, StreamEnd, Updates};
use serde_json::json;

use crate::peer::settle;

const SECOND: Duration = Duration::from_secs(1);

async fn drain(updates: &mut Updates) -> Vec<(u64, u64)> {
    let mut all = Vec::new();
    while let Some(update) = updates.next().await {
        all.push((update.seq, update.merged));
    }
    all
}

fn singly(places: std::ops::RangeInclusive<u64>) -> Vec<(u64, u64)> {
    places.map(|place| (place, 0)).collect()
}

#[tokio::test(start_paused = true)]
async fn policies_keep_exactly_what_they_say() {
    let server = ScriptedServer::new().tool("many", |_| {
        Script::new().burst(|together| together.flood(3000).text("done"))
    });
    let client = Client::connect(server).await.expect("connects");
    let cases = [
        (Overflow::Latest, vec![(3000, 2999)]),
        (Overflow::Buffer(0), vec![(3000, 2999)]),
        (Overflow::Buffer(1), vec![(3000, 2999)]),
        (
            Overflow::Buffer(5),
            [singly(1..=4), vec![(3000, 2995)]].concat(),
        ),
        (
            Overflow::default(),
            [singly(1..=1023), vec![(3000, 1976)]].concat(),
        ),
        (
            Overflow::Lossless { up_to: 2000 },
            [singly(1..=1999), vec![(3000, 1000)]].concat(),
        ),
        (Overflow::Lossless { up_to: 3000 }, singly(1..=3000)),
        (Overflow::Lossless { up_to: usize::MAX }, singly(1..=3000)),
    ];
    for (overflow, expected) in cases {
        let token = ProgressToken::generate();
        let mut stream = client.progress().subscribe_with(&token, overflow);
        // The call's own policy is another matter.
        let call = client.call_tool("many", json!({})).progress_token(token);
        call.overflow(Overflow::Latest).await.expect("a result");
        assert_eq!(drain(&mut stream).await, expected, "{overflow:?}");
    }
    // As a call's own policy, and as the client's, nobody reading until the end.
    for overflow in [
        Overflow::Latest,
        Overflow::Buffer(5),
        Overflow::Lossless { up_to: 4000 },
    ] {
        let call = client
            .call_tool("many", json!({}))
            .overflow(overflow)
            .drain_for(None);
        let mut call = call.start();
        settle().await;
        assert_eq!(client.stats().live_calls, 0);
        let (mut count, mut sum) = (0, 0);
        while let Some(update) = call.next().await {
            count += 1;
            sum += 1 + update.merged;
            assert_eq!(update.seq, sum, "{overflow:?}");
        }
        assert_eq!(sum, 3000, "{overflow:?}");
        match overflow {
            Overflow::Latest => assert_eq!(count, 1),
            Overflow::Buffer(n) => assert_eq!(count, n),
            _ => assert_eq!(count, 3000),
        }
        call.await.expect("a result");
    }
}

/// 256 KiB at most under the default, however few updates that is; the newest is whole and there.
#[tokio::test(start_paused = true)]
async fn bytes_are_bounded_too() {
    let server = ScriptedServer::new().tool("wordy", |_| {
        let text = "x".repeat(60 * 1024);
        let update = |n: u32| Update::new(n).message(format!("{n} {text}"));
        let script = (1..=50).fold(Script::new(), |script, n| script.progress_with(update(n)));
        script.text("done")
    });
    let client = Client::connect(server).await.expect("connects");
    let token = ProgressToken::generate();
    let mut bounded = client.progress().subscribe(&token);
    let mut lossless = client
        .progress()
        .subscribe_with(&token, Overflow::Lossless { up_to: 50 });
    let call = client.call_tool("wordy", json!({})).progress_token(token);
    call.await.expect("a result");
    let (mut bytes, mut count, mut sum, mut last) = (0, 0, 0, None);
    while let Some(update) = bounded.next().await {
        bytes += update.message.as_ref().map_or(0, |message| message.len());
        count += 1;
        sum += 1 + update.merged;
        last = Some(update);
    }
    assert!(
        bytes <= 256 * 1024 && count == 4,
        "{bytes} bytes in {count}"
    );
    assert_eq!(sum, 50);
    let last = last.expect("the newest");
    assert!(
        last.message
            .as_deref()
            .is_some_and(|text| text.starts_with("50 "))
            && !last.truncated
    );
    assert_eq!(drain(&mut lossless).await, singly(1..=50));
}

fn working() -> ScriptedServer {
    ScriptedServer::new().tool("work", |_| Script::new().every(SECOND, 10).text("done"))
}

#[tokio::test(start_paused = true)]
async fn a_detached_call_runs_by_itself_and_can_be_come_back_to() {
    let server = working();
    let client = Client::connect(server.clone()).await.expect("connects");
    let detached = client.call_tool("work", json!({})).start().detach();
    // The client is not needed for it to go on.
    let stats = client.clone();
    drop(client);
    tokio::time::sleep(SECOND * 7 / 2).await;
    let mut updates = detached.updates();
    assert_eq!(updates.next().await.map(|update| update.seq), Some(4));
    assert_eq!(updates.next().await.map(|update| update.seq), Some(5));
    assert!(!detached.is_finished());
    tokio::time::sleep(10 * SECOND).await;
    assert!(detached.is_finished());
    assert_eq!(stats.stats().live_calls, 0);
    assert_eq!(drain(&mut updates).await, singly(6..=10));
    let mut late = detached.updates();
    assert!(late.next().await.is_none());
    assert_eq!(late.end(), Some(StreamEnd::Completed));
    assert_eq!(
        detached.await.expect("a result").as_text().as_deref(),
        Some("done")
    );

    // Given up, it still runs to its end; cancelled, it does not.
    drop(stats.call_tool("work", json!({})).start().detach());
    tokio::time::sleep(20 * SECOND).await;
    assert!(server.log().stopped().is_empty());
    let detached = stats.call_tool("work", json!({})).start().detach();
    let stop = detached.canceller();
    tokio::time::sleep(SECOND).await;
    assert!(stop.cancel("enough"));
    assert_eq!(
        detached.await.expect_err("cancelled").kind(),
        ErrorKind::Cancelled
    );
    stats.close().await;
    assert_eq!(server.log().cancelled().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_detached_call_runs_the_registered_callbacks() {
    let client = Client::connect(working()).await.expect("connects");
    let token = ProgressToken::from("background");
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let guard = client.progress().register(&token, move |update| {
        let _ = sender.send(update.seq);
    });
    let call = client.call_tool("work", json!({})).progress_token(token);
    let detached = call.start().detach();
    for place in 1..=10 {
        assert_eq!(seen.recv().await, Some(place));
    }
    detached.await.expect("a result");
    drop(guard);
}

/// A handle that failed to start, taken where no runtime is.
#[tokio::test]
async fn a_failed_start_is_detached_without_a_runtime() {
    let client = Client::connect(working()).await.expect("connects");
    let failed = client
        .request::<serde_json::Value>("vendor/bad", json!([1]))
        .start();
    let detached = std::thread::spawn(move || failed.detach());
    let detached = detached.join().expect("no panic");
    assert!(!detached.canceller().cancel(""));
    let error = detached.await.expect_err("no object");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

/// Without a token there are no updates, but a stream of them still ends with the call.
#[tokio::test(start_paused = true)]
async fn a_call_without_progress_has_streams_that_end() {
    let client = Client::connect(working()).await.expect("connects");
    let call = client
        .call_tool("work", json!({}))
        .without_progress()
        .start();
    assert!(call.token().is_none());
    let mut stream = call.updates();
    assert_eq!(client.progress().len(), 0, "nothing is registered");
    call.await.expect("a result");
    let ended = tokio::time::timeout(SECOND, stream.next()).await;
    assert!(ended.expect("it ends").is_none());
    assert_eq!(stream.end(), Some(StreamEnd::Completed));
    let detached = client
        .call_tool("work", json!({}))
        .without_progress()
        .start()
        .detach();
    let mut stream = detached.updates();
    detached.await.expect("a result");
    let ended = tokio::time::timeout(SECOND, stream.next()).await;
    assert!(ended.expect("it ends").is_none());
    assert_eq!(client.progress().len(), 0);
}
