//! Who is let in, how events are written, what is recorded, HTTP+SSE, HTTP/2, and the socket.

use super::client::{SECOND, now, tool};
use super::http_wire::{Wire, call, initialize};
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};
use std::io::ErrorKind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const BOTH: (&str, &str) = ("accept", "application/json, text/event-stream");
const JSON: (&str, &str) = ("content-type", "application/json");

#[tokio::test(start_paused = true)]
async fn only_this_machine_and_the_pages_that_are_allowed_get_in() {
    let hosting = ScriptedServer::new()
        .http()
        .allow_origin("https://example.com");
    for (headers, status) in [
        (&[("origin", "http://localhost:3000")][..], 200),
        (&[("origin", "https://127.0.0.1")], 200),
        (&[("origin", "http://[::1]:5")], 200),
        (&[("origin", "https://example.com")], 200),
        (&[("origin", "https://example.com.evil")], 403),
        (&[("origin", "http://localhost.evil")], 403),
        (&[("origin", "null")], 403),
        (&[("host", "[::1]:80")], 200),
        (&[("host", "127.8.9.1")], 200),
        (&[("host", "evil:80")], 403),
        (&[("host", "localhost@evil")], 403),
        (&[("host", "localhost:80@evil")], 403),
        (&[("origin", "http://localhost:80@evil")], 403),
    ] {
        let mut wire = Wire::connect(&hosting);
        let head = wire.post(headers, &initialize("2025-11-25")).await;
        assert_eq!(head.status, status, "{headers:?}");
        for target in ["GET /sse", "DELETE /mcp", "POST /messages?session_id=x"] {
            let mut wire = Wire::connect(&hosting);
            wire.send(target, headers, "").await;
            let head = wire.head().await;
            assert_eq!(head.status == 403, status == 403, "{target} {headers:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn requests_that_are_no_such_thing_are_refused() {
    let hosting = ScriptedServer::new().http();
    let body = initialize("2025-11-25").to_string();
    let accept = |value| ("accept", value);
    for (line, headers, body, status) in [
        (
            "POST /mcp",
            &[accept("application/json"), JSON][..],
            body.as_str(),
            406,
        ),
        (
            "POST /mcp",
            &[accept("text/event-stream"), JSON],
            &body,
            406,
        ),
        ("POST /mcp", &[JSON], &body, 406),
        (
            "POST /mcp",
            &[accept("application/*;q=0.5, text/event-stream"), JSON],
            &body,
            200,
        ),
        (
            "POST /mcp",
            &[BOTH, ("content-type", "text/plain")],
            &body,
            415,
        ),
        ("POST /mcp", &[BOTH], &body, 415),
        (
            "POST /mcp",
            &[BOTH, ("content-type", "Application/JSON; charset=utf-8")],
            &body,
            200,
        ),
        ("POST /mcp", &[BOTH, JSON], "{oops", 400),
        ("POST /mcp", &[BOTH, JSON], "", 400),
        ("POST /mcp", &[BOTH, JSON], "[]", 400),
        ("POST /mcp", &[BOTH, JSON], "{\"jsonrpc\":\"2.0\"}", 400),
        (
            "POST /mcp",
            &[BOTH, JSON],
            "{\"id\":1,\"method\":\"ping\"}",
            400,
        ),
        ("PUT /mcp", &[BOTH, JSON], &body, 405),
        ("POST /sse", &[BOTH, JSON], &body, 405),
        ("POST /other", &[BOTH, JSON], &body, 404),
    ] {
        let mut wire = Wire::connect(&hosting);
        wire.send(line, headers, body).await;
        assert_eq!(
            wire.head().await.status,
            status,
            "{line} {headers:?} {body}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn comments_come_when_nothing_else_does() {
    let script = Script::new().wait(660 * SECOND).text("done");
    let mut wire = Wire::connect(&tool(script).http().keep_alive(15 * SECOND));
    let session = wire.initialize("2025-11-25").await;
    let start = now();
    wire.post(&[("mcp-session-id", &session)], &call(1, "it"))
        .await;
    wire.block().await;
    let mut comments = 0;
    let answer = loop {
        let block = wire.block().await.unwrap();
        if block.comment.is_none() {
            break block.message();
        }
        assert_eq!(block.comment.as_deref(), Some("keepalive"));
        comments += 1;
    };
    assert_eq!(answer["result"]["content"][0]["text"], "done");
    assert!((43..=44).contains(&comments), "{comments}");
    assert_eq!((now() - start).as_secs(), 660);
}

#[tokio::test(start_paused = true)]
async fn lines_end_as_asked_and_a_burst_is_one_piece() {
    let script = Script::new()
        .burst(|together| together.progress(1, 2).progress(2, 2))
        .wait(SECOND)
        .raw(b"a\rb")
        .raw_bytes(*b"{\"in\":")
        .wait(SECOND)
        .raw_bytes(*b"1}\n");
    let server = tool(script);
    let mut wire = Wire::connect(&server.http().crlf().event_ids(false).stateless());
    wire.post(&[], &call("t", "it")).await;
    let piece = wire.chunk().await.unwrap();
    assert_eq!(piece.matches("\r\n\r\n").count(), 2);
    assert_eq!(piece.matches('\n').count(), piece.matches("\r\n").count());
    assert_eq!(
        wire.chunk().await.unwrap(),
        "event: message\r\ndata: a\r\ndata: b\r\n\r\n"
    );
    assert_eq!(
        wire.chunk().await.unwrap(),
        "event: message\r\ndata: {\"in\":1}\r\n\r\n"
    );
    assert!(wire.chunk().await.unwrap().contains("\"result\""));
    assert_eq!(wire.chunk().await, None);
}

#[tokio::test(start_paused = true)]
async fn each_http_request_is_recorded_with_its_headers() {
    let server = tool(Script::new());
    let mut wire = Wire::connect(&server.http());
    let session = wire.initialize("2025-11-25").await;
    let headers = [
        ("mcp-session-id", session.as_str()),
        ("Authorization", "Bearer s3cret"),
    ];
    wire.post(&headers, &call(1, "it")).await;
    while wire.block().await.is_some() {}
    wire.post(&[], &call(2, "it")).await;
    let mut other = Wire::connect(&server.http());
    other.send("DELETE /mcp?x=1", &headers, "").await;
    other.head().await;

    let log = server.log();
    let seen = log.http_requests();
    let lines: Vec<_> = seen
        .iter()
        .map(|seen| {
            (
                seen.connection(),
                seen.method(),
                seen.target(),
                seen.status(),
            )
        })
        .collect();
    let expected = [
        (0, "POST", "/mcp", 200),
        (0, "POST", "/mcp", 200),
        (0, "POST", "/mcp", 400),
        (1, "DELETE", "/mcp?x=1", 200),
    ];
    assert_eq!(lines, expected);
    assert_eq!(seen[1].header("AUTHORIZATION"), Some("Bearer s3cret"));
    assert!(
        seen[1]
            .headers()
            .iter()
            .any(|(name, _)| name == "authorization")
    );
    assert!(!format!("{log:?} {seen:?}").contains("s3cret"));
    let calls = log.requests("tools/call");
    let statuses: Vec<_> = calls
        .iter()
        .map(|call| call.http().unwrap().status())
        .collect();
    assert_eq!(statuses, [200, 400]);
    assert_eq!(calls[0].raw(), call(1, "it").to_string().as_bytes());
    assert_eq!(log.connections(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_deadly_probe_closes_the_connection_without_a_word() {
    let server = ScriptedServer::new().exit_on_probe();
    let mut wire = Wire::connect(&server.http());
    let meta = super::client::modern("2026-07-28");
    let probe =
        json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    let headers = [
        BOTH,
        JSON,
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "server/discover"),
    ];
    wire.send("POST /mcp", &headers, &probe.to_string()).await;
    assert_eq!(wire.chunk().await, None);
    wire.served.await.unwrap();
    assert_eq!(server.log().http_requests()[0].status(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_old_transport_answers_everything_on_its_stream() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let hosting = server.http();
    let (mut stream, mut wire) = (Wire::connect(&hosting), Wire::connect(&hosting));
    stream
        .send("GET /sse", &[("accept", "text/event-stream")], "")
        .await;
    assert_eq!(stream.head().await.status, 200);
    let endpoint = stream.block().await.unwrap();
    assert_eq!(
        (endpoint.name.as_deref(), &endpoint.id),
        (Some("endpoint"), &None)
    );
    let address = endpoint.data.unwrap();
    assert!(address.starts_with("/messages?session_id="), "{address}");
    let line = format!("POST {address}");

    for body in [initialize("2024-11-05"), call("a", "it")] {
        wire.send(&line, &[JSON], &body.to_string()).await;
        let head = wire.head().await;
        assert_eq!(
            (head.status, wire.body(&head).await.as_str()),
            (202, "Accepted")
        );
    }
    assert_eq!(
        stream.message().await["result"]["protocolVersion"],
        "2024-11-05"
    );
    for step in 1..=2 {
        assert_eq!(stream.message().await["params"]["progress"], step);
    }
    assert_eq!(
        stream.message().await["result"]["content"][0]["text"],
        "done"
    );
    server.notify("vendor/more", &Value::Null);
    assert_eq!(stream.message().await["method"], "vendor/more");

    wire.send(&line, &[JSON], &call("b", "it").to_string())
        .await;
    wire.head().await;
    wire.body(&super::http_wire::Head::of_length(8)).await;
    stream.close().await.unwrap();
    wire.send(&line, &[JSON], &call("c", "it").to_string())
        .await;
    assert_eq!(wire.head().await.status, 404);
    assert_eq!(
        server.log().stopped(),
        ["b"],
        "the stream was the connection"
    );
}

#[tokio::test]
async fn the_socket_is_one_of_this_machine() {
    let server = ScriptedServer::demo();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
        let refused = server.http().bind(address).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied, "{address}");
    }
    assert!(server.http().bind("nonsense").await.is_err());

    let listening = server.http().bind("127.0.0.1:0").await.unwrap();
    let address = listening.address();
    assert_eq!(listening.url(), format!("http://{address}/mcp"));
    assert_eq!(listening.sse_url(), format!("http://{address}/sse"));
    let client = async {
        let mut answers = Vec::new();
        for _connection in 0..2 {
            let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
            let body = initialize("2025-11-25").to_string();
            let head = format!(
                "POST /mcp HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{}: {}\r\n{}: {}\r\ncontent-length: {}\r\n\r\n",
                BOTH.0,
                BOTH.1,
                JSON.0,
                JSON.1,
                body.len(),
            );
            socket.write_all((head + &body).as_bytes()).await.unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).await.unwrap();
            answers.push(answer);
        }
        answers
    };
    let answers = tokio::select! {
        answers = client => answers,
        () = listening.serve() => unreachable!("it serves for ever"),
    };
    assert!(answers.iter().all(|answer| answer.contains("serverInfo")));
    assert_eq!(server.log().connections(), 2);
    // What was dropped is closed.
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

/// A client of HTTP/2 is there with the feature `http` only.
#[cfg(feature = "http")]
#[tokio::test]
async fn a_stream_of_http_2_is_reset_without_harm_to_the_others() {
    // Not asked for over plain HTTP, but no client is made without it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let script = Script::new().progress(1, 2).silence();
    let server = tool(script)
        .tool("other", |_| Script::new().text("done"))
        .tool("crash", |_| Script::new().progress(1, 2).crash());
    let listening = server.http().bind("127.0.0.1:0").await.unwrap();
    let url = listening.url();
    let client = reqwest::Client::builder().http2_prior_knowledge();
    let client = client.build().unwrap();
    let post = |tool: &str| {
        let mut body = call(1, tool);
        let meta = &mut body["params"]["_meta"];
        let token = meta.take()["progressToken"].take();
        *meta = super::client::modern("2026-07-28");
        meta["progressToken"] = token;
        let headers = [
            BOTH,
            JSON,
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
        ];
        let post = headers
            .iter()
            .fold(client.post(&url), |post, (name, value)| {
                post.header(*name, *value)
            });
        post.header("mcp-name", tool).body(body.to_string())
    };
    let asking = async {
        let mut open = post("it").send().await.unwrap();
        assert_eq!(open.version(), reqwest::Version::HTTP_2);
        let first = open.chunk().await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&first).contains("\"progress\":1"));
        drop(open);
        server.log().wait_for(|log| log.stopped() == [1]).await;
        let mut broken = post("crash").send().await.unwrap();
        let first = broken.chunk().await.unwrap().unwrap();
        assert!(String::from_utf8_lossy(&first).contains("\"progress\":1"));
        assert!(broken.chunk().await.is_err());
        let other = post("other").send().await.unwrap().text().await.unwrap();
        assert!(other.contains("done"), "{other}");
    };
    tokio::select! {
        () = asking => {}
        () = listening.serve() => unreachable!("it serves for ever"),
    }
    assert_eq!(server.log().connections(), 1);
}
