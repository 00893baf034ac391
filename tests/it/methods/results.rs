//! Typed results: what the server sent is all there, what the specification does not name included.

use mcp_progress::model::{
    CallToolResult, CompleteResult, CompletionReference, ContentBlock, GetPromptResult,
    ListPromptsResult, ListResourceTemplatesResult, ListResourcesResult, ListToolsResult,
    ReadResourceResult, Role,
};
use mcp_progress::testing::{Script, ScriptedServer, Update};
use mcp_progress::{Client, ProtocolVersion};
use serde_json::{Value, json};

/// A result of each method, with `_meta` and unknown fields at every level where there may be some.
fn results() -> Vec<(&'static str, Value)> {
    let meta = json!({"example.com/trace": [1, {"deep": null}]});
    vec![
        (
            "tools/call",
            json!({
                "content": [
                    {"type": "text", "text": "one", "_meta": meta, "x-font": "mono"},
                    {"type": "image", "data": "aGk=", "mimeType": "image/png"},
                    {"type": "resource_link", "uri": "file:///a", "name": "a", "size": 7},
                    {"type": "resource", "resource": {"uri": "file:///b", "blob": "aGk="}},
                    {"type": "x-hologram", "depth": 3},
                ],
                "structuredContent": {"rows": [1, 2]},
                "_meta": meta,
                "x-cost": 0.25,
            }),
        ),
        (
            "tools/list",
            json!({
                "tools": [{
                    "name": "index",
                    "title": "Index",
                    "inputSchema": {"type": "object", "x-order": ["b", "a"]},
                    "annotations": {"readOnlyHint": true, "x-risk": "low"},
                    "_meta": meta,
                    "x-beta": true,
                }],
                "_meta": meta,
                "x-region": "eu",
            }),
        ),
        (
            "resources/list",
            json!({
                "resources": [{"uri": "file:///a", "name": "a", "mimeType": "text/plain", "x-owner": "me"}],
                "_meta": meta,
                "x-region": "eu",
            }),
        ),
        (
            "resources/templates/list",
            json!({
                "resourceTemplates": [{"uriTemplate": "log:///{day}", "name": "log", "x-owner": "me"}],
                "x-region": "eu",
            }),
        ),
        (
            "resources/read",
            json!({
                "contents": [
                    {"uri": "file:///a", "text": "hello", "_meta": meta, "x-lines": 1},
                    {"uri": "file:///b", "blob": "aGk=", "mimeType": "image/png"},
                ],
                "_meta": meta,
                "x-region": "eu",
            }),
        ),
        (
            "prompts/list",
            json!({
                "prompts": [{
                    "name": "p",
                    "arguments": [{"name": "topic", "required": true, "x-kind": "word"}],
                    "x-owner": "me",
                }],
                "x-region": "eu",
            }),
        ),
        (
            "prompts/get",
            json!({
                "description": "asks",
                "messages": [{"role": "assistant", "content": {"type": "text", "text": "hi"}, "x-at": 1}],
                "_meta": meta,
            }),
        ),
        (
            "completion/complete",
            json!({
                "completion": {"values": ["a", "b"], "total": 9, "hasMore": true, "x-score": [1, 2]},
                "_meta": meta,
            }),
        ),
    ]
}

fn server() -> ScriptedServer {
    results()
        .into_iter()
        .fold(ScriptedServer::new(), |server, (method, result)| {
            server.method(method, move |_| Script::new().result(result.clone()))
        })
}

/// Each result as its type, written back as JSON.
async fn written_back(client: &Client) -> mcp_progress::Result<Vec<(&'static str, Value)>> {
    let called: CallToolResult = client.call_tool("t", json!({})).await?;
    assert!(!called.is_error);
    assert_eq!(called.as_text().as_deref(), Some("one"));
    assert!(matches!(called.content[2], ContentBlock::ResourceLink(_)));
    assert!(matches!(called.content[4], ContentBlock::Unknown(_)));

    let tools: ListToolsResult = client.list_tools().await?;
    assert_eq!(tools.tools[0].display_name(), "Index");
    let hints = tools.tools[0].annotations.as_ref().expect("annotations");
    assert_eq!(hints.read_only_hint, Some(true));

    let resources: ListResourcesResult = client.list_resources().await?;
    assert_eq!(
        resources.resources[0].mime_type.as_deref(),
        Some("text/plain")
    );
    let templates: ListResourceTemplatesResult = client.list_resource_templates().await?;
    assert_eq!(templates.resource_templates[0].uri_template, "log:///{day}");
    let read: ReadResourceResult = client.read_resource("file:///a").await?;
    assert_eq!(read.contents[0].as_text(), Some("hello"));
    assert_eq!(read.contents[1].as_blob(), Some("aGk="));

    let prompts: ListPromptsResult = client.list_prompts().await?;
    assert!(prompts.prompts[0].arguments[0].is_required());
    let prompt: GetPromptResult = client.get_prompt("p", json!({"topic": "bees"})).await?;
    assert_eq!(prompt.messages[0].role, Role::Assistant);
    let reference = CompletionReference::resource("log:///{day}");
    let completed: CompleteResult = client.complete(reference, "day", "mon").await?;
    assert_eq!(completed.completion.total, Some(9));
    assert_eq!(completed.completion.has_more, Some(true));

    Ok(vec![
        ("tools/call", json!(called)),
        ("tools/list", json!(tools)),
        ("resources/list", json!(resources)),
        ("resources/templates/list", json!(templates)),
        ("resources/read", json!(read)),
        ("prompts/list", json!(prompts)),
        ("prompts/get", json!(prompt)),
        ("completion/complete", json!(completed)),
    ])
}

