//! Whose update it is: by its token, else by the stream that it came on.
//!
//! Promise 5. On modern connections a call's stream is for nothing else (revision 2026-07-28, Streamable HTTP,
//! "Receiving Messages").

use std::sync::{Arc, Mutex};

use mcp_progress::{Client, DiagnosticKind, Progress};
use serde_json::{Value, json};

use super::calls::{assert_idle, count, told, values, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, answer, update};

const ERAS: [bool; 2] = [true, false];

/// A server whose tool sends one update with this token, and one with its own.
async fn server(modern: bool, token: fn(&Got) -> Value) -> Server {
    let play = move |got: &Got| {
        let stream = || {
            Reply::sse()
                .event(&update(&token(got), 1.0))
                .event(&update(got.token(), 2.0))
                .event(&answer(got))
        };
        (got.kind() == "tools/call").then(stream)
    };
    if modern {
        Server::modern(play).await
    } else {
        Server::handshake(play).await
    }
}

#[tokio::test]
async fn the_exact_token_needs_no_flag() {
    for modern in ERAS {
        let server = server(modern, |got| got.token().clone()).await;
        let client = server
            .connecting()
            .strict_tokens(true)
            .await
            .expect("connects");
        let (updates, result) = count(&client).await;
        result.expect("a result");
        assert_eq!(values(&updates), [1.0, 2.0]);
        assert!(
            updates
                .iter()
                .all(|update| !update.by_stream && !update.retyped)
        );
        assert_eq!(client.stats().updates, 2);
        assert_eq!(client.stats().diagnostics(), 0);
    }
}

async fn with_token_seven(client: &Client) -> Vec<Progress> {
    let mut call = client
        .call_tool("count", json!({}))
        .progress_token(7)
        .start();
    let mut updates = Vec::new();
    while let Some(update) = call.next().await {
        updates.push(update);
    }
    call.await.expect("a result");
    updates
}

#[tokio::test]
async fn a_retyped_token_is_flagged_and_strictly_refused() {
    for modern in ERAS {
        let server = server(modern, |_| json!("7")).await;
        let client = server.connect().await;
        let updates = with_token_seven(&client).await;
        assert_eq!(values(&updates), [1.0, 2.0]);
        assert!(updates[0].retyped && !updates[0].by_stream);
        assert!(!updates[1].retyped);
        assert_eq!(told(&client, DiagnosticKind::Retyped), (1, 0));

        let strict = server.connecting().strict_tokens(true);
        let client = strict.await.expect("connects");
        assert_eq!(values(&with_token_seven(&client).await), [2.0]);
        assert_eq!(told(&client, DiagnosticKind::ForeignUpdate), (1, 0));
        assert_idle(&client);
    }
}

#[tokio::test]
async fn a_foreign_token_on_a_calls_own_stream_is_that_calls() {
    for modern in ERAS {
        let server = server(modern, |_| json!("nobody's")).await;
        let client = server.connect().await;
        let (updates, result) = count(&client).await;
        result.expect("a result");
        assert_eq!(values(&updates), [1.0, 2.0]);
        assert!(updates[0].by_stream && !updates[0].retyped);
        assert!(!updates[1].by_stream);
        assert_eq!(told(&client, DiagnosticKind::ByStream), (1, 0));
        // The token is the call's own, whatever the server wrote.
        assert_eq!(updates[0].token, updates[1].token);

        let strict = server.connecting().strict_tokens(true);
        let client = strict.await.expect("connects");
        let (updates, result) = count(&client).await;
        result.expect("a result");
        assert_eq!(values(&updates), [2.0]);
        assert_eq!(told(&client, DiagnosticKind::ForeignUpdate), (1, 0));
    }
}

