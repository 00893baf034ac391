//! Which stream brings what: answers out of place, the server's own stream, and requests of the server.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::{Client, DiagnosticKind, ErrorKind};
use serde_json::json;

use super::calls::{assert_idle, count, text, told, values, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, answer, says, step, update};

/// The call that the server's own stream answers, once it is there.
#[derive(Clone, Default)]
struct Known(Arc<Mutex<Option<Got>>>);

impl Known {
    fn set(&self, got: &Got) {
        *self.0.lock().expect("not poisoned") = Some(got.clone());
    }

    fn get(&self) -> Option<Got> {
        self.0.lock().expect("not poisoned").clone()
    }
}

fn post(got: &Got) -> bool {
    got.kind() == "tools/call"
}

/// The first GET is held until the call is there and then closed, the second brings what `play` writes.
async fn answering_on_get(
    play: impl Fn(&Got) -> Reply + Send + Sync + 'static,
    posted: Reply,
) -> Server {
    let (known, called) = (Known::default(), Gate::new());
    Server::handshake(move |got| match got.kind() {
        "GET" => Some(match known.get() {
            None => Reply::sse().part("retry: 10\n\n").gate(&called),
            Some(call) => play(&call),
        }),
        "tools/call" => {
            known.set(got);
            called.open();
            Some(posted.clone())
        }
        _ => None,
    })
    .await
}

/// Quirk 26.
#[tokio::test]
async fn a_request_that_is_accepted_is_answered_on_the_servers_own_stream() {
    let play = |call: &Got| {
        let begun = Reply::sse().event(&step(call, 1)).event(&step(call, 2));
        begun.event(&says(call, "done")).hold()
    };
    let server = answering_on_get(play, Reply::status(202)).await;
    let client = server.connect().await;
    server.request("GET", 0).await;
    let (updates, result) = within(count(&client)).await;
    assert_eq!(values(&updates), [1.0, 2.0]);
    assert_eq!(text(&result.expect("a result")), "done");
    assert_idle(&client);
}

#[tokio::test]
async fn a_request_that_is_accepted_and_answered_nowhere_fails() {
    for modern in [true, false] {
        let play = |got: &Got| post(got).then(|| Reply::status(202));
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let client = server.connect().await;
        let error = within(count(&client)).await.1.expect_err("no answer");
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        assert!(error.to_string().contains("202"), "{error}");
        assert_idle(&client);
    }
}

/// The stream that was to bring the answer is refused when it is opened again.
#[tokio::test]
async fn an_accepted_call_does_not_outlive_the_servers_own_stream() {
    let play = |_: &Got| Reply::status(405);
    let server = answering_on_get(play, Reply::status(202)).await;
    let client = server.connect().await;
    server.request("GET", 0).await;
    let error = within(count(&client)).await.1.expect_err("no answer");
    assert!(
        matches!(
            error.kind(),
            ErrorKind::ConnectionLost | ErrorKind::Protocol
        ),
        "{error}"
    );
    assert_idle(&client);
}

/// The answer comes on the server's own stream while the POST's stream stays open for ever.
#[tokio::test]
async fn an_answer_elsewhere_ends_the_exchange_of_its_call() {
    let play = |call: &Got| Reply::sse().event(&says(call, "elsewhere")).hold();
    let server = answering_on_get(play, Reply::sse().part(":\n\n").hold()).await;
    let endpoint = server.endpoint().max_connections(1);
    let client = Client::connect(endpoint).await.expect("connects");
    server.request("GET", 0).await;
    let (_, result) = within(count(&client)).await;
    assert_eq!(text(&result.expect("a result")), "elsewhere");
    // Its connection is free again, so that another request can go.
    within(client.ping().into_future())
        .await
        .expect("it is answered");
    assert_idle(&client);
}

/// As above, with the answer on the stream of another call.
#[tokio::test]
async fn an_answer_on_another_calls_stream_is_that_calls() {
    for modern in [true, false] {
        let known = Known::default();
        let play = move |got: &Got| match (got.kind(), got.tool()) {
            ("tools/call", "first") => {
                known.set(got);
                Some(Reply::sse().part(":\n\n").hold())
            }
            ("tools/call", _) => {
                let first = known.get().expect("it is first");
                Some(
                    Reply::sse()
                        .event(&says(&first, "first"))
                        .event(&says(got, "second")),
                )
            }
            _ => None,
        };
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let client = server.connect().await;
        let first = client.call_tool("first", json!({})).start();
        server.request("tools/call", 0).await;
        let (_, second) = within(count(&client)).await;
        assert_eq!(text(&second.expect("a result")), "second");
        assert_eq!(
            text(&within(first.into_future()).await.expect("a result")),
            "first"
        );
        assert_idle(&client);
        // Nobody waits for the rest of the first call's stream.
        within(server.left("tools/call")).await;
    }
}

#[tokio::test]
async fn a_second_response_is_late() {
    for modern in [true, false] {
        let play = |got: &Got| {
            let stream = || {
                Reply::sse()
                    .event(&says(got, "one"))
                    .event(&says(got, "two"))
            };
            post(got).then(stream)
        };
        let server = if modern {
            Server::modern(play).await
        } else {
            Server::handshake(play).await
        };
        let client = server.connect().await;
        let (_, result) = within(count(&client)).await;
        assert_eq!(text(&result.expect("a result")), "one");
        let late = async {
            while client.stats().count(DiagnosticKind::LateResponse) < 1 {
                tokio::task::yield_now().await;
            }
        };
        within(late).await;
        assert_eq!(told(&client, DiagnosticKind::LateResponse), (1, 0));
    }
}

