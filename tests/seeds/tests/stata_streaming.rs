//! Row 5, *Stata streaming*: scripts of many minutes behind Streamable HTTP. Comments and log lines keep a call alive, silence
//! ends it with a clear error, and a broken connection is noticed, taken up where that is possible, and told.
//!
//! The peer is `servers/stata.py`: either Python SDK, below Starlette, whose own keep-alive comments come from `sse-starlette`.

use std::time::{Duration, Instant};

use mcp_progress::{Client, Clock, Error, ErrorKind, LifeSigns, ProtocolVersion};
use seeds::{Peer, Program, Said, Tap};
use serde_json::json;

const HANDSHAKE: ProtocolVersion = ProtocolVersion::V2025_11_25;
const MODERN: ProtocolVersion = ProtocolVersion::V2026_07_28;

/// The peers, and the revision that each of them speaks with us.
const PEERS: [(&str, ProtocolVersion); 2] = [("py1", HANDSHAKE), ("py2", MODERN)];

fn stata(sdk: &str) -> Peer {
    Peer::python(sdk, "stata.py")
}

/// A server that comments four times a second.
fn chatty(sdk: &str) -> Peer {
    stata(sdk).variable("SEED_PING", "0.25")
}

/// A server that sends nothing but what its tools do.
fn mute(sdk: &str) -> Peer {
    stata(sdk).variable("SEED_PING", "0")
}

/// What has come before the result: at least so many comments, never further apart than `gap`, and nothing else.
fn assert_only_comments(response: &[Said], at_least: usize, gap: Duration) {
    let lines = |said: &Said| said.text.lines().map(str::to_owned).collect::<Vec<_>>();
    let all: Vec<String> = response.iter().flat_map(lines).collect();
    let begins = |with: &str| all.iter().filter(|line| line.starts_with(with)).count();
    assert!(begins(":") >= at_least, "{} comments", begins(":"));
    assert_eq!(begins("data:"), 1, "the result, and nothing else: {all:?}");
    let pauses = response.windows(2).map(|pair| pair[1].at - pair[0].at);
    let longest = pauses.max().expect("more than the head");
    assert!(longest < gap, "nothing came for {longest:?}");
}

/// A script of so many seconds, behind keep-alive comments every `pause`, with every clock as it is by default.
async fn sit_out(peer: Peer, version: ProtocolVersion, seconds: u64, pause: Duration) {
    let serving = peer.serve();
    let tap = Tap::before(serving.url()).await;
    let client = Client::http(tap.url()).await.unwrap();
    assert_eq!(client.server().protocol_version, version);
    let began = Instant::now();
    let mut updates = 0;
    let result = client
        .call_tool("stata_do", json!({"seconds": seconds}))
        .on_progress(|_| updates += 1)
        .await
        .unwrap();
    let took = began.elapsed();
    let text = format!("end of do-file after {seconds} s");
    assert_eq!(result.as_text().as_deref(), Some(text.as_str()));
    assert_eq!(updates, 0, "this script says nothing of its progress");
    let whole = Duration::from_secs(seconds);
    assert!(
        (whole..whole + Duration::from_secs(15)).contains(&took),
        "{took:?}"
    );
    let expected = whole.as_millis() / pause.as_millis();
    let least = usize::try_from(expected).unwrap() - 2;
    let response = tap.response_with(&text);
    assert_only_comments(&response, least, pause * 3);
    let notes = peer.notes();
    let counts = ["started", "finished", "cancelled"].map(|event| notes.of(event).len());
    assert_eq!(counts, [1, 1, 0], "it ran once, to its end");
    let comments = response.iter().filter(|said| said.text.contains(": ping"));
    println!(
        "{version}: {took:.1?}, {} comments, no update",
        comments.count()
    );
    client.close().await;
}

