//! Row 4, *MAAS server, stage 5*: a tool that deploys a machine by polling a slow backend, in revision 2024-11-05.
//!
//! The peer is `servers/maas.mjs` on the first TypeScript SDK. It notes each poll of its backend, and what its `AbortSignal` did.

use std::time::Duration;

use mcp_progress::{
    Client, Clock, DiagnosticKind, ErrorKind, Progress, ProgressToken, ProtocolVersion,
};
use seeds::{Notes, Peer, Program};
use serde_json::{Value, json};

const PROTOCOL: ProtocolVersion = ProtocolVersion::V2024_11_05;

/// What the backend says of a machine, poll by poll.
const COURSE: [(f64, &str); 7] = [
    (0.0, "Allocated"),
    (25.0, "Deploying: power on"),
    (25.0, "Deploying: PXE boot"),
    (25.0, "Deploying: installing the image"),
    (75.0, "Deploying: rebooting"),
    (75.0, "Deploying: configuring the network"),
    (100.0, "Deployed"),
];

/// Long enough for a tool that goes on to poll several times.
const A_WHILE: Duration = Duration::from_millis(400);

fn maas() -> Peer {
    Peer::node("maas.mjs")
}

async fn connected(peer: &Peer) -> Client {
    let client = peer.connect().protocol(PROTOCOL).await.unwrap();
    assert_eq!(client.server().protocol_version, PROTOCOL);
    client
}

fn told(update: &Progress) -> (f64, String) {
    assert_eq!(update.total, Some(100.0));
    let message = update.message.as_deref().unwrap_or_default();
    (update.progress, message.to_owned())
}

fn course(polls: usize) -> Vec<(f64, String)> {
    let course = COURSE[..polls].iter();
    course
        .map(|(value, text)| (*value, (*text).to_owned()))
        .collect()
}

/// That the tool has seen its signal, said so, and does not ask the backend any more.
async fn assert_stopped(notes: &Notes, reason: &str) {
    let aborts = notes.wait_for("abort", 1).await;
    let said = aborts[0]["reason"].as_str().unwrap();
    assert!(said.contains(reason), "{said}");
    notes.wait_for("stopped", 1).await;
    let polls = notes.of("poll").len();
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(notes.of("poll").len(), polls, "it goes on polling");
    assert_eq!(notes.of("abort").len(), 1);
}

/// Tokens may be strings or numbers.
#[tokio::test]
async fn every_message_is_shown_though_the_value_stays() {
    let client = connected(&maas()).await;
    for token in [ProgressToken::from("deploy-1"), ProgressToken::from(17)] {
        let mut updates = Vec::new();
        let result = client
            .call_tool("deploy", json!({"machine": "node-7"}))
            .progress_token(token)
            .on_progress(|update| {
                assert!(!update.regressed, "an equal value is no regress");
                assert_eq!(update.merged, 0);
                updates.push(told(&update));
            })
            .await
            .unwrap();
        assert_eq!(updates, course(7));
        assert_eq!(result.as_text().as_deref(), Some("node-7 is deployed"));
    }
    client.close().await;
}

/// A token is optional.
#[tokio::test]
async fn without_a_token_the_tool_works_in_silence() {
    let peer = maas();
    let client = connected(&peer).await;
    let call = client.call_tool("deploy", json!({})).without_progress();
    assert_eq!(
        call.await.unwrap().as_text().as_deref(),
        Some("node-1 is deployed")
    );
    assert_eq!(client.stats().updates, 0);
    assert_eq!(peer.notes().of("poll").len(), 7);
    client.close().await;
}

#[tokio::test]
async fn a_failure_comes_behind_all_its_updates() {
    let client = connected(&maas()).await;
    let mut updates = Vec::new();
    let result = client
        .call_tool("deploy", json!({"fail_at": 4}))
        .on_progress(|update| updates.push(told(&update)))
        .await
        .unwrap();
    let mut expected = course(4);
    expected.push((75.0, "Failed deployment: no disk was found".to_owned()));
    assert_eq!(updates, expected);
    assert!(result.is_error);
    assert_eq!(
        result.as_text().as_deref(),
        Some("node-1: no disk was found")
    );
    client.close().await;
}

/// A deployment that never gets further than this, and its first `updates` updates.
async fn stuck(
    client: &Client,
    updates: usize,
) -> mcp_progress::Call<mcp_progress::model::CallToolResult> {
    let arguments = json!({"stuck_at": updates - 1, "silent_from": updates});
    let mut call = client
        .call_tool("deploy", arguments)
        .cancel_grace(Duration::from_secs(3))
        .start();
    for expected in course(updates) {
        let update = call.next().await.expect("it is under way");
        assert_eq!(told(&update), expected);
    }
    call
}

#[tokio::test]
async fn dropping_the_call_stops_the_polling() {
    let peer = maas();
    let client = connected(&peer).await;
    drop(stuck(&client, 3).await);
    assert_stopped(&peer.notes(), "").await;
    assert_eq!(client.stats().live_calls, 0);
    client.close().await;
}

