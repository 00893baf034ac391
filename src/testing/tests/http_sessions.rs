//! The handshake revisions over HTTP: sessions, their GET stream, cancellation, batches, and servers without sessions.

use super::client::{SECOND, now, tool};
use super::http_wire::{Wire, call, cancelled, initialize};
use crate::testing::config::Eras;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};

const SESSION: &str = "mcp-session-id";

fn ping(id: i64) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": "ping"})
}

fn note() -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
}

#[tokio::test(start_paused = true)]
async fn a_session_is_made_by_initialize_and_named_by_all_that_follows() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let mut wire = Wire::connect(&server.http());
    let head = wire.post(&[], &initialize("2025-06-18")).await;
    let session = head.header(SESSION).unwrap().to_owned();
    assert!(!session.is_empty() && session.bytes().all(|byte| (0x21..=0x7E).contains(&byte)));
    let prime = wire.block().await.unwrap();
    assert_eq!((prime.data.as_deref(), prime.name), (Some(""), None));
    assert!(prime.id.is_some());
    assert_eq!(
        wire.message().await["result"]["protocolVersion"],
        "2025-06-18"
    );
    assert_eq!(wire.block().await, None);
    let other = Wire::connect(&server.http()).initialize("2025-11-25").await;
    assert_ne!(session, other);

    let named = [(SESSION, session.as_str())];
    assert_eq!(wire.post(&named, &note()).await.status, 202);
    assert_eq!(
        wire.post(&named, &json!({"jsonrpc": "2.0", "id": 9, "result": {}}))
            .await
            .status,
        202
    );
    let head = wire.post(&named, &call("t", "it")).await;
    assert_eq!((head.status, head.header(SESSION)), (200, None));
    assert_eq!(wire.block().await.unwrap().data.as_deref(), Some(""));
    for step in 1..=2 {
        assert_eq!(wire.message().await["params"]["progress"], step);
    }
    assert_eq!(wire.message().await["result"]["content"][0]["text"], "done");
    assert_eq!(wire.block().await, None);

    let head = wire.post(&[], &ping(1)).await;
    assert_eq!(
        (head.status, &wire.json(&head).await["error"]["code"]),
        (400, &json!(-32000))
    );
    for body in [ping(1), note()] {
        let head = wire.post(&[(SESSION, "nobody")], &body).await;
        assert_eq!(
            (head.status, &wire.json(&head).await["error"]["code"]),
            (404, &json!(-32001))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_revision_in_the_header_is_checked_since_it_is_there() {
    let mut wire = Wire::connect(&ScriptedServer::new().http());
    for (version, header, status) in [
        ("2025-11-25", "2025-11-25", 200),
        ("2025-06-18", "2025-06-18", 200),
        ("2025-06-18", "1999-01-01", 400),
        ("2025-03-26", "1999-01-01", 200),
    ] {
        let session = wire.initialize(version).await;
        let headers = [
            (SESSION, session.as_str()),
            ("mcp-protocol-version", header),
        ];
        let head = wire.post(&headers, &ping(1)).await;
        assert_eq!(head.status, status, "{version} {header}");
        if status == 400 {
            assert_eq!(wire.json(&head).await["error"]["code"], -32000);
        } else {
            while wire.block().await.is_some() {}
        }
    }
}

#[tokio::test(start_paused = true)]
async fn delete_ends_a_session_with_all_that_runs_in_it() {
    let server = tool(Script::new().progress(1, 2).silence());
    let hosting = server.http();
    let (mut wire, mut other) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = wire.initialize("2025-11-25").await;
    let named = [(SESSION, session.as_str())];
    wire.post(&named, &call(1, "it")).await;
    wire.block().await;
    assert_eq!(wire.message().await["params"]["progress"], 1);
    other.send("DELETE /mcp", &named, "").await;
    let head = other.head().await;
    assert_eq!((head.status, other.body(&head).await.as_str()), (200, ""));
    assert_eq!(wire.block().await, None);
    assert_eq!(server.log().stopped(), [1]);
    assert_eq!(other.post(&named, &ping(1)).await.status, 404);
    assert_eq!(wire.get(&named).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn expired_sessions_are_unknown_while_what_runs_goes_on() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let hosting = server.http();
    let (mut wire, mut other) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = wire.initialize("2025-11-25").await;
    let named = [(SESSION, session.as_str())];
    wire.post(&named, &call(1, "it")).await;
    wire.block().await;
    assert_eq!(wire.message().await["params"]["progress"], 1);
    server.expire_sessions();
    assert_eq!(other.post(&named, &ping(1)).await.status, 404);
    assert_eq!(wire.message().await["params"]["progress"], 2);
    assert_eq!(wire.message().await["result"]["content"][0]["text"], "done");
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_is_a_notification_and_ends_the_stream_without_a_response() {
    let server = tool(Script::new().progress(1, 2).silence());
    for json_only in [false, true] {
        let hosting = server.http();
        let hosting = if json_only {
            hosting.json_only()
        } else {
            hosting
        };
        let (mut wire, mut other) = (Wire::connect(&hosting), Wire::connect(&hosting));
        let session = if json_only {
            let head = wire.post(&[], &initialize("2025-11-25")).await;
            wire.json(&head).await;
            head.header(SESSION).unwrap().to_owned()
        } else {
            wire.initialize("2025-11-25").await
        };
        let named = [(SESSION, session.as_str())];
        let before = server.log().stopped().len();
        let asked = call("a", "it");
        let (head, cancel) = tokio::join!(wire.post(&named, &asked), async {
            server
                .log()
                .wait_for(|log| log.requests("tools/call").len() > before)
                .await;
            other.post(&named, &cancelled("a")).await
        });
        assert_eq!(cancel.status, 202);
        if json_only {
            assert_eq!((head.status, head.header("content-length")), (204, None));
        } else {
            while let Some(block) = wire.block().await {
                assert!(block.data.is_some_and(|data| !data.contains("result")));
            }
        }
        assert_eq!(server.log().stopped().len(), before + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn the_get_stream_carries_what_belongs_to_no_request() {
    let server = ScriptedServer::new();
    let hosting = server.http();
    let (mut wire, mut other) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = wire.initialize("2025-11-25").await;
    let named = [(SESSION, session.as_str())];
    server.notify("vendor/early", &Value::Null);
    assert_eq!(wire.get(&named).await.status, 200);
    assert_eq!(wire.block().await.unwrap().data.as_deref(), Some(""));
    assert_eq!(wire.message().await["method"], "vendor/early");
    server.notify("vendor/now", &json!({"n": 1}));
    assert_eq!(wire.message().await["params"], json!({"n": 1}));
    assert_eq!(other.get(&named).await.status, 409, "one only");
    let mut other = Wire::connect(&hosting);
    let head = other.get(&[(SESSION, "nobody")]).await;
    assert_eq!(head.status, 404);
    let mut other = Wire::connect(&hosting);
    assert_eq!(other.get(&[]).await.status, 400);
    let mut other = Wire::connect(&hosting);
    other
        .send(
            "GET /mcp",
            &[("accept", "application/json"), (SESSION, &session)],
            "",
        )
        .await;
    assert_eq!(other.head().await.status, 406);
}

#[tokio::test(start_paused = true)]
async fn answers_can_come_on_the_get_stream() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let hosting = server.http().answer_on_get();
    let (mut wire, mut get) = (Wire::connect(&hosting), Wire::connect(&hosting));
    let session = wire.initialize("2025-11-25").await;
    let named = [(SESSION, session.as_str())];
    // Without a GET stream there is no other place than the response.
    assert_eq!(wire.post(&named, &ping(1)).await.status, 200);
    while wire.block().await.is_some() {}

    get.get(&named).await;
    get.block().await;
    let head = wire.post(&named, &call(2, "it")).await;
    assert_eq!((head.status, wire.body(&head).await.as_str()), (202, ""));
    for step in 1..=2 {
        assert_eq!(get.message().await["params"]["progress"], step);
    }
    assert_eq!(get.message().await["result"]["content"][0]["text"], "done");
    server.notify("vendor/more", &Value::Null);
    assert_eq!(get.message().await["method"], "vendor/more");
}

#[tokio::test(start_paused = true)]
async fn batches_belong_to_one_revision() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let batch = json!([call("a", "it"), note(), ping(2)]);
    let mut wire = Wire::connect(&server.http());
    let session = wire.initialize("2025-06-18").await;
    assert_eq!(wire.post(&[(SESSION, &session)], &batch).await.status, 400);

    let session = Wire::connect(&server.http()).initialize("2025-03-26").await;
    let mut wire = Wire::connect(&server.http());
    assert_eq!(wire.post(&[(SESSION, &session)], &batch).await.status, 200);
    let mut ids = Vec::new();
    while let Some(block) = wire.block().await {
        if block.name.is_some() {
            ids.extend(block.message().get("id").cloned());
        }
    }
    assert_eq!(ids, [json!(2), json!("a")]);
    assert_eq!(
        wire.post(&[(SESSION, &session)], &json!([note()]))
            .await
            .status,
        202
    );
    let head = wire
        .post(&[(SESSION, &session)], &json!([initialize("2025-03-26")]))
        .await;
    assert_eq!(head.status, 400);
    assert_eq!(server.log().requests("tools/call").len(), 2);

    let mut wire = Wire::connect(&server.http().json_only());
    let head = wire.post(&[(SESSION, &session)], &batch).await;
    let answers = wire.json(&head).await;
    assert_eq!(
        (&answers[0]["id"], &answers[1]["id"]),
        (&json!(2), &json!("a"))
    );
}

#[tokio::test(start_paused = true)]
async fn without_sessions_each_request_stands_alone() {
    let server = tool(Script::new().wait(SECOND).text("done"));
    let hosting = server.http().stateless();
    let mut wire = Wire::connect(&hosting);
    let head = wire.post(&[], &initialize("2025-11-25")).await;
    assert_eq!((head.status, head.header(SESSION)), (200, None));
    let first = wire.block().await.unwrap();
    assert_eq!(first.id, None);
    assert_eq!(first.message()["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(wire.block().await, None);
    assert_eq!(wire.get(&[]).await.status, 405);
    wire.send("DELETE /mcp", &[], "").await;
    assert_eq!(wire.head().await.status, 405);

    let start = now();
    let mut other = Wire::connect(&hosting);
    let (headers, asked) = ([(SESSION, "any")], call(1, "it"));
    let (head, ()) = tokio::join!(wire.post(&headers, &asked), async {
        assert_eq!(other.post(&[], &cancelled(1)).await.status, 202);
    });
    assert_eq!(head.status, 200);
    assert_eq!(wire.message().await["result"]["content"][0]["text"], "done");
    assert_eq!(now() - start, SECOND);
    assert_eq!(server.log().stopped(), [] as [Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_these_revisions_alone_does_not_know_the_next() {
    let server = ScriptedServer::new().eras(Eras::Handshake);
    let mut wire = Wire::connect(&server.http());
    let meta = super::client::modern("2026-07-28");
    let probe =
        json!({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": meta}});
    let headers = [
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", "server/discover"),
    ];
    let head = wire.post(&headers, &probe).await;
    assert_eq!(head.status, 400);
    assert_eq!(
        wire.json(&head).await["error"]["code"],
        -32000,
        "no error of the new revision"
    );
}
