//! What a server sends without being asked: log messages at the wanted level, changed lists, its own, and requests.

use mcp_progress::model::{LogMessage, LoggingLevel};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, DiagnosticKind, Notification, ProtocolVersion, Result};
use serde_json::{Value, json};

const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

fn log_level(message: &mcp_progress::testing::Received) -> Option<&Value> {
    message.params()["_meta"].get(LOG_LEVEL)
}

#[tokio::test]
async fn the_log_level_in_the_handshake_era() -> Result<()> {
    let server = ScriptedServer::new().tool("t", |_| Script::new());
    let log = server.log();
    let client = Client::connect(server)
        .protocol(ProtocolVersion::V2025_06_18)
        .log_level(LoggingLevel::Warning)
        .await?;
    client.call_tool("t", json!({})).await?;
    client.set_log_level(LoggingLevel::Debug).await?;
    client.close().await;

    let levels = log.requests("logging/setLevel");
    let levels: Vec<_> = levels
        .iter()
        .map(|request| request.params().clone())
        .collect();
    assert_eq!(
        levels,
        [json!({"level": "warning"}), json!({"level": "debug"})]
    );
    assert!(
        log.messages()
            .iter()
            .all(|message| log_level(message).is_none())
    );
    Ok(())
}

#[tokio::test]
async fn a_server_without_log_messages_is_not_asked_for_them() -> Result<()> {
    let server = ScriptedServer::new().capability("logging", Value::Null);
    let log = server.log();
    let client = Client::connect(server)
        .protocol(ProtocolVersion::V2025_11_25)
        .log_level(LoggingLevel::Warning)
        .await?;
    client.close().await;
    assert!(log.requests("logging/setLevel").is_empty());
    Ok(())
}

#[tokio::test]
async fn the_log_level_in_the_modern_era() -> Result<()> {
    let server = ScriptedServer::new().tool("t", |_| Script::new());
    let log = server.log();
    let client = Client::connect(server.clone()).await?;
    client.call_tool("t", json!({})).await?;
    client.set_log_level(LoggingLevel::Debug).await?;
    client.call_tool("t", json!({})).await?;
    client.list_tools().await?;
    client.close().await;
    let calls = log.requests("tools/call");
    assert_eq!(log_level(&calls[0]), None);
    assert_eq!(log_level(&calls[1]), Some(&json!("debug")));
    assert_eq!(
        log_level(&log.requests("tools/list")[0]),
        Some(&json!("debug"))
    );

    let second = Client::connect(server)
        .log_level(LoggingLevel::Emergency)
        .await?;
    second.call_tool("t", json!({})).await?;
    second.ping().await.expect_err("it does not exist there");
    second.close().await;
    let call = log.requests("tools/call").pop().expect("there were three");
    assert_eq!(log_level(&call), Some(&json!("emergency")));
    assert!(log.requests("logging/setLevel").is_empty());
    Ok(())
}

#[tokio::test]
async fn every_notification_arrives_but_progress() -> Result<()> {
    for &version in ProtocolVersion::ALL {
        let server = ScriptedServer::new().tool("t", |_| {
            Script::new()
                .log("warning", json!({"disk": "full"}))
                .progress(1, 1)
                .notify("notifications/tools/list_changed", Value::Null)
                .notify("vendor/hint", json!({"a": [1, 2]}))
                .text("done")
        });
        let client = Client::connect(server.clone()).protocol(version).await?;
        let (mut first, mut second) = (client.notifications(), client.notifications());
        client.call_tool("t", json!({})).await?;
        server.notify("notifications/prompts/list_changed", &Value::Null);
        // The requests of the client are served in order: what comes before this result has come.
        client.list_tools().await?;
        client.close().await;

        let mut seen = Vec::new();
        while let Some(notification) = first.next().await {
            seen.push(notification);
        }
        let methods: Vec<_> = seen.iter().map(|seen| seen.method.as_str()).collect();
        let expected = [
            Notification::LOG,
            "notifications/tools/list_changed",
            "vendor/hint",
            "notifications/prompts/list_changed",
        ];
        assert_eq!(methods, expected, "{version}");
        let message: LogMessage = seen[0].params().expect("a log message");
        assert_eq!(
            (message.level, &message.data["disk"]),
            (LoggingLevel::Warning, &json!("full"))
        );
        assert!(seen[1].params.is_none());
        assert_eq!(
            seen[2].params::<Value>().expect("JSON"),
            json!({"a": [1, 2]})
        );

        // Each reader has its own copy of everything.
        for method in methods {
            let again = second.next().await.map(|seen| seen.method);
            assert_eq!(again.as_deref(), Some(method));
        }
        assert!(second.next().await.is_none());
        assert_eq!(client.stats().diagnostics(), 0);
    }
    Ok(())
}

