//! 2026-07-28 over HTTP: what is checked, what is answered, and what closing the stream does.

use super::client::{SECOND, modern, now, tool};
use super::http_wire::{Head, Wire, call, initialize};
use crate::testing::config::Eras;
use crate::testing::script::Script;
use crate::testing::server::ScriptedServer;
use serde_json::{Value, json};

const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

/// A request of the revision.
fn ask(method: &str, mut params: Value) -> Value {
    params["_meta"] = modern("2026-07-28");
    params["_meta"]["progressToken"] = json!("t");
    json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
}

async fn call_it(wire: &mut Wire) -> Head {
    let headers = [VERSION, ("mcp-method", "tools/call"), ("mcp-name", "it")];
    let body = ask("tools/call", json!({"name": "it", "arguments": {}}));
    wire.post(&headers, &body).await
}

async fn refused(wire: &mut Wire, headers: &[(&str, &str)], body: &Value) -> (u16, Value) {
    let head = wire.post(headers, body).await;
    let answer = wire.json(&head).await;
    (head.status, answer)
}

#[tokio::test(start_paused = true)]
async fn updates_and_then_the_result_come_on_the_stream_of_the_request() {
    let server = tool(Script::new().every(SECOND, 2).text("done"));
    let mut wire = Wire::connect(&server.http());
    let start = now();
    let head = call_it(&mut wire).await;
    assert_eq!(head.status, 200);
    assert_eq!(head.header("content-type"), Some("text/event-stream"));
    assert_eq!(head.header("x-accel-buffering"), Some("no"));
    assert_eq!(head.header("mcp-session-id"), None);
    for step in 1..=2 {
        let block = wire.block().await.unwrap();
        assert_eq!((&block.id, &block.retry), (&None, &None), "no resumption");
        let params = block.message()["params"].clone();
        assert_eq!(
            params,
            json!({"progressToken": "t", "progress": step, "total": 2})
        );
        assert_eq!((now() - start).as_secs(), step - 1);
    }
    let answer = wire.message().await;
    assert_eq!(
        (&answer["id"], &answer["result"]["resultType"]),
        (&json!(1), &json!("complete"))
    );
    assert_eq!(wire.block().await, None);

    // The connection serves the next request.
    assert_eq!(call_it(&mut wire).await.status, 200);
    assert_eq!(server.log().connections(), 1);
    assert_eq!(server.log().stopped(), [] as [Value; 0]);
}

