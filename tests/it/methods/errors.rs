//! Tool errors are results, JSON-RPC errors are errors, and what cannot be read says so.

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, ErrorObject, ProtocolVersion};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_tool_error_is_a_result() {
    let server = ScriptedServer::new().tool("t", |_| {
        Script::new().progress(1, 2).tool_error("no such file")
    });
    let client = Client::connect(server).await.expect("connected");
    let mut seen = 0;
    let call = client.call_tool("t", json!({})).on_progress(|_| seen += 1);
    let result = call.await.expect("the tool has answered");
    assert!(result.is_error);
    assert_eq!(result.as_text().as_deref(), Some("no such file"));
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_json_rpc_error_is_an_error() {
    let server = ScriptedServer::new().tool("t", |_| {
        Script::new()
            .progress_message(1, 2, "reading")
            .error_with_data(-32042, "Too much", json!({"limit": [1, 2]}))
    });
    let client = Client::connect(server).await.expect("connected");
    let call = client.call_tool("t", json!({})).progress_token("mine");
    let error = call.await.expect_err("it was refused");

    assert_eq!(error.kind(), ErrorKind::Rpc);
    let rpc = error.as_rpc().expect("the server's own words");
    assert_eq!((rpc.code, rpc.message.as_str()), (-32042, "Too much"));
    assert_eq!(rpc.data, Some(json!({"limit": [1, 2]})));
    assert_eq!(error.method(), Some("tools/call"));
    assert_eq!(error.token().and_then(|token| token.as_str()), Some("mine"));
    assert!(error.request_id().is_some() && error.elapsed().is_some());
    let last = error.last_update().expect("one had come");
    assert_eq!(last.to_string(), "1 of 2: reading");
    assert!(!error.is_timeout());

    let error = client.call_tool("nobody", json!({})).await;
    let error = error.expect_err("there is none");
    let code = error.as_rpc().map(|rpc| rpc.code);
    assert_eq!(code, Some(ErrorObject::INVALID_PARAMS));
    assert!(error.last_update().is_none());
}

#[tokio::test]
async fn results_of_another_form() {
    use ErrorKind::{Decode, Protocol};
    let (old, new) = (ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28);
    let rows: [(ProtocolVersion, Value, Option<ErrorKind>); 8] = [
        (old, json!([]), Some(Decode)),
        (old, json!({"tools": 5}), Some(Decode)),
        (old, json!({"tools": []}), None),
        // A word that only the modern era gives a meaning to.
        (old, json!({"tools": [], "resultType": "strange"}), None),
        (new, json!({"tools": []}), None),
        (new, json!({"tools": [], "resultType": "complete"}), None),
        (
            new,
            json!({"tools": [], "resultType": "strange"}),
            Some(Protocol),
        ),
        (
            new,
            json!({"resultType": "input_required", "inputRequests": {}}),
            Some(Protocol),
        ),
    ];
    for (version, result, expected) in rows {
        let sent = result.clone();
        let server =
            ScriptedServer::new().method("tools/list", move |_| Script::new().result(sent.clone()));
        let client = Client::connect(server)
            .protocol(version)
            .await
            .expect("connected");
        let outcome = client.list_tools().await;
        let kind = outcome.as_ref().err().map(|error| error.kind());
        assert_eq!(kind, expected, "{version} {result} gave {outcome:?}");
        if expected == Some(Decode) {
            let error = outcome.expect_err("it is of another form");
            assert!(error.to_string().contains("serde_json::Value"), "{error}");
            let raw: Value = client
                .request("tools/list", Value::Null)
                .await
                .expect("raw");
            assert_eq!(raw, result);
        }
    }
}

/// Servers answer a cancel with errors of many codes. The answer may come before the call is looked at again.
#[tokio::test(start_paused = true)]
async fn an_error_that_answers_a_cancel_counts_as_cancelled() {
    let server = ScriptedServer::new().tool("t", |_| {
        Script::new()
            .progress(1, 3)
            .until_cancelled()
            .burst(|together| together.progress(2, 3).error(0, "Request cancelled"))
    });
    let client = Client::connect(server).await.expect("connected");
    let call = client.call_tool("t", json!({}));
    let mut call = call.cancel_grace(Duration::from_secs(5)).start();
    assert_eq!(call.next().await.map(|update| update.progress), Some(1.0));
    let button = call.canceller();
    assert!(button.cancel("enough"));
    client.list_tools().await.expect("answered behind it");

    assert_eq!(call.next().await.map(|update| update.progress), Some(2.0));
    assert!(call.next().await.is_none());
    let error = call.await.expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.to_string().contains("2 of 3"), "{error}");
}
