//! Handshake sessions: kept, lost, renewed once for all, and ended.
//!
//! Revision 2025-11-25, Streamable HTTP, "Session Management".

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcp_progress::model::LoggingLevel;
use mcp_progress::{Client, ErrorKind};
use serde_json::json;

use super::calls::{assert_idle, count, text, values, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{SESSION, Server, answer, handshake, result, says, step};
use crate::peer::initialized;

/// Forgets the first session when it is told to, and answers 404 to it from then on.
#[derive(Clone, Debug, Default)]
struct Forgetful(Arc<AtomicBool>);

impl Forgetful {
    fn forget(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn refuses(&self, got: &Got) -> Option<Reply> {
        let gone = self.0.load(Ordering::SeqCst) && got.header("mcp-session-id") == Some(SESSION);
        gone.then(|| {
            let body = json!({"jsonrpc": "2.0", "error": {"code": -32001, "message": "Session not found"}, "id": null});
            Reply::with(404, "application/json", body.to_string())
        })
    }
}

fn initialize(got: &Got) -> Reply {
    let mut hello = initialized("2025-11-25");
    hello["capabilities"] = json!({"tools": {}, "logging": {}, "resources": {"subscribe": true}});
    Reply::json(&result(got, &hello)).header("Mcp-Session-Id", format!("session-{}", got.nth))
}

async fn forgetful(
    play: impl Fn(&Got) -> Option<Reply> + Send + Sync + 'static,
) -> (Server, Forgetful) {
    let memory = Forgetful::default();
    let server = Server::new({
        let memory = memory.clone();
        move |got| {
            let refused = memory.refuses(got);
            refused
                .or_else(|| play(got))
                .unwrap_or_else(|| match got.kind() {
                    "initialize" => initialize(got),
                    "GET" => Reply::sse().part(":\n\n").hold(),
                    _ => handshake(got),
                })
        }
    })
    .await;
    (server, memory)
}

fn sessions(got: &[Got]) -> Vec<Option<&str>> {
    got.iter().map(|got| got.header("mcp-session-id")).collect()
}

#[tokio::test]
async fn a_session_that_is_gone_is_renewed_once_for_all_and_told_what_the_old_one_was() {
    let go_on = Gate::new();
    let reading = go_on.clone();
    let (server, memory) = forgetful(move |got| {
        let stream = || {
            Reply::sse()
                .event(&step(got, 1))
                .gate(&reading)
                .event(&says(got, "read on"))
        };
        (got.tool() == "before").then(stream)
    })
    .await;
    let client = server.shake().await;
    client
        .set_log_level(LoggingLevel::Warning)
        .await
        .expect("it is set");
    client
        .subscribe_resource("file:///a")
        .await
        .expect("subscribed");
    client
        .subscribe_resource("file:///b")
        .await
        .expect("subscribed");
    client
        .unsubscribe_resource("file:///b")
        .await
        .expect("unsubscribed");
    server.request("GET", 0).await;
    let mut before = client.call_tool("before", json!({})).start();
    within(before.next()).await.expect("an update");

    memory.forget();
    let calls = (0..8).map(|_| client.call_tool("count", json!({})).into_future());
    for outcome in within(futures::future::join_all(calls)).await {
        outcome.expect("sent once more in the new session");
    }
    // What was under way in the old session is read on.
    go_on.open();
    assert_eq!(
        text(&within(before.into_future()).await.expect("a result")),
        "read on"
    );
    within(server.request("GET", 1)).await;
    count(&client).await.1.expect("it works");
    assert_idle(&client);

    let seen = server.seen();
    assert_eq!(seen.all("initialize").len(), 2);
    let again = &seen.all("initialize")[1];
    assert_eq!(again.header("mcp-session-id"), None);
    assert_eq!(
        again.json["params"],
        seen.all("initialize")[0].json["params"]
    );
    assert_eq!(
        sessions(&seen.all("notifications/initialized")),
        [Some(SESSION), Some("session-1")]
    );
    assert_eq!(
        sessions(&seen.all("GET")),
        [Some(SESSION), Some("session-1")]
    );
    let levels = seen.all("logging/setLevel");
    assert_eq!(sessions(&levels), [Some(SESSION), Some("session-1")]);
    assert_eq!(levels[1].json["params"]["level"], "warning");
    let subscribed = seen.all("resources/subscribe");
    assert_eq!(
        sessions(&subscribed),
        [Some(SESSION), Some(SESSION), Some("session-1")]
    );
    assert_eq!(subscribed[2].json["params"]["uri"], "file:///a");
    // Each of the eight at most twice, and with the same id.
    let mut counts = seen.all("tools/call");
    counts.retain(|got| got.tool() == "count");
    for call in &counts {
        let same = |other: &&Got| other.json["id"] == call.json["id"];
        let own: Vec<_> = counts.iter().filter(same).cloned().collect();
        assert!(own.len() <= 2, "{} times", own.len());
        assert_eq!(sessions(&own).last(), Some(&Some("session-1")));
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_renewed_fails_the_call() {
    for (status, nth) in [(404, 1), (500, 1)] {
        let (server, memory) = forgetful(move |got| {
            (got.kind() == "initialize" && got.nth >= nth).then(|| Reply::status(status))
        })
        .await;
        let client = server.shake().await;
        memory.forget();
        let error = within(count(&client)).await.1.expect_err("no session");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
        assert!(error.to_string().contains("session"), "{error}");
        assert_eq!(server.seen().all("tools/call").len(), 1);
        assert_idle(&client);
    }
}

/// A server that answers 404 whatever the session is not asked for ever.
#[tokio::test]
async fn a_call_is_sent_once_more_and_not_again() {
    let (server, _) = forgetful(|got| {
        (got.kind() == "tools/call").then(|| Reply::with(404, "text/plain", "no such thing"))
    })
    .await;
    let client = server.shake().await;
    let error = within(count(&client)).await.1.expect_err("refused");
    assert_eq!(error.status(), Some(404), "{error}");
    assert_eq!(server.seen().all("tools/call").len(), 2);
    assert_eq!(server.seen().all("initialize").len(), 2);
    assert_idle(&client);
}

/// The call that found the session gone is dropped while the new one is begun: others must find it whole.
#[tokio::test]
async fn a_renewal_does_not_end_with_the_call_that_began_it() {
    let gate = Gate::new();
    let slow = gate.clone();
    let (server, memory) = forgetful(move |got| {
        let late = got.kind() == "notifications/initialized" && got.nth == 1;
        late.then(|| Reply::status(202).behind(&slow))
    })
    .await;
    let client = server.shake().await;
    client
        .set_log_level(LoggingLevel::Warning)
        .await
        .expect("it is set");
    memory.forget();
    let call = client.call_tool("count", json!({})).start();
    within(server.request("notifications/initialized", 1)).await;
    drop(call);
    within(server.request("notifications/cancelled", 0)).await;
    gate.open();
    within(count(&client)).await.1.expect("it works");
    let levels = server.seen().all("logging/setLevel");
    assert_eq!(sessions(&levels), [Some(SESSION), Some("session-1")]);
    assert_eq!(server.seen().all("initialize").len(), 2);
}

/// Updates on the new session's streams find their calls.
#[tokio::test]
async fn the_new_session_works_as_the_old_one_did() {
    let (server, memory) = forgetful(|got| {
        let stream = || Reply::sse().event(&step(got, 1)).event(&answer(got));
        (got.kind() == "tools/call").then(stream)
    })
    .await;
    let client = server.shake().await;
    memory.forget();
    for _ in 0..3 {
        let (updates, result) = within(count(&client)).await;
        result.expect("a result");
        assert_eq!(values(&updates), [1.0]);
    }
    assert_eq!(server.seen().all("initialize").len(), 2);
}

#[tokio::test]
async fn closing_deletes_the_session_whatever_the_server_thinks_of_it() {
    for status in [200, 202, 204, 405, 404, 500] {
        let server =
            Server::handshake(move |got| (got.kind() == "DELETE").then(|| Reply::status(status)))
                .await;
        let client = server.shake().await;
        count(&client).await.1.expect("it works");
        within(client.close()).await;
        let deleted = server.seen().all("DELETE");
        assert_eq!(sessions(&deleted), [Some(SESSION)], "{status}");
        assert_eq!(server.seen().got.last().map(Got::kind), Some("DELETE"));
        let error = count(&client).await.1.expect_err("closed");
        assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    }
}

#[tokio::test]
async fn dropping_the_last_client_deletes_the_session() {
    let server = Server::handshake(|_| None).await;
    let client = server.shake().await;
    let other = client.clone();
    drop(client);
    count(&other).await.1.expect("it works");
    assert!(server.seen().all("DELETE").is_empty());
    drop(other);
    within(server.request("DELETE", 0)).await;
}

/// The calls that closing cancels are told of while their session is still there.
async fn closed_with_a_call(
    play: impl Fn(&Got) -> Option<Reply> + Send + Sync + 'static,
) -> (Server, Client, i64) {
    let (server, _) = forgetful(play).await;
    let client = server.shake().await;
    server.request("GET", 0).await;
    let call = client.call_tool("count", json!({})).start();
    let id = call.request_id().expect("it is sent");
    server.request("tools/call", 0).await;
    // Time for the answer's head, where there is one.
    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
    within(client.close()).await;
    let error = call.await.expect_err("cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
    assert_idle(&client);
    (server, client, id)
}

#[tokio::test]
async fn closing_tells_of_cancelled_calls_before_the_session_ends() {
    let ways: [fn(&Got) -> Reply; 3] = [
        // The answer has begun; it has not; it is to come on the server's own stream.
        |got| Reply::sse().event(&step(got, 1)).hold(),
        |_| Reply::silence(),
        |_| Reply::status(202),
    ];
    for (way, play) in ways.into_iter().enumerate() {
        let (server, _client, id) =
            closed_with_a_call(move |got| (got.kind() == "tools/call").then(|| play(got))).await;
        let seen = server.seen();
        let told = seen.all("notifications/cancelled");
        assert_eq!(told.len(), 1, "{way}: {:?}", seen.kinds());
        assert_eq!(told[0].json["params"]["requestId"], id);
        assert_eq!(sessions(&told), [Some(SESSION)]);
        let kinds = seen.kinds();
        let at = |kind: &str| kinds.iter().position(|other| other == kind);
        assert!(
            at("notifications/cancelled") < at("DELETE"),
            "{way}: {kinds:?}"
        );
        assert_eq!(seen.all("initialize").len(), 1, "{way}");
    }
}

/// Closing a modern connection closes its streams, and there is no session to delete.
#[tokio::test]
async fn closing_a_modern_connection_closes_its_streams() {
    let server = Server::modern(|got| {
        (got.kind() == "tools/call").then(|| Reply::sse().event(&step(got, 1)).hold())
    })
    .await;
    let client = server.connect().await;
    let mut call = client.call_tool("count", json!({})).start();
    within(call.next()).await.expect("an update");
    within(client.close()).await;
    assert_eq!(
        call.await.expect_err("cancelled").kind(),
        ErrorKind::Cancelled
    );
    within(server.left("tools/call")).await;
    assert_eq!(server.seen().kinds(), ["server/discover", "tools/call"]);
}

/// What is spoken was told when the client connected, and may have been pinned.
#[tokio::test]
async fn a_server_that_speaks_another_revision_in_the_new_session_is_given_up() {
    let (server, memory) = forgetful(|got| {
        let again = got.kind() == "initialize" && got.nth > 0;
        again.then(|| Reply::json(&result(got, &initialized("2025-06-18"))))
    })
    .await;
    let client = server.shake().await;
    memory.forget();
    let error = within(client.call_tool("count", json!({})).into_future()).await;
    let error = error.expect_err("another revision");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert!(error.to_string().contains("another revision"), "{error}");
    assert_idle(&client);
}
