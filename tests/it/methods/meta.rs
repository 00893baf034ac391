//! `_meta` of a request: what the caller may put there, and what only the client may.

use mcp_progress::model::Implementation;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, ProtocolVersion, Result};
use serde_json::{Value, json};

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("t", |_| Script::new())
        .method("vendor/x", |_| Script::new())
}

#[tokio::test]
async fn the_callers_members_are_merged() -> Result<()> {
    for &version in ProtocolVersion::ALL {
        let server = server();
        let log = server.log();
        let client = Client::connect(server)
            .protocol(version)
            .client_info(Implementation::new("editor", "1.2"))
            .await?;
        client
            .call_tool("t", json!({"path": "/"}))
            .meta("example.com/trace", "abc")
            .meta("traceparent", json!({"deep": [null]}))
            .progress_token("mine")
            .await?;
        let params = json!({"a": 1, "_meta": {"example.com/a": 1, "example.com/b": 1}});
        let request = client.request::<Value>("vendor/x", params);
        request.meta("example.com/b", 2).await?;

        let call = log.requests("tools/call").pop().expect("it was sent");
        let mut meta = call.params()["_meta"]
            .as_object()
            .expect("it has one")
            .clone();
        let protocol = meta.remove("io.modelcontextprotocol/protocolVersion");
        let info = meta.remove("io.modelcontextprotocol/clientInfo");
        let capabilities = meta.remove("io.modelcontextprotocol/clientCapabilities");
        if version.is_modern() {
            assert_eq!(protocol, Some(json!(version)));
            assert_eq!(info, Some(json!({"name": "editor", "version": "1.2"})));
            let tasks = json!({"extensions": {"io.modelcontextprotocol/tasks": {}}});
            assert_eq!(capabilities, Some(tasks));
        } else {
            assert_eq!((protocol, info, capabilities), (None, None, None));
        }
        let expected = json!({
            "example.com/trace": "abc",
            "traceparent": {"deep": [null]},
            "progressToken": "mine",
        });
        assert_eq!(Value::Object(meta), expected, "{version}");
        assert_eq!(call.params()["arguments"], json!({"path": "/"}));

        let custom = log.requests("vendor/x").pop().expect("it was sent");
        assert_eq!(custom.params()["a"], 1);
        let meta = &custom.params()["_meta"];
        assert_eq!(
            (&meta["example.com/a"], &meta["example.com/b"]),
            (&json!(1), &json!(2))
        );
        assert!(meta["progressToken"].is_string());
    }
    Ok(())
}

#[tokio::test]
async fn reserved_members_are_refused() -> Result<()> {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await?;
    let before = log.messages().len();
    let keys = [
        "progressToken",
        "io.modelcontextprotocol/protocolVersion",
        "io.modelcontextprotocol/clientInfo",
        "io.modelcontextprotocol/clientCapabilities",
        "io.modelcontextprotocol/logLevel",
        "io.modelcontextprotocol/not-yet-known",
    ];
    for key in keys {
        let by_builder = client
            .call_tool("t", json!({}))
            .meta(key, "x")
            .await
            .map(drop);
        let params = json!({"_meta": {key: "x"}});
        let by_params = client.request::<Value>("vendor/x", params).await.map(drop);
        let by_stream = client.list_tools().meta(key, 1).meta("fine", 1).start();
        assert!(!by_stream.canceller().cancel("") && by_stream.token().is_none());
        for refused in [by_builder, by_params, by_stream.await.map(drop)] {
            let error = refused.expect_err("it is the client's");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert!(error.to_string().contains(key), "{error}");
            assert!(error.to_string().contains("progress_token"), "{error}");
        }
    }
    client.close().await;
    assert_eq!(log.messages().len(), before, "nothing was sent");
    assert_eq!(client.stats().live_calls, 0);
    Ok(())
}

#[tokio::test]
async fn params_that_are_no_object_are_refused() -> Result<()> {
    let server = server();
    let log = server.log();
    let client = Client::connect(server).await?;
    let before = log.messages().len();
    let outcomes = [
        client.call_tool("t", [1, 2]).await.map(drop),
        client.call_tool("t", "text").await.map(drop),
        client.get_prompt("p", 5).await.map(drop),
        client.request::<Value>("vendor/x", true).await.map(drop),
        client
            .request::<Value>("vendor/x", json!({"_meta": 5}))
            .await
            .map(drop),
        client.notify("vendor/x", [1]),
    ];
    for outcome in outcomes {
        let error = outcome.expect_err("it is no object");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
    // Null stands for none at all.
    client.call_tool("t", Value::Null).await?;
    let call = log.requests("tools/call").pop().expect("it was sent");
    assert!(call.params().get("arguments").is_none());
    client.close().await;
    assert_eq!(log.messages().len(), before + 1);
    Ok(())
}
