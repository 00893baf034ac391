//! The forms that a reply can have: JSON, event streams, refusals, and what is none of them.

use mcp_progress::{DiagnosticKind, Error, ErrorKind};
use serde_json::{Value, json};

use super::calls::{assert_idle, count, text, told, values, within};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, answer, fails, refusal, says, step};

type Form = fn(&Got) -> Reply;

/// The end of a call whose POST is answered in this way, over both eras.
async fn ends(reply: Form) -> [(Vec<f64>, Result<String, Error>); 2] {
    let play = move |got: &Got| (got.kind() == "tools/call").then(|| reply(got));
    let servers = [Server::modern(play).await, Server::handshake(play).await];
    let mut ends = Vec::new();
    for server in &servers {
        let client = server.connect().await;
        let (updates, result) = within(count(&client)).await;
        assert_idle(&client);
        ends.push((
            values(&updates),
            result.map(|result| result.as_text().unwrap_or_default()),
        ));
        assert_eq!(server.seen().all("tools/call").len(), 1);
    }
    ends.try_into().expect("two eras")
}

fn stream(got: &Got) -> Reply {
    (1..=3)
        .map(|n| step(got, n))
        .fold(Reply::sse(), |reply, update| reply.event(&update))
        .event(&says(got, "done"))
}

#[tokio::test]
async fn updates_and_result_arrive_however_they_are_cut() {
    for form in [
        stream as Form,
        |got| stream(got).glued(),
        |got| stream(got).trickled(),
        // Nothing says where it ends but the end of the connection.
        |got| stream(got).closing(),
        |got| {
            stream(got)
                .closing()
                .header("connection", "close")
                .trickled()
        },
        // The terminator comes late.
        |got| stream(got).wait(2),
        // No blank line behind the last event, and an end in order.
        |got| {
            Reply::sse()
                .event(&step(got, 1))
                .event(&step(got, 2))
                .event(&step(got, 3))
                .part(format!("data: {}", says(got, "done")))
        },
        // With its parameter, in capitals, and with odd line ends.
        |got| {
            let body = format!(
                ": hi\r\r:\r\ndata:{}\r\rdata: {}\n\ndata: {}\r\n\r\ndata: {}\n\n",
                step(got, 1),
                step(got, 2),
                step(got, 3),
                says(got, "done")
            );
            Reply::with(200, "Text/Event-Stream; charset=UTF-8", body)
        },
    ] {
        for (updates, result) in ends(form).await {
            assert_eq!(updates, [1.0, 2.0, 3.0]);
            assert_eq!(result.expect("a result"), "done");
        }
    }
}

#[tokio::test]
async fn a_result_as_json_is_taken() {
    for form in [
        (|got| Reply::json(&says(got, "done"))) as Form,
        |got| {
            Reply::with(
                200,
                "application/json; charset=utf-8",
                says(got, "done").to_string(),
            )
        },
        |got| Reply::with(200, "", says(got, "done").to_string()),
        |got| Reply::json(&says(got, "done")).closing(),
        // The id as a string.
        |got| {
            let mut said = says(got, "done");
            said["id"] = Value::from(got.json["id"].to_string());
            Reply::json(&said)
        },
    ] {
        for (updates, result) in ends(form).await {
            assert!(updates.is_empty());
            assert_eq!(result.expect("a result"), "done");
        }
    }
}

/// Revision 2025-03-26 has batches, and a reply of one may carry updates.
#[tokio::test]
async fn a_batch_as_json_is_taken_in_order() {
    let batch = |got: &Got| Reply::json(&json!([step(got, 1), step(got, 2), says(got, "done")]));
    for (updates, result) in ends(batch).await {
        assert_eq!(updates, [1.0, 2.0]);
        assert_eq!(result.expect("a result"), "done");
    }
}

#[tokio::test]
async fn an_error_that_names_no_request_ends_the_call_whose_reply_it_is() {
    for form in [
        (|_| Reply::json(&refusal(-32099))) as Form,
        |_| Reply::sse().event(&refusal(-32099)),
        |_| {
            Reply::sse()
                .event(&json!({"jsonrpc": "2.0", "error": {"code": -32099, "message": "no"}}))
        },
        |_| {
            let mut error = refusal(-32099);
            error["id"] = json!("server-error");
            Reply::json(&error)
        },
    ] {
        for (_, result) in ends(form).await {
            let error = result.expect_err("an error");
            assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32099), "{error}");
        }
    }
}

#[tokio::test]
async fn an_error_with_a_status_of_failure_has_both() {
    for form in [
        (|got| {
            Reply::with(
                400,
                "application/json",
                fails(got, -32602, "no").to_string(),
            )
        }) as Form,
        |got| {
            Reply::with(
                500,
                "application/json",
                fails(got, -32602, "no").to_string(),
            )
        },
        |_| Reply::with(404, "application/json", refusal(-32602).to_string()),
        // Quirk 33: the type of the body says how to read it, whatever the status.
        |got| {
            let body = format!("data: {}\n\n", fails(got, -32602, "no"));
            Reply::with(400, "text/event-stream", body)
        },
    ] {
        let [modern, handshake] = ends_of_any_post(form).await;
        for error in [modern, handshake] {
            assert_eq!(error.kind(), ErrorKind::Rpc, "{error}");
            assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32602), "{error}");
            assert!(
                error.status().is_some_and(|status| status >= 400),
                "{error}"
            );
        }
    }
}