#[tokio::test(start_paused = true)]
async fn headers_that_do_not_repeat_the_body_are_refused() {
    let server = tool(Script::new()).resource("file:///ü", |_| Script::new());
    let mut wire = Wire::connect(&server.http());
    let (method, name) = (("mcp-method", "tools/call"), ("mcp-name", "it"));
    let body = ask("tools/call", json!({"name": "it"}));
    for headers in [
        &[method, name][..],
        &[("mcp-protocol-version", "2025-11-25"), method, name],
        &[VERSION, name],
        &[VERSION, ("mcp-method", "Tools/Call"), name],
        &[VERSION, method],
        &[VERSION, method, ("mcp-name", "other")],
        &[VERSION, method, ("mcp-name", "=?base64?aXQ?=")],
    ] {
        let (status, answer) = refused(&mut wire, headers, &body).await;
        assert_eq!(
            (status, &answer["error"]["code"]),
            (400, &json!(-32020)),
            "{headers:?}"
        );
        assert_eq!(answer["id"], 1);
    }
    for name in ["it", "=?base64?aXQ=?="] {
        let head = wire
            .post(&[VERSION, method, ("mcp-name", name)], &body)
            .await;
        assert_eq!(head.status, 200);
        while wire.block().await.is_some() {}
    }
    let read = ask("resources/read", json!({"uri": "file:///ü"}));
    let headers = [
        VERSION,
        ("mcp-method", "resources/read"),
        ("mcp-name", "=?base64?ZmlsZTovLy/DvA==?="),
    ];
    assert_eq!(wire.post(&headers, &read).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn annotated_arguments_are_compared_with_their_headers() {
    let schema = json!({"type": "object", "properties": {
        "region": {"type": "string", "x-mcp-header": "Region"},
        "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
        "dry": {"type": "boolean", "x-mcp-header": "Dry"},
        "free": {"type": "string"},
    }});
    let definition = json!({"name": "it", "inputSchema": schema});
    let server = ScriptedServer::new().tool_with(definition, |_| Script::new().text("done"));
    let mut wire = Wire::connect(&server.http());
    let arguments = json!({"region": " süd ", "deep": {"n": 42}, "dry": null, "free": "x"});
    let (region, n) = (
        ("mcp-param-region", "=?base64?IHPDvGQg?="),
        ("mcp-param-n", "42.0"),
    );
    for (headers, right) in [
        (&[region, n][..], true),
        (&[n, region, ("mcp-param-other", "x")], true),
        (&[region], false),
        (&[n], false),
        (&[region, ("mcp-param-n", "43")], false),
        (&[region, n, ("mcp-param-dry", "false")], false),
        (&[("mcp-param-region", "süd"), n], false),
    ] {
        let mut all = vec![VERSION, ("mcp-method", "tools/call"), ("mcp-name", "it")];
        all.extend(headers);
        let body = ask("tools/call", json!({"name": "it", "arguments": arguments}));
        let head = wire.post(&all, &body).await;
        if right {
            assert_eq!(head.status, 200, "{headers:?}");
            while wire.block().await.is_some() {}
        } else {
            assert_eq!(
                wire.json(&head).await["error"]["code"],
                -32020,
                "{headers:?}"
            );
            assert_eq!(head.status, 400);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn refusals_have_the_status_that_the_revision_wants() {
    let mut wire = Wire::connect(&tool(Script::new()).http());
    let headers = [VERSION, ("mcp-method", "vendor/none")];
    let (status, answer) = refused(&mut wire, &headers, &ask("vendor/none", json!({}))).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &json!(-32601)));

    let headers = [VERSION, ("mcp-method", "initialize")];
    let (status, answer) = refused(&mut wire, &headers, &ask("initialize", json!({}))).await;
    assert_eq!(
        (status, &answer["error"]["code"]),
        (404, &json!(-32601)),
        "a removed method"
    );

    let mut body = ask("tools/list", json!({}));
    body["params"]["_meta"] = modern("2027-01-01");
    let headers = [
        ("mcp-protocol-version", "2027-01-01"),
        ("mcp-method", "tools/list"),
    ];
    let (status, answer) = refused(&mut wire, &headers, &body).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32022)));
    assert_eq!(answer["error"]["data"]["supported"], json!(["2026-07-28"]));

    let headers = [VERSION, ("mcp-method", "tools/list")];
    let version = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
    for meta in [json!({}), version] {
        body["params"]["_meta"] = meta;
        let (status, answer) = refused(&mut wire, &headers, &body).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32602)));
    }

    // An unknown tool is an answer like any other.
    let headers = [VERSION, ("mcp-method", "tools/call"), ("mcp-name", "none")];
    let head = wire
        .post(&headers, &ask("tools/call", json!({"name": "none"})))
        .await;
    assert_eq!(head.status, 200);
    assert_eq!(wire.message().await["error"]["code"], -32602);
    assert_eq!(wire.block().await, None);

    let note = json!({"jsonrpc": "2.0", "method": "vendor/note"});
    assert_eq!(wire.post(&[VERSION], &note).await.status, 202);
}

#[tokio::test(start_paused = true)]
async fn a_server_of_this_revision_alone_has_no_sessions() {
    let server = ScriptedServer::new().eras(Eras::Modern);
    let mut wire = Wire::connect(&server.http());
    let (status, answer) = refused(&mut wire, &[], &initialize("2025-11-25")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32022)));
    let (status, answer) = refused(&mut wire, &[], &call(1, "it")).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &json!(-32020)));
    assert_eq!(wire.get(&[]).await.status, 405);
    wire.send("DELETE /mcp", &[("mcp-session-id", "x")], "")
        .await;
    assert_eq!(wire.head().await.status, 405);
    wire.send("GET /sse", &[], "").await;
    assert_eq!(wire.head().await.status, 404);
    // A session that a client still believes in is passed over.
    let headers = [
        VERSION,
        ("mcp-method", "tools/list"),
        ("mcp-session-id", "x"),
    ];
    assert_eq!(
        wire.post(&headers, &ask("tools/list", json!({})))
            .await
            .status,
        200
    );
}