/// What a user of the command sees of such a script: the result.
async fn sit_out_at_the_command(peer: Peer, seconds: u64) {
    let serving = peer.serve();
    let words = format!("seconds:={seconds}");
    let words = ["call", "stata_do", &words, "--url", serving.url()];
    let began = Instant::now();
    let ended = Program::start(&words, None).ended().await;
    let took = began.elapsed();
    let text = format!("end of do-file after {seconds} s");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout[0], text);
    assert!(took >= Duration::from_secs(seconds));
    println!("command: {took:.1?}, exit code 0");
}

fn assert_idle(error: &Error, limit: &str) {
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
    let said = error.to_string();
    for part in [
        "tools/call: ",
        &format!("no sign of life for {limit}, the idle limit"),
        "no update arrived",
        "raise `idle_timeout`",
    ] {
        assert!(said.contains(part), "{part:?} is not in: {said}");
    }
}

/// Really waited for: `tests/seeds/run start-long` and `join-long` let the time pass beside other work.
mod long {
    use super::*;

    /// 660 seconds of comments, one every 15 seconds as the SDKs have it by themselves, in both eras, and at the command. The idle
    /// clock stands at its default of 300 seconds, so without the comments all three would fail.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn keep_alives_for_660_seconds() {
        let pause = Duration::from_secs(15);
        let [(old, handshake), (new, modern)] = PEERS;
        tokio::join!(
            sit_out(stata(old), handshake, 660, pause),
            sit_out(stata(new), modern, 660, pause),
            sit_out_at_the_command(stata(old), 660),
        );
    }

    /// And without them it does fail, at the default.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn silence_for_the_default_300_seconds() {
        let peer = mute("py1");
        let serving = peer.serve();
        let client = Client::http(serving.url()).await.unwrap();
        let call = client.call_tool("stata_do", json!({"seconds": 660}));
        let began = Instant::now();
        let error = call.await.unwrap_err();
        let took = began.elapsed();
        assert_idle(&error, "300s");
        let limit = Duration::from_secs(300);
        assert!(
            (limit..limit + Duration::from_secs(15)).contains(&took),
            "{took:?}"
        );
        peer.notes().wait_for("cancelled", 1).await;
        println!("silence: {took:.1?}, {error}");
        client.close().await;
    }
}

/// The long test in little.
#[tokio::test]
async fn comments_hold_a_short_idle_clock_off() {
    for (sdk, version) in PEERS {
        let peer = chatty(sdk);
        let serving = peer.serve();
        let tap = Tap::before(serving.url()).await;
        let client = Client::http(tap.url())
            .idle_timeout(Duration::from_secs(2))
            .await
            .unwrap();
        assert_eq!(client.server().protocol_version, version);
        let call = client.call_tool("stata_do", json!({"seconds": 5}));
        let result = call.await.unwrap();
        assert_eq!(
            result.as_text().as_deref(),
            Some("end of do-file after 5 s")
        );
        let response = tap.response_with("end of do-file");
        assert_only_comments(&response, 12, Duration::from_secs(2));
        client.close().await;
    }
}

/// Whoever does not trust comments says so.
#[tokio::test]
async fn comments_are_no_life_where_only_updates_count() {
    for (sdk, _) in PEERS {
        let peer = chatty(sdk);
        let serving = peer.serve();
        let client = Client::http(serving.url()).await.unwrap();
        let error = client
            .call_tool("stata_do", json!({"seconds": 60}))
            .idle_timeout(Duration::from_secs(1))
            .life_signs(LifeSigns::Updates)
            .await
            .unwrap_err();
        assert_idle(&error, "1s");
        peer.notes().wait_for("cancelled", 1).await;
        client.close().await;
    }
}