/// What revision 2026-07-28 adds to a result, which the scripted server does by itself.
fn modernised(method: &str, mut result: Value) -> Value {
    result["resultType"] = json!("complete");
    if method.ends_with("/list") || method == "resources/read" {
        result["ttlMs"] = json!(0);
        result["cacheScope"] = json!("private");
    }
    result
}

#[tokio::test]
async fn nothing_of_a_result_is_lost() {
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let client = Client::connect(server())
            .protocol(version)
            .await
            .expect("connected");
        let written = written_back(&client).await.expect("all are answered");
        for ((method, result), (sent, expected)) in written.into_iter().zip(results()) {
            assert_eq!(method, sent);
            let expected = if version.is_modern() {
                modernised(method, expected)
            } else {
                expected
            };
            assert_eq!(result, expected, "{method} in {version}");
        }
    }
}

#[tokio::test]
async fn the_params_are_those_of_the_specification() {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await.expect("connected");
    written_back(&client).await.expect("all are answered");
    let template = json!({"type": "ref/resource", "uri": "log:///{day}"});
    let expected = [
        ("tools/call", json!({"name": "t", "arguments": {}})),
        ("tools/list", json!({})),
        ("resources/list", json!({})),
        ("resources/templates/list", json!({})),
        ("resources/read", json!({"uri": "file:///a"})),
        ("prompts/list", json!({})),
        (
            "prompts/get",
            json!({"name": "p", "arguments": {"topic": "bees"}}),
        ),
        (
            "completion/complete",
            json!({"ref": template, "argument": {"name": "day", "value": "mon"}}),
        ),
    ];
    for (method, expected) in expected {
        let mut params = log.requests(method)[0].params().clone();
        params.as_object_mut().expect("an object").remove("_meta");
        assert_eq!(params, expected, "{method}");
    }
}

#[tokio::test]
async fn results_that_say_nothing() {
    let server = ScriptedServer::new().resource("file:///a", |_| Script::new());
    let log = server.log();
    let client = Client::connect(server).protocol(ProtocolVersion::LATEST_HANDSHAKE);
    let client = client.await.expect("connected");

    assert!(client.ping().await.expect("answered").is_empty());
    assert!(
        client
            .subscribe_resource("file:///a")
            .await
            .expect("answered")
            .is_empty()
    );
    assert!(
        client
            .unsubscribe_resource("file:///a")
            .await
            .expect("answered")
            .is_empty()
    );
    client
        .notify("vendor/hint", json!({"eager": true}))
        .expect("queued");
    client.close().await;

    for method in ["resources/subscribe", "resources/unsubscribe"] {
        assert_eq!(
            log.requests(method)[0].params(),
            &json!({"uri": "file:///a"})
        );
    }
    let hints = log.notifications("vendor/hint");
    assert_eq!(hints.len(), 1);
    assert_eq!(hints[0].params(), &json!({"eager": true}));
}

#[tokio::test]
async fn discovery_can_be_asked_for_again() {
    let server = ScriptedServer::new().capability("extensions", json!({"example.com/x": {"v": 1}}));
    let client = Client::connect(server).await.expect("connected");
    let discovered = client.discover().await.expect("answered");
    assert_eq!(discovered.supported_versions, ["2026-07-28"]);
    let info = discovered.server_info().expect("it names itself");
    assert_eq!(info.name, "scripted-server");
    for capabilities in [&discovered.capabilities, &client.server().capabilities] {
        assert!(capabilities.logging.is_some());
        assert_eq!(
            capabilities.extension("example.com/x"),
            Some(&json!({"v": 1}))
        );
    }
}

#[tokio::test]
async fn nothing_of_an_update_is_lost() {
    let server = ScriptedServer::new().tool("t", |_| {
        let update = Update::new(1)
            .total(2)
            .message("half")
            .meta(json!({"example.com/shard": 7}))
            .other("content", json!([{"type": "text", "text": "a part"}]))
            .other("x-rate", json!(1.5));
        Script::new().progress_with(update).progress(2, 2)
    });
    let client = Client::connect(server).await.expect("connected");
    let mut seen = Vec::new();
    let call = client.call_tool("t", json!({}));
    call.on_progress(|update| seen.push(update))
        .await
        .expect("answered");

    let [first, second] = &seen[..] else {
        panic!("{seen:?}");
    };
    assert_eq!(
        first.meta().map(|meta| meta.get()),
        Some(r#"{"example.com/shard":7}"#)
    );
    let mut other: Vec<_> = first
        .other()
        .map(|(name, value)| (name, value.get()))
        .collect();
    other.sort_unstable();
    let content = r#"[{"text":"a part","type":"text"}]"#;
    assert_eq!(other, [("content", content), ("x-rate", "1.5")]);
    assert!(second.meta().is_none() && second.other().next().is_none());
}