#[tokio::test(start_paused = true)]
async fn closing_the_stream_is_the_cancellation() {
    for script in [
        Script::new().progress(1, 2).silence(),
        Script::new().progress(1, 2).until_cancelled(),
    ] {
        let server = tool(script);
        let mut wire = Wire::connect(&server.http());
        call_it(&mut wire).await;
        assert_eq!(wire.message().await["params"]["progress"], 1);
        assert_eq!(server.log().stopped(), [] as [Value; 0]);
        let served = wire.close();
        server.log().wait_for(|log| log.stopped() == [1]).await;
        served.await.unwrap();
        assert_eq!(server.log().cancelled(), [] as [Value; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn json_only_answers_without_updates_and_a_disconnect_cancels_too() {
    let server = tool(Script::new().every(SECOND, 3).text("done"));
    let mut wire = Wire::connect(&server.http().json_only());
    let start = now();
    let head = call_it(&mut wire).await;
    assert_eq!((now() - start).as_secs(), 2);
    assert_eq!(head.status, 200);
    assert_eq!(
        wire.json(&head).await["result"]["content"][0]["text"],
        "done"
    );
    let headers = [VERSION, ("mcp-method", "none")];
    let (status, _) = refused(&mut wire, &headers, &ask("none", json!({}))).await;
    assert_eq!(status, 404);

    let server = tool(Script::new().silence());
    let mut wire = Wire::connect(&server.http().json_only());
    let headers = [
        ("accept", "application/json, text/event-stream"),
        ("content-type", "application/json"),
        VERSION,
        ("mcp-method", "tools/call"),
        ("mcp-name", "it"),
    ];
    let body = ask("tools/call", json!({"name": "it"})).to_string();
    wire.send("POST /mcp", &headers, &body).await;
    server
        .log()
        .wait_for(|log| log.requests("tools/call").len() == 1)
        .await;
    drop(wire);
    server.log().wait_for(|log| log.stopped() == [1]).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_breaks_the_connection_and_a_closed_stream_ends_in_good_order() {
    let server = tool(Script::new().progress(1, 2).crash());
    let mut wire = Wire::connect(&server.http());
    call_it(&mut wire).await;
    assert_eq!(wire.message().await["params"]["progress"], 1);
    assert_eq!(wire.block().await, None);
    wire.served.await.unwrap();

    let server = tool(
        Script::new()
            .progress(1, 2)
            .close_stream()
            .wait(SECOND)
            .text("late"),
    );
    let mut wire = Wire::connect(&server.http());
    call_it(&mut wire).await;
    assert_eq!(wire.message().await["params"]["progress"], 1);
    assert_eq!(wire.block().await, None);
    server.log().wait_for(|log| log.stopped() == [1]).await;
    assert_eq!(
        call_it(&mut wire).await.status,
        200,
        "the connection is whole"
    );
}

#[tokio::test(start_paused = true)]
async fn subscriptions_have_a_stream_each_until_one_side_ends_them() {
    let server = ScriptedServer::new();
    let hosting = server.http().json_only();
    let headers = [VERSION, ("mcp-method", "subscriptions/listen")];
    let filter = json!({"toolsListChanged": true});
    let listen = ask("subscriptions/listen", json!({"notifications": filter}));
    let mut wires = Vec::new();
    for _wire in 0..3 {
        let mut wire = Wire::connect(&hosting);
        assert_eq!(wire.post(&headers, &listen).await.status, 200);
        let first = wire.message().await;
        assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
        assert_eq!(first["params"]["notifications"], filter);
        wires.push(wire);
    }
    let changed = "notifications/tools/list_changed";
    assert_eq!(server.notify_subscribers(changed, &Value::Null), 3);
    assert_eq!(
        server.notify_subscribers("notifications/prompts/list_changed", &Value::Null),
        0
    );
    let mut gone = wires.remove(0);
    let told = gone.message().await;
    assert_eq!(told["method"], changed);
    assert_eq!(
        told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"],
        1
    );
    drop(gone);
    server.log().wait_for(|log| log.stopped() == [1]).await;
    assert_eq!(server.notify_subscribers(changed, &Value::Null), 2);

    server.close_subscriptions();
    for wire in &mut wires {
        assert_eq!(wire.message().await["method"], changed);
        assert_eq!(wire.message().await["method"], changed);
        assert_eq!(wire.message().await["result"]["resultType"], "complete");
        assert_eq!(wire.block().await, None);
    }
    let wire = &mut wires[0];
    wire.post(&headers, &listen).await;
    wire.message().await;
    server.cancel_subscriptions();
    assert_eq!(wire.block().await, None);
    assert_eq!(server.log().stopped(), [1]);
}