#[tokio::test]
async fn the_oldest_notifications_go_and_are_counted() -> Result<()> {
    let server = ScriptedServer::new().tool("t", |_| {
        (1..=1500).fold(Script::new(), |script, n| {
            script.notify("vendor/n", json!({"n": n}))
        })
    });
    let client = Client::connect(server).await?;
    let mut notifications = client.notifications();
    client.call_tool("t", json!({})).await?;
    let oldest = notifications.next().await.expect("1024 are kept");
    let oldest: Value = oldest.params().expect("JSON");
    assert_eq!(oldest, json!({"n": 1500 - 1024 + 1}));
    assert_eq!(notifications.missed(), 1500 - 1024);
    Ok(())
}

/// A tool during which the server asks the client for something.
fn asking() -> ScriptedServer {
    ScriptedServer::new().tool("t", |_| {
        Script::new()
            .raw(r#"{"jsonrpc":"2.0","id":"s-1","method":"ping"}"#)
            .raw(r#"{"jsonrpc":"2.0","id":7,"method":"ping","params":{"_meta":{}}}"#)
            .raw(r#"{"jsonrpc":"2.0","id":8,"method":"roots/list"}"#)
            .raw(r#"{"jsonrpc":"2.0","id":"9","method":"sampling/createMessage","params":{}}"#)
            .text("done")
    })
}

#[tokio::test]
async fn a_handshake_server_gets_answers() -> Result<()> {
    for &version in ProtocolVersion::ALL
        .iter()
        .filter(|version| !version.is_modern())
    {
        let server = asking();
        let log = server.log();
        let client = Client::connect(server).protocol(version).await?;
        client.call_tool("t", json!({})).await?;
        client.close().await;

        let messages = log.messages();
        let replies: Vec<_> = messages
            .iter()
            .filter(|message| message.method().is_none())
            .collect();
        assert_eq!(replies.len(), 4, "{replies:?}");
        let pong = |id: Value| json!({"jsonrpc": "2.0", "id": id, "result": {}});
        assert_eq!(*replies[0].value(), pong(json!("s-1")));
        assert_eq!(*replies[1].value(), pong(json!(7)));
        let refused = [
            (json!(8), "roots/list"),
            (json!("9"), "sampling/createMessage"),
        ];
        for (reply, (id, method)) in replies[2..].iter().zip(refused) {
            assert_eq!(reply.id(), Some(&id));
            let error = &reply.value()["error"];
            assert_eq!(error["code"], -32601);
            assert!(
                error["message"]
                    .as_str()
                    .is_some_and(|text| text.contains(method))
            );
        }
        let unserved = client.stats().count(DiagnosticKind::UnservedRequest);
        assert_eq!((unserved, client.stats().diagnostics()), (2, 2));
    }
    Ok(())
}

#[tokio::test]
async fn a_modern_server_gets_none() -> Result<()> {
    let server = asking();
    let log = server.log();
    let client = Client::connect(server).await?;
    let mut diagnostics = client.diagnostics();
    client.call_tool("t", json!({})).await?;
    client.close().await;

    let messages = log.messages();
    assert!(
        messages.iter().all(|message| message.method().is_some()),
        "{messages:?}"
    );
    assert_eq!(client.stats().count(DiagnosticKind::UnservedRequest), 4);
    for method in ["ping", "ping", "roots/list", "sampling/createMessage"] {
        let diagnostic = diagnostics.next().await.expect("each is told");
        assert_eq!(diagnostic.kind, DiagnosticKind::UnservedRequest);
        assert_eq!(diagnostic.detail, method);
    }
    Ok(())
}
