//! What of a request is repeated in headers, and what happens where the server does not agree with it.
//!
//! Revision 2026-07-28, Streamable HTTP, "Request Metadata".

use mcp_progress::{DiagnosticKind, ErrorKind};
use serde_json::{Value, json};

use super::calls::{assert_idle, within};
use super::got::Got;
use super::reply::Reply;
use super::server::{Server, answer, fails, result};

/// The one tool, whose region goes into a header of this name.
fn tools(got: &Got, header: &str) -> Reply {
    let region = json!({"type": "string", "x-mcp-header": header});
    let schema =
        json!({"type": "object", "properties": {"region": region, "n": {"type": "integer"}}});
    let tools = json!([
        {"name": "query", "inputSchema": schema},
        {"name": "wrong", "inputSchema": {"type": "object", "properties": {"a": {"type": "object", "x-mcp-header": "A"}}}},
    ]);
    Reply::json(&result(
        got,
        &json!({"tools": tools, "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}),
    ))
}

fn mismatch(got: &Got) -> Reply {
    Reply::with(
        400,
        "application/json",
        fails(got, -32020, "Header mismatch: Mcp-Param-Region is missing").to_string(),
    )
}

#[tokio::test]
async fn arguments_that_a_tool_wants_in_headers_are_put_there() {
    let server =
        Server::modern(|got| (got.kind() == "tools/list").then(|| tools(got, "Region"))).await;
    let client = server.connect().await;
    let arguments = json!({"region": "eu-west", "n": 3});
    client
        .call_tool("query", arguments.clone())
        .await
        .expect("it works");
    let listed = client.list_tools().await.expect("tools");
    let names: Vec<_> = listed.tools.iter().map(|tool| &*tool.name).collect();
    assert_eq!(
        names,
        ["query"],
        "a tool with an invalid annotation is left out"
    );
    assert_eq!(client.stats().count(DiagnosticKind::InvalidTool), 1);
    client
        .call_tool("query", arguments)
        .await
        .expect("it works");
    let beyond = json!({"region": "Zürich"});
    client.call_tool("query", beyond).await.expect("it works");
    client
        .call_tool("query", json!({"n": 1}))
        .await
        .expect("it works");
    client
        .read_resource("file:///a b")
        .await
        .expect("it is empty");

    let seen = server.seen();
    let calls = seen.all("tools/call");
    for call in &calls {
        assert_eq!(call.header("mcp-method"), Some("tools/call"));
        assert_eq!(call.header("mcp-name"), Some("query"));
    }
    let regions: Vec<_> = calls
        .iter()
        .map(|call| call.header("mcp-param-region"))
        .collect();
    // Not known before the list; plain; not plain; not there.
    assert_eq!(
        regions,
        [None, Some("eu-west"), Some("=?base64?WsO8cmljaA==?="), None]
    );
    assert_eq!(
        seen.all("resources/read")[0].header("mcp-name"),
        Some("file:///a b")
    );
    assert_eq!(seen.all("tools/list")[0].header("mcp-name"), None);
}

#[tokio::test]
async fn a_mismatch_is_mended_by_a_new_list_and_one_more_try() {
    let server = Server::modern(|got| match got.kind() {
        "tools/list" => Some(tools(got, "Region")),
        "tools/call" if got.header("mcp-param-region").is_none() => Some(mismatch(got)),
        _ => None,
    })
    .await;
    let client = server.connect().await;
    let call = client.call_tool("query", json!({"region": "eu"}));
    within(call.into_future()).await.expect("mended");
    assert_eq!(
        server.seen().kinds(),
        ["server/discover", "tools/call", "tools/list", "tools/call"]
    );
    let calls = server.seen().all("tools/call");
    assert_eq!(calls[1].header("mcp-param-region"), Some("eu"));
    assert_eq!(calls[0].json, calls[1].json);
    // It is known from now on.
    client
        .call_tool("query", json!({"region": "us"}))
        .await
        .expect("it works");
    assert_eq!(server.seen().all("tools/list").len(), 1);
    assert_idle(&client);
}

#[tokio::test]
async fn a_mismatch_that_stays_is_the_calls_error() {
    let server = Server::modern(|got| match got.kind() {
        "tools/list" => Some(tools(got, "Region")),
        "tools/call" => Some(mismatch(got)),
        _ => None,
    })
    .await;
    let client = server.connect().await;
    let call = client.call_tool("query", json!({"region": "eu"}));
    let error = within(call.into_future()).await.expect_err("it stays");
    assert_eq!(error.kind(), ErrorKind::Rpc);
    assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32020));
    assert_eq!(error.status(), Some(400));
    assert_eq!(server.seen().all("tools/call").len(), 2);
    assert_eq!(server.seen().all("tools/list").len(), 1);
    assert_idle(&client);
}

/// The list takes several pages, or cannot be had: then the server's refusal counts.
#[tokio::test]
async fn the_refusal_counts_where_the_tools_cannot_be_listed() {
    let server = Server::modern(|got| match got.kind() {
        "tools/list" => Some(Reply::status(500)),
        "tools/call" => Some(mismatch(got)),
        _ => None,
    })
    .await;
    let client = server.connect().await;
    let call = client.call_tool("query", json!({"region": "eu"}));
    let error = within(call.into_future()).await.expect_err("it stays");
    assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32020), "{error}");
    assert_eq!(server.seen().all("tools/call").len(), 1);

    let server = Server::modern(|got| match got.kind() {
        "tools/list" if got.json["params"]["cursor"] == "2" => Some(tools(got, "Region")),
        "tools/list" => {
            let page = json!({"tools": [], "nextCursor": "2", "resultType": "complete", "ttlMs": 0, "cacheScope": "private"});
            Some(Reply::sse().event(&result(got, &page)))
        }
        "tools/call" if got.header("mcp-param-region").is_none() => Some(mismatch(got)),
        "tools/call" => Some(Reply::sse().event(&answer(got))),
        _ => None,
    })
    .await;
    let client = server.connect().await;
    let call = client.call_tool("query", json!({"region": "eu"}));
    within(call.into_future()).await.expect("mended");
    assert_eq!(server.seen().all("tools/list").len(), 2);
}

/// The handshake revisions have no such headers.
#[tokio::test]
async fn a_handshake_server_is_sent_none() {
    let server =
        Server::handshake(|got| (got.kind() == "tools/list").then(|| tools(got, "Region"))).await;
    let client = server.connect().await;
    let listed = client.list_tools().await.expect("tools");
    assert_eq!(listed.tools.len(), 2);
    client
        .call_tool("query", json!({"region": "eu"}))
        .await
        .expect("it works");
    let call = &server.seen().all("tools/call")[0];
    let mirrored =
        |(name, _): &&(String, String)| name.starts_with("mcp-param") || name == "mcp-name";
    assert_eq!(call.headers.iter().find(mirrored), None);
    assert_eq!(call.json["params"]["arguments"], json!({"region": "eu"}));
    assert_ne!(call.token(), &Value::Null);
}