/// The tool's last words come within the grace, and the call ends when that is over: this SDK answers no cancelled request.
#[tokio::test]
async fn a_cancel_with_grace_shows_the_last_update() {
    let peer = maas();
    let client = connected(&peer).await;
    let mut call = stuck(&client, 4).await;
    assert!(call.canceller().cancel("the user has changed their mind"));
    let last = call.next().await.expect("within the grace");
    assert_eq!(told(&last), (25.0, "Deployment cancelled".to_owned()));
    assert!(call.next().await.is_none());
    let error = call.await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    let last = error.last_update().expect("it carries the last update");
    assert_eq!(last.message.as_deref(), Some("Deployment cancelled"));
    assert_stopped(&peer.notes(), "the user has changed their mind").await;
    client.close().await;
}

/// Without a grace the call ends at once, and the last words are counted as late.
#[tokio::test]
async fn a_cancel_without_grace_ends_at_once() {
    let peer = maas();
    let client = connected(&peer).await;
    let arguments = json!({"stuck_at": 1, "silent_from": 2});
    let mut call = client.call_tool("deploy", arguments).start();
    for _ in 0..2 {
        call.next().await.expect("it is under way");
    }
    call.canceller().cancel("enough");
    assert!(call.next().await.is_none());
    assert_eq!(call.await.unwrap_err().kind(), ErrorKind::Cancelled);
    assert_stopped(&peer.notes(), "enough").await;
    assert_eq!(client.stats().count(DiagnosticKind::LateUpdate), 1);
    client.close().await;
}

#[tokio::test]
async fn the_idle_clock_tells_the_last_update() {
    let peer = maas();
    let client = connected(&peer).await;
    let error = client
        .call_tool("deploy", json!({"stuck_at": 3, "silent_from": 4}))
        .idle_timeout(Duration::from_secs(2))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.timeout_clock(), Some(Clock::Idle));
    let last = error.last_update().expect("it carries the last update");
    assert_eq!(told(last), course(4)[3]);
    let said = error.to_string();
    assert!(
        said.contains("last update 25 of 100: Deploying: installing the image"),
        "{said}"
    );
    assert_stopped(&peer.notes(), "").await;
    client.close().await;
}

/// Updates keep the idle clock off, and not the total one.
#[tokio::test]
async fn the_total_clock_tells_the_last_update() {
    let peer = maas();
    let client = connected(&peer).await;
    let error = client
        .call_tool("deploy", json!({"stuck_at": 4, "poll_ms": 50}))
        .idle_timeout(Duration::from_secs(2))
        .total_timeout(Duration::from_secs(3))
        .await
        .unwrap_err();
    assert_eq!(error.timeout_clock(), Some(Clock::Total));
    let last = error.last_update().expect("it carries the last update");
    assert_eq!(told(last), course(5)[4]);
    assert!(last.seq > 10, "it went on and on: {last:?}");
    assert_stopped(&peer.notes(), "").await;
    client.close().await;
}

/// What the user of the command sees: a line for each message, and the result behind them.
#[tokio::test]
async fn the_command_shows_every_message() {
    let words = "call deploy machine=node-9 --protocol 2024-11-05 --progress plain";
    let words: Vec<&str> = words.split(' ').collect();
    let ended = Program::start(&words, Some(&maas())).ended().await;
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(ended.stdout, ["node-9 is deployed"]);
    // One line for each, in order, though the value stays: how the rest of it looks is not judged here.
    let mut lines = ended.stderr.iter();
    for (value, message) in COURSE {
        let percent = format!("{value}%");
        let shown = lines.find(|line| line.ends_with(message) && line.contains(&percent));
        assert!(
            shown.is_some(),
            "{percent} {message:?} in {:?}",
            ended.stderr
        );
    }
}

#[tokio::test]
async fn the_command_tells_a_failure_behind_its_updates() {
    let words = "call deploy fail_at:=2 --protocol 2024-11-05 --output jsonl --progress none";
    let words: Vec<&str> = words.split(' ').collect();
    let ended = Program::start(&words, Some(&maas())).ended().await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let lines = ended.stdout.iter().map(|line| serde_json::from_str(line));
    let lines: Vec<Value> = lines.collect::<Result<_, _>>().unwrap();
    let names: Vec<_> = lines
        .iter()
        .map(|line| line["event"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        ["start", "progress", "progress", "progress", "result"]
    );
    assert_eq!(lines[0]["protocol"], "2024-11-05");
    assert_eq!(lines[3]["message"], "Failed deployment: no disk was found");
    assert_eq!(lines[4]["is_error"], true);
}

#[tokio::test]
async fn an_interrupt_of_the_command_stops_the_polling() {
    let peer = maas();
    let words = "call deploy stuck_at:=3 --protocol 2024-11-05 --progress plain";
    let words: Vec<&str> = words.split(' ').collect();
    let mut program = Program::start(&words, Some(&peer));
    program.shows("Deploying: installing the image").await;
    program.interrupt().await;
    let ended = program.ended().await;
    assert_eq!(ended.code, Some(130), "{ended:?}");
    assert_stopped(&peer.notes(), "interrupted by the user").await;
}
