//! Servers that die, or never lived: what the errors say.
//!
//! The servers are shell scripts, so that what they do is in the test.

use std::time::Duration;

use mcp_progress::transport::{Connector, ServerCommand, Stderr};
use mcp_progress::{Client, Error, ErrorKind, ProtocolVersion, StreamEnd};
use serde_json::{Value, json};

use crate::peer::{initialized, spawn};

/// A server that answers the handshake and goes on with `script`.
fn server(script: &str) -> ServerCommand {
    let response = json!({"jsonrpc": "2.0", "id": 1, "result": initialized("2025-11-25")});
    let script = format!("read -r initialize; echo '{response}'; read -r initialized\n{script}");
    ServerCommand::new("sh")
        .args(["-c", script.as_str()])
        .stderr(Stderr::Discard)
}

async fn connect(server: ServerCommand) -> Client {
    let connect = Client::connect(server).protocol(ProtocolVersion::V2025_11_25);
    connect.await.expect("connects")
}

#[track_caller]
fn assert_says(error: &Error, facts: &[&str]) {
    let text = error.to_string();
    for fact in facts {
        assert!(text.contains(fact), "no {fact:?} in {text}");
    }
}

#[tokio::test]
async fn a_server_that_dies_in_mid_call_is_described() {
    let script = r#"
        read -r call
        echo '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":3,"total":4}}'
        echo 'opening the index' >&2
        echo 'panicked: the disk is full' >&2
        exit 7
    "#;
    let client = connect(server(script)).await;
    let mut call = client
        .call_tool("work", json!({}))
        .progress_token("t")
        .start();
    let mut stream = call.updates();
    assert_eq!(call.next().await.map(|update| update.progress), Some(3.0));
    assert!(call.next().await.is_none());
    let error = call.await.expect_err("it died");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_says(
        &error,
        &[
            "tools/call",
            "exited with code 7",
            "opening the index",
            "the disk is full",
            "3 of 4",
        ],
    );
    assert_says(
        &error,
        &["the request was written; whether the server acted on it is unknown"],
    );
    assert!(stream.next().await.is_some());
    assert!(stream.next().await.is_none());
    assert_eq!(stream.end(), Some(StreamEnd::Disconnected));
    assert!(client.is_closed());
    assert_eq!(
        (client.stats().live_calls, client.stats().registrations),
        (0, 0)
    );
    // Whoever comes later hears the same.
    let later = client.list_tools().await.expect_err("it is gone");
    assert_eq!(later.kind(), ErrorKind::ConnectionLost);
    assert_says(&later, &["exited with code 7", "the disk is full"]);
}

#[tokio::test]
async fn a_server_that_is_killed_is_described_by_the_signal() {
    let client = connect(server("read -r call; kill -KILL $$")).await;
    let error = client
        .call_tool("work", json!({}))
        .await
        .expect_err("it died");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_says(&error, &["SIGKILL"]);
}

/// One request is too long for the pipe, so that the other is never begun.
#[tokio::test]
async fn an_error_says_whether_the_request_was_sent() {
    let client = connect(server("sleep 0.3; exit 9")).await;
    let long = json!({"text": "x".repeat(1 << 20)});
    let first = spawn(client.request::<Value>("vendor/long", long).send());
    while client.stats().queued_frames > 0 || client.stats().live_calls == 0 {
        tokio::task::yield_now().await;
    }
    let second = spawn(client.request::<Value>("vendor/short", json!({})).send());
    let sent = first.await.expect("no panic").expect_err("it died");
    let unsent = second.await.expect("no panic").expect_err("it died");
    assert_eq!(
        (sent.kind(), unsent.kind()),
        (ErrorKind::ConnectionLost, ErrorKind::ConnectionLost)
    );
    assert_says(&sent, &["the request was written"]);
    assert_says(&unsent, &["never written", "can be sent again"]);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() {
    let error = Client::stdio("no-such-program-anywhere", ["--flag"])
        .await
        .expect_err("missing");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    let source = std::error::Error::source(&error)
        .expect("what the system said")
        .to_string();
    assert!(
        source.contains("no-such-program-anywhere") && source.contains("PATH"),
        "{source}"
    );
    let command = ServerCommand::new("sh").current_dir("/no/such/directory");
    let error = Client::connect(command).await.expect_err("missing");
    let source = std::error::Error::source(&error)
        .expect("what the system said")
        .to_string();
    assert!(source.contains("/no/such/directory"), "{source}");
}

/// It ends on the probe and again on the handshake: the error is about the server, not about the protocol.
#[tokio::test]
async fn a_program_that_is_no_server_is_described() {
    let command = ServerCommand::new("sh").args(["-c", "echo 'usage: sh FILE' >&2; exit 2"]);
    let error = Client::connect(command.stderr(Stderr::Discard))
        .await
        .expect_err("no server");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert_says(&error, &["exited with code 2", "usage: sh FILE"]);
}

/// A child gets 30 seconds for the probe, since `npx` may be installing; others get 5.
#[tokio::test]
async fn the_probe_is_patient_with_processes() {
    assert_eq!(
        ServerCommand::new("npx").probe_timeout(),
        Duration::from_secs(30)
    );
    let in_memory = mcp_progress::testing::ScriptedServer::new();
    assert_eq!(in_memory.probe_timeout(), Duration::from_secs(5));
}

/// A cancel that is queued when the client goes is still written, and the server's end awaited.
#[tokio::test]
async fn closing_writes_the_cancel_and_ends_the_process() {
    let directory = std::env::temp_dir().join(format!("mcp-progress-{}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a directory");
    let command = server("cat > rest; echo bye >> rest").current_dir(&directory);
    let client = connect(command).await;
    let call = client.call_tool("work", json!({})).start();
    let id = call.request_id().expect("it was sent");
    while client.stats().queued_frames > 0 {
        tokio::task::yield_now().await;
    }
    drop(call);
    client.close().await;
    let rest = std::fs::read_to_string(directory.join("rest")).expect("it was written");
    std::fs::remove_dir_all(&directory).expect("it was ours");
    let lines: Vec<&str> = rest.lines().collect();
    assert_eq!(lines.len(), 3, "{rest}");
    let cancel: Value = serde_json::from_str(lines[1]).expect("JSON");
    assert_eq!(cancel["method"], "notifications/cancelled");
    assert_eq!(cancel["params"]["requestId"], json!(id));
    assert_eq!(lines[2], "bye");
}