/// As `ends`, where a session that is gone (404) is renewed.
async fn ends_of_any_post(reply: Form) -> [Error; 2] {
    let play = move |got: &Got| (got.kind() == "tools/call").then(|| reply(got));
    let servers = [Server::modern(play).await, Server::handshake(play).await];
    let mut errors = Vec::new();
    for server in &servers {
        let client = server.connect().await;
        errors.push(within(count(&client)).await.1.expect_err("refused"));
        assert_idle(&client);
    }
    errors.try_into().expect("two eras")
}

#[tokio::test]
async fn what_is_no_message_says_what_it_is() {
    for (form, word) in [
        (
            (|_| Reply::with(502, "text/html", "<h1>Bad Gateway</h1>")) as Form,
            "502",
        ),
        (|_| Reply::with(503, "", ""), "503"),
        (|_| Reply::with(413, "text/plain", "too large"), "too large"),
        (
            |_| {
                Reply::with(
                    400,
                    "application/json",
                    "{\"code\":-32015,\"message\":\"both\"}",
                )
            },
            "-32015",
        ),
        (
            |_| Reply::with(400, "application/json", "{\"error\":\"invalid_token\"}"),
            "invalid_token",
        ),
        (
            |_| Reply::with(200, "text/html", "<p>Log in, please</p>"),
            "Log in",
        ),
        (|_| Reply::with(200, "", ""), "200"),
    ] {
        for (_, result) in ends(form).await {
            let error = result.expect_err("no message");
            assert_eq!(error.kind(), ErrorKind::Http, "{error}");
            assert!(error.status().is_some(), "{error}");
            assert!(error.to_string().contains(word), "{error}");
        }
    }
}

#[tokio::test]
async fn json_that_answers_nothing_fails_its_call() {
    for form in [
        (|got| Reply::json(&step(got, 1))) as Form,
        |_| Reply::json(&json!([])),
        |_| Reply::with(200, "application/json", "{\"jsonrpc\":"),
        |got| {
            let mut other = answer(got);
            other["id"] = json!(4711);
            Reply::json(&other)
        },
    ] {
        for (_, result) in ends(form).await {
            let error = result.expect_err("no response");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
        }
    }
}

/// With the id in front, as some servers write it, and behind, as the TypeScript ones do.
#[tokio::test]
async fn a_response_beyond_the_limit_fails_its_call_and_says_so() {
    fn long(got: &Got, id_first: bool) -> String {
        let (id, text) = (&got.json["id"], "x".repeat(200_000));
        let result =
            format!("\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"{text}\"}}]}}");
        if id_first {
            format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},{result}}}")
        } else {
            format!("{{{result},\"jsonrpc\":\"2.0\",\"id\":{id}}}")
        }
    }
    for (streamed, id_first) in [(false, true), (false, false), (true, true), (true, false)] {
        let play = move |got: &Got| {
            let body = long(got, id_first);
            (got.kind() == "tools/call").then(|| {
                if streamed {
                    Reply::sse()
                        .event(&step(got, 1))
                        .part(format!("data: {body}\n\n"))
                } else {
                    Reply::with(200, "application/json", body)
                }
            })
        };
        for server in [Server::modern(play).await, Server::handshake(play).await] {
            let connecting = server.connecting().max_message_bytes(100_000);
            let client = connecting.await.expect("connects");
            // It would only be as long again, so sending it once more is no use.
            let request = client.call_tool("count", json!({})).reissue(2);
            let error = within(request.into_future()).await.expect_err("too long");
            let form = format!("streamed {streamed}, id first {id_first}: {error}");
            assert_eq!(error.kind(), ErrorKind::Protocol, "{form}");
            assert!(form.contains("100000 bytes"), "{form}");
            assert!(form.contains("max_message_bytes"), "{form}");
            assert_eq!(server.seen().all("tools/call").len(), 1, "{form}");
            assert_eq!(
                told(&client, DiagnosticKind::OversizedMessage),
                (1, 0),
                "{form}"
            );
            assert_idle(&client);
        }
    }
}

/// An update beyond the limit is passed over; the call goes on.
#[tokio::test]
async fn an_update_beyond_the_limit_is_passed_over() {
    let play = |got: &Got| {
        let mut long = step(got, 2);
        long["params"]["message"] = json!("x".repeat(200_000));
        let stream = || {
            Reply::sse()
                .event(&step(got, 1))
                .event(&long)
                .event(&says(got, "done"))
        };
        (got.kind() == "tools/call").then(stream)
    };
    for server in [Server::modern(play).await, Server::handshake(play).await] {
        let connecting = server.connecting().max_message_bytes(100_000);
        let client = connecting.await.expect("connects");
        let (updates, result) = within(count(&client)).await;
        assert_eq!(values(&updates), [1.0]);
        assert_eq!(text(&result.expect("a result")), "done");
        assert_eq!(told(&client, DiagnosticKind::OversizedMessage), (1, 0));
    }
}

/// A refusal without end is not read for ever.
#[tokio::test]
async fn an_endless_refusal_is_cut_short() {
    let play = |got: &Got| {
        let endless = || {
            let head = Reply::status(500)
                .header("content-type", "text/plain")
                .chunked();
            let long = "no, and no again. ".repeat(4000);
            (0..8).fold(head, |reply, _| reply.part(&long)).hold()
        };
        (got.kind() == "tools/call").then(endless)
    };
    let server = Server::modern(play).await;
    let connecting = server.connecting().max_message_bytes(100_000);
    let client = connecting.await.expect("connects");
    let error = within(count(&client)).await.1.expect_err("refused");
    assert_eq!(error.status(), Some(500));
    assert!(error.to_string().len() < 1000, "{error}");
}