/// Two calls, the first of which is silent while the second's stream brings an update with the first's token.
async fn crossed(modern: bool, strict: bool) -> (Vec<Progress>, Vec<Progress>, Client) {
    let first: Arc<Mutex<Option<Got>>> = Arc::default();
    let over = Gate::new();
    let end = over.clone();
    let play = move |got: &Got| match (got.kind(), got.tool()) {
        ("tools/call", "first") => {
            *first.lock().expect("not poisoned") = Some(got.clone());
            Some(Reply::sse().part(":\n\n").gate(&over).event(&answer(got)))
        }
        ("tools/call", _) => {
            let first = first
                .lock()
                .expect("not poisoned")
                .clone()
                .expect("it is first");
            Some(
                Reply::sse()
                    .event(&update(first.token(), 1.0))
                    .event(&answer(got)),
            )
        }
        _ => None,
    };
    let server = if modern {
        Server::modern(play).await
    } else {
        Server::handshake(play).await
    };
    let connecting = server.connecting().strict_tokens(strict);
    let client = connecting.await.expect("connects");
    let mut first = client.call_tool("first", json!({})).start();
    server.request("tools/call", 0).await;
    let (second, result) = within(count(&client)).await;
    result.expect("a result");
    end.open();
    let mut updates = Vec::new();
    while let Some(update) = within(first.next()).await {
        updates.push(update);
    }
    first.await.expect("a result");
    assert_idle(&client);
    (updates, second, client)
}

#[tokio::test]
async fn on_a_modern_stream_the_stream_wins_over_another_calls_token() {
    let (first, second, client) = crossed(true, false).await;
    assert!(first.is_empty());
    assert_eq!(values(&second), [1.0]);
    assert!(second[0].by_stream);
    assert_eq!(told(&client, DiagnosticKind::ByStream), (1, 0));

    let (first, second, client) = crossed(true, true).await;
    assert!(first.is_empty() && second.is_empty());
    assert_eq!(told(&client, DiagnosticKind::ForeignUpdate), (1, 0));
}

#[tokio::test]
async fn on_a_handshake_stream_the_token_wins() {
    for strict in [false, true] {
        let (first, second, client) = crossed(false, strict).await;
        assert!(second.is_empty());
        assert_eq!(values(&first), [1.0]);
        assert!(!first[0].by_stream);
        assert_eq!(client.stats().diagnostics(), 0);
    }
}

/// An update of a call that is over, on its own stream behind the response and on that of the next call.
#[tokio::test]
async fn a_late_token_reaches_no_other_call_of_a_handshake_connection() {
    let before: Arc<Mutex<Option<Got>>> = Arc::default();
    let server = Server::handshake(move |got| {
        if got.kind() != "tools/call" {
            return None;
        }
        let mut before = before.lock().expect("not poisoned");
        let late = before
            .replace(got.clone())
            .map(|before| update(before.token(), 9.0));
        let begun = late.iter().fold(Reply::sse(), Reply::event);
        Some(begun.event(&answer(got)).event(&update(got.token(), 8.0)))
    })
    .await;
    let client = server.connect().await;
    for _ in 0..2 {
        let (updates, result) = count(&client).await;
        result.expect("a result");
        assert!(updates.is_empty(), "{updates:?}");
    }
    // Two behind their responses, one on the next call's stream.
    let late = async {
        while client.stats().count(DiagnosticKind::LateUpdate) < 3 {
            tokio::task::yield_now().await;
        }
    };
    within(late).await;
    assert_eq!(told(&client, DiagnosticKind::LateUpdate), (3, 0));
    assert_eq!(client.stats().updates, 0);
}

/// An update with a token that nobody has, on the stream that is nobody's.
#[tokio::test]
async fn a_foreign_token_on_the_servers_own_stream_is_nobodys() {
    let called = Gate::new();
    let server = Server::handshake({
        let called = called.clone();
        move |got| match got.kind() {
            "GET" => Some(
                Reply::sse()
                    .event(&update(&json!("nobody's"), 1.0))
                    .gate(&called)
                    .hold(),
            ),
            "tools/call" => Some(
                Reply::sse()
                    .event(&update(got.token(), 2.0))
                    .event(&answer(got)),
            ),
            _ => None,
        }
    })
    .await;
    let client = server.connect().await;
    let told_of = async {
        while client.stats().count(DiagnosticKind::ForeignUpdate) < 1 {
            tokio::task::yield_now().await;
        }
    };
    within(told_of).await;
    let (updates, result) = count(&client).await;
    result.expect("a result");
    assert_eq!(values(&updates), [2.0]);
}
