//! The same request by callback, by stream and by registry: every method, in every revision.

use mcp_progress::model::CompletionReference;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{
    Client, ErrorKind, Progress, ProgressToken, ProtocolVersion, Request, StreamEnd,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::{Arc, Mutex};

/// What is compared of an update.
type Facts = (u64, u64, f64, Option<f64>, Option<String>);

fn facts(update: &Progress) -> Facts {
    let message = update.message.as_deref().map(str::to_owned);
    (
        update.seq,
        update.merged,
        update.progress,
        update.total,
        message,
    )
}

/// Two updates in writes of their own, then two together with the result.
fn script(result: &Value) -> Script {
    let result = result.clone();
    Script::new()
        .progress(0, 4)
        .progress_message(1, 4, "begun")
        .burst(|together| together.progress(2.5, 4).progress(4, 4).result(result))
}

fn expected() -> [Facts; 4] {
    [
        (1, 0, 0.0, Some(4.0), None),
        (2, 0, 1.0, Some(4.0), Some("begun".to_owned())),
        (3, 0, 2.5, Some(4.0), None),
        (4, 0, 4.0, Some(4.0), None),
    ]
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Reindexed {
    files: u64,
}

/// The methods with their results, and how often each is called below: by callback, by stream, by registry.
fn rows() -> Vec<(&'static str, Value)> {
    let content = json!({"type": "text", "text": "hello"});
    vec![
        ("tools/call", json!({"content": [content]})),
        (
            "tools/list",
            json!({"tools": [{"name": "t", "inputSchema": {"type": "object"}}]}),
        ),
        (
            "resources/list",
            json!({"resources": [{"uri": "file:///a", "name": "a"}]}),
        ),
        (
            "resources/templates/list",
            json!({"resourceTemplates": [{"uriTemplate": "log:///{day}", "name": "log"}]}),
        ),
        (
            "resources/read",
            json!({"contents": [{"uri": "file:///a", "text": "hello"}]}),
        ),
        ("prompts/list", json!({"prompts": [{"name": "p"}]})),
        (
            "prompts/get",
            json!({"messages": [{"role": "user", "content": content}]}),
        ),
        (
            "completion/complete",
            json!({"completion": {"values": ["hello"]}}),
        ),
        ("vendor/reindex", json!({"files": 3})),
    ]
}

/// Makes the request in each of the three ways and gives the one result that all of them gave.
async fn three_ways<T>(client: &Client, request: impl Fn() -> Request<T>) -> T
where
    T: DeserializeOwned + PartialEq + Debug,
{
    let mut seen = Vec::new();
    let by_callback = request().on_progress(|update| seen.push(facts(&update)));
    let by_callback = by_callback.await.expect("by callback");
    assert_eq!(seen, expected());

    let mut seen = Vec::new();
    let mut call = request().start();
    while let Some(update) = call.next().await {
        seen.push(facts(&update));
    }
    let by_stream = call.await.expect("by stream");
    assert_eq!(seen, expected());

    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = seen.clone();
    let token = ProgressToken::generate();
    let guard = client.progress().register(&token, move |update| {
        sink.lock().expect("not poisoned").push(facts(&update));
    });
    let mut updates = client.progress().subscribe(&token);
    let by_registry = request().progress_token(token.clone());
    let by_registry = by_registry.await.expect("by registry");
    assert_eq!(*seen.lock().expect("not poisoned"), expected());
    let mut seen = Vec::new();
    while let Some(update) = updates.next().await {
        assert_eq!(update.token, token);
        seen.push(facts(&update));
    }
    assert_eq!(seen, expected());
    assert_eq!(updates.end(), Some(StreamEnd::Completed));
    drop(guard);

    assert_eq!((client.stats().live_calls, client.progress().len()), (0, 0));
    assert_eq!(by_callback, by_stream);
    assert_eq!(by_callback, by_registry);
    by_callback
}

#[tokio::test]
async fn every_method_in_every_revision() {
    for &version in ProtocolVersion::ALL {
        let server = rows()
            .into_iter()
            .fold(ScriptedServer::new(), |server, (method, result)| {
                server.method(method, move |_| script(&result))
            });
        let log = server.log();
        let client = Client::connect(server)
            .protocol(version)
            .await
            .expect("connected");
        assert_eq!(client.server().protocol_version, version);

        let called = three_ways(&client, || client.call_tool("t", json!({"a": 1}))).await;
        assert_eq!(called.as_text().as_deref(), Some("hello"));
        let listed = three_ways(&client, || client.list_tools()).await;
        assert_eq!(listed.tools[0].name, "t");
        let listed = three_ways(&client, || client.list_resources()).await;
        assert_eq!(listed.resources[0].uri, "file:///a");
        let listed = three_ways(&client, || client.list_resource_templates()).await;
        assert_eq!(listed.resource_templates[0].uri_template, "log:///{day}");
        let read = three_ways(&client, || client.read_resource("file:///a")).await;
        assert_eq!(read.contents[0].as_text(), Some("hello"));
        let listed = three_ways(&client, || client.list_prompts()).await;
        assert_eq!(listed.prompts[0].name, "p");
        let filled = three_ways(&client, || client.get_prompt("p", Value::Null)).await;
        assert_eq!(filled.messages[0].content.as_text(), Some("hello"));
        let completed = three_ways(&client, || {
            client.complete(CompletionReference::prompt("p"), "name", "he")
        });
        assert_eq!(completed.await.completion.values, ["hello"]);
        let custom: Reindexed =
            three_ways(&client, || client.request("vendor/reindex", json!({}))).await;
        assert_eq!(custom, Reindexed { files: 3 });

        client.close().await;
        let mut tokens = HashSet::new();
        for (method, _) in rows() {
            let requests = log.requests(method);
            assert_eq!(requests.len(), 3, "{method} in {version}");
            for request in requests {
                let token = request.params()["_meta"]["progressToken"].clone();
                assert!(token.is_string(), "{request:?}");
                assert!(
                    tokens.insert(token.to_string()),
                    "a token twice: {request:?}"
                );
            }
        }
        assert_eq!(log.cancelled(), Vec::<Value>::new());
    }
}

/// A failed call hands its updates over too, in each of the three ways.
#[tokio::test]
async fn a_call_that_fails_has_its_updates() {
    let server = ScriptedServer::new().resource("file:///a", |_| {
        Script::new().burst(|together| together.progress(1, 2).error(-32002, "gone"))
    });
    let client = Client::connect(server).await.expect("connected");
    let token = ProgressToken::generate();
    let mut updates = client.progress().subscribe(&token);

    let mut seen = 0;
    let call = client.read_resource("file:///a").progress_token(token);
    let error = call
        .on_progress(|_| seen += 1)
        .await
        .expect_err("it is gone");
    assert_eq!((seen, error.kind()), (1, ErrorKind::Rpc));
    assert_eq!(
        updates.next().await.map(|update| update.progress),
        Some(1.0)
    );
    assert!(updates.next().await.is_none());
    assert_eq!(updates.end(), Some(StreamEnd::Failed));

    let mut call = client.read_resource("file:///a").start();
    assert_eq!(call.next().await.map(|update| update.progress), Some(1.0));
    assert!(call.next().await.is_none());
    assert_eq!(call.await.expect_err("it is gone").kind(), ErrorKind::Rpc);
}