/// Log lines keep the stream open too, and they are what the user sees moving.
#[tokio::test]
async fn log_lines_are_life_and_are_seen() {
    let peer = mute("py1");
    let serving = peer.serve();
    let client = Client::http(serving.url()).await.unwrap();
    let mut notifications = client.notifications();
    let script = json!({"seconds": 5, "log_every": 0.5});
    let call = client
        .call_tool("stata_do", script)
        .idle_timeout(Duration::from_secs(2));
    let result = call.await.unwrap();
    assert_eq!(
        result.as_text().as_deref(),
        Some("end of do-file after 5 s")
    );
    for line in 1..=8 {
        let notification = notifications.next().await.unwrap();
        assert_eq!(notification.method, "notifications/message");
        let params: serde_json::Value = notification.params().unwrap();
        assert_eq!(params["data"], format!(". regress y x{line}"));
    }
    client.close().await;

    let words = "call stata_do seconds:=3 log_every:=0.4 --idle-timeout 2s --url";
    let words: Vec<&str> = words.split(' ').chain([serving.url()]).collect();
    let mut program = Program::start(&words, None);
    program.shows(". regress y x1").await;
    program.shows(". regress y x3").await;
    let ended = program.ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout[0], "end of do-file after 3 s");
}

/// A call of which not a byte comes fails with a clear error, and its script is stopped.
#[tokio::test]
async fn a_dead_script_fails_with_a_clear_error() {
    for (sdk, _) in PEERS {
        let peer = mute(sdk);
        let serving = peer.serve();
        let client = Client::http(serving.url())
            .idle_timeout(Duration::from_secs(2))
            .await
            .unwrap();
        let began = Instant::now();
        let call = client.call_tool("stata_do", json!({"seconds": 60}));
        let error = call.await.unwrap_err();
        assert_idle(&error, "2s");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(10), "{took:?}");
        peer.notes().wait_for("cancelled", 1).await;
        client.close().await;

        let words = "call stata_do seconds:=60 --idle-timeout 1s --url";
        let words: Vec<&str> = words.split(' ').chain([serving.url()]).collect();
        let ended = Program::start(&words, None).ended().await;
        assert_eq!(ended.code, Some(5), "{ended:?}");
        let told = ended.stderr.join("\n");
        assert!(told.contains("no sign of life for 1s"), "{told}");
        peer.notes().wait_for("cancelled", 2).await;
    }
}

/// A server that dies takes its call with it at once, long before any clock.
#[tokio::test]
async fn a_lost_connection_is_noticed() {
    for (sdk, _) in PEERS {
        let peer = stata(sdk);
        let serving = peer.serve();
        let client = Client::http(serving.url()).await.unwrap();
        let began = Instant::now();
        let script = json!({"seconds": 60, "die_after": 0.5});
        let error = client.call_tool("stata_do", script).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(30), "{took:?}");
    }
}

/// Where the server keeps its events, a stream that breaks is taken up again; the updates say where that was.
#[tokio::test]
async fn a_broken_stream_is_taken_up_and_told() {
    let peer = Peer::installed("ts1-http");
    let serving = peer.serve();
    let client = Client::http(serving.url()).await.unwrap();
    let mut updates = Vec::new();
    let steps = json!({"steps": 6, "delay_ms": 100, "every": 2});
    let result = client
        .call_tool("drop", steps)
        .on_progress(|update| updates.push((update.progress, update.gap)))
        .await
        .unwrap();
    assert_eq!(result.as_text().as_deref(), Some("counted 6"));
    let values: Vec<f64> = updates.iter().map(|(value, _)| *value).collect();
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let gaps: Vec<f64> = updates
        .iter()
        .filter_map(|(value, gap)| gap.then_some(*value))
        .collect();
    assert_eq!(gaps, [3.0, 5.0], "behind each break");
    client.close().await;
}

/// The clock for the whole call does not care how alive the script is.
#[tokio::test]
async fn the_total_clock_ends_a_script_that_is_alive() {
    let peer = chatty("py1");
    let serving = peer.serve();
    let client = Client::http(serving.url()).await.unwrap();
    let error = client
        .call_tool("stata_do", json!({"seconds": 60}))
        .total_timeout(Duration::from_secs(2))
        .await
        .unwrap_err();
    assert_eq!(error.timeout_clock(), Some(Clock::Total));
    peer.notes().wait_for("cancelled", 1).await;
    client.close().await;
}