/// Quirk 27: a request of the server on its own stream, while the call that wants it answered has its POST open.
#[tokio::test]
async fn a_request_of_the_server_is_answered_while_a_post_is_open() {
    let (called, answered) = (Gate::new(), Gate::new());
    let server = Server::handshake(move |got| match got.kind() {
        "GET" => {
            let ask = json!({"jsonrpc": "2.0", "id": "e-1", "method": "elicitation/create", "params": {}});
            let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
            Some(Reply::sse().gate(&called).event(&ask).event(&ping).hold())
        }
        "tools/call" => {
            called.open();
            Some(Reply::sse().event(&step(got, 1)).gate(&answered).event(&answer(got)))
        }
        "response" if got.nth == 1 => {
            answered.open();
            Some(Reply::status(202))
        }
        _ => None,
    })
    .await;
    let client = server.connect().await;
    server.request("GET", 0).await;
    let (updates, result) = within(count(&client)).await;
    result.expect("a result");
    assert_eq!(values(&updates), [1.0]);
    let mut answers = server.seen().all("response");
    answers.sort_by_key(|got| got.json["id"].is_string());
    assert_eq!(
        answers[0].json,
        json!({"jsonrpc": "2.0", "id": 1, "result": {}})
    );
    assert_eq!(answers[1].json["id"], "e-1");
    assert_eq!(answers[1].json["error"]["code"], -32601);
    for got in answers {
        assert_eq!(got.header("mcp-session-id"), Some("session-0"));
    }
    assert_eq!(told(&client, DiagnosticKind::UnservedRequest), (1, 0));
}

/// A server that asks without end must not make the client open connections without end.
#[tokio::test]
async fn a_flood_of_requests_is_answered_over_few_connections() {
    let server = Server::handshake(|got| match got.kind() {
        "tools/call" => {
            let ping = |id: u32| json!({"jsonrpc": "2.0", "id": id, "method": "ping"});
            let flood: String = (0..600)
                .map(|id| format!("data: {}\n\n", ping(id)))
                .collect();
            Some(Reply::sse().part(flood).event(&answer(got)))
        }
        "response" => Some(Reply::status(202)),
        _ => None,
    })
    .await;
    let client = server.connect().await;
    within(count(&client)).await.1.expect("a result");
    within(server.request("response", 599)).await;
    let connections = server.seen().connections;
    assert!(connections < 100, "{connections} connections");
}

#[tokio::test]
async fn the_servers_own_stream_is_taken_up_again_and_brings_notifications() {
    let server = Server::handshake(|got| {
        let changed = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        (got.kind() == "GET").then(|| match got.nth {
            0 => Reply::sse()
                .priming("first_1", 20)
                .event_id("first_2", &changed),
            1 => Reply::status(503),
            2 => Reply::status(409),
            _ => Reply::sse().event_id("first_3", &changed).hold(),
        })
    })
    .await;
    let connecting = server.connecting();
    let client = connecting.await.expect("connects");
    let again = within(server.request("GET", 3)).await;
    assert_eq!(again.header("last-event-id"), Some("first_2"));
    assert_eq!(again.header("accept"), Some("text/event-stream"));
    assert_eq!(
        server.request("GET", 1).await.header("last-event-id"),
        Some("first_2")
    );
    assert!(!client.is_closed());
}

/// Updates of a call on the server's own stream find it, and what is flagged as a gap is.
#[tokio::test]
async fn updates_of_a_call_may_come_on_the_servers_own_stream() {
    let (known, called, told_all) = (Known::default(), Gate::new(), Gate::new());
    let server = Server::handshake(move |got| match got.kind() {
        "GET" => Some(match known.get() {
            None => Reply::sse().part("retry: 10\n\n").gate(&called),
            Some(call) => {
                told_all.open();
                Reply::sse().event(&update(call.token(), 1.0)).hold()
            }
        }),
        "tools/call" => {
            known.set(got);
            called.open();
            let stream = Reply::sse().gate(&told_all).wait(20);
            Some(stream.event(&update(got.token(), 2.0)).event(&answer(got)))
        }
        _ => None,
    })
    .await;
    let client = server.connect().await;
    server.request("GET", 0).await;
    let (updates, result) = within(count(&client)).await;
    result.expect("a result");
    assert_eq!(values(&updates), [1.0, 2.0]);
    assert!(updates.iter().all(|update| !update.by_stream));
}

/// A server that leaves its answer to a notification open must not hold up what comes behind.
#[tokio::test]
async fn an_open_answer_to_a_notification_holds_up_nothing() {
    let server = Server::handshake(|got| {
        let open = || Reply::sse().part(":\n\n").hold();
        (got.kind() == "notifications/initialized").then(open)
    })
    .await;
    let client = server.connect().await;
    let call = tokio::time::timeout(Duration::from_secs(5), count(&client));
    call.await.expect("it is sent").1.expect("a result");
}
