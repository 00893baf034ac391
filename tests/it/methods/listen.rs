//! `subscriptions/listen`: what it brings, and each way in which it ends.

use mcp_progress::model::SubscriptionFilter;
use mcp_progress::testing::{Log, ScriptedServer};
use mcp_progress::{Client, ErrorKind, Listen, Notification, ProtocolVersion, Result};
use serde_json::{Value, json};
use std::time::Duration;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const UPDATED: &str = "notifications/resources/updated";

fn filter() -> SubscriptionFilter {
    SubscriptionFilter::new()
        .with_tools()
        .with_resource("file:///a")
}

/// A subscription of which the acknowledgement was read.
async fn open(server: &ScriptedServer) -> Result<(Client, Listen, Log)> {
    let client = Client::connect(server.clone()).await?;
    let mut listen = client.listen(&filter())?;
    let first: Notification = listen.next().await.expect("the acknowledgement");
    assert_eq!(first.method, ACKNOWLEDGED);
    let agreed: Value = first.params().expect("JSON");
    let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": ["file:///a"]});
    assert_eq!(agreed["notifications"], wanted);
    Ok((client, listen, server.log()))
}

#[tokio::test]
async fn it_brings_what_the_filter_names() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, mut listen, log) = open(&server).await?;
    let mut elsewhere = client.notifications();
    let request = log
        .requests("subscriptions/listen")
        .pop()
        .expect("it was sent");
    assert!(request.params()["_meta"].get("progressToken").is_none());

    let other = json!({"uri": "file:///b"});
    assert_eq!(
        server.notify_subscribers("notifications/prompts/list_changed", &Value::Null),
        0
    );
    assert_eq!(server.notify_subscribers(UPDATED, &other), 0);
    assert_eq!(
        server.notify_subscribers("notifications/tools/list_changed", &Value::Null),
        1
    );
    assert_eq!(
        server.notify_subscribers(UPDATED, &json!({"uri": "file:///a"})),
        1
    );

    let first = listen.next().await.expect("the tools have changed");
    assert_eq!(first.method, "notifications/tools/list_changed");
    let second = listen.next().await.expect("the resource has changed");
    let params: Value = second.params().expect("JSON");
    assert_eq!(
        (second.method.as_str(), &params["uri"]),
        (UPDATED, &json!("file:///a"))
    );
    assert_eq!(listen.missed(), 0);
    // Who listens to everything hears of it too.
    assert_eq!(
        elsewhere.next().await.map(|seen| seen.method),
        Some(first.method)
    );
    Ok(())
}

#[tokio::test]
async fn two_subscriptions_are_kept_apart() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, mut tools, _) = open(&server).await?;
    let mut prompts = client.listen(&SubscriptionFilter::new().with_prompts())?;
    assert_eq!(
        prompts.next().await.map(|seen| seen.method).as_deref(),
        Some(ACKNOWLEDGED)
    );
    server.notify_subscribers("notifications/prompts/list_changed", &Value::Null);
    server.notify_subscribers("notifications/tools/list_changed", &Value::Null);
    let seen = prompts.next().await.map(|seen| seen.method);
    assert_eq!(seen.as_deref(), Some("notifications/prompts/list_changed"));
    let seen = tools.next().await.map(|seen| seen.method);
    assert_eq!(seen.as_deref(), Some("notifications/tools/list_changed"));
    Ok(())
}

#[tokio::test]
async fn dropping_it_cancels_it() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, listen, log) = open(&server).await?;
    let id = log.requests("subscriptions/listen")[0].id().cloned();
    drop(listen);
    log.wait_for(|log| !log.stopped().is_empty()).await;
    assert_eq!(log.stopped(), log.cancelled());
    assert_eq!(log.cancelled().first(), id.as_ref());
    assert_eq!(
        server.notify_subscribers("notifications/tools/list_changed", &Value::Null),
        0
    );
    assert_eq!(client.stats().live_calls, 0);
    client.close().await;
    assert_eq!(log.cancelled().len(), 1);
    Ok(())
}

#[tokio::test]
async fn the_server_may_close_it() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, mut listen, log) = open(&server).await?;
    server.notify_subscribers("notifications/tools/list_changed", &Value::Null);
    server.close_subscriptions();
    let last = listen.next().await.map(|seen| seen.method);
    assert_eq!(last.as_deref(), Some("notifications/tools/list_changed"));
    assert!(listen.next().await.is_none());
    listen.end().await?;
    client.close().await;
    assert_eq!(log.cancelled(), Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn the_server_may_cancel_it() -> Result<()> {
    let server = ScriptedServer::new();
    let (client, mut listen, log) = open(&server).await?;
    server.cancel_subscriptions();
    assert!(listen.next().await.is_none());
    let error = listen.end().await.expect_err("it was cancelled");
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert_eq!(client.stats().live_calls, 0);
    client.close().await;
    assert_eq!(log.cancelled(), Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn the_connection_may_be_lost() -> Result<()> {
    let server = ScriptedServer::new();
    let (_client, mut listen, _) = open(&server).await?;
    server.disconnect();
    assert!(listen.next().await.is_none());
    let error = listen.end().await.expect_err("the server is gone");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn no_clock_ends_it() -> Result<()> {
    let server = ScriptedServer::new();
    let (_client, mut listen, log) = open(&server).await?;
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    assert!(tokio::time::timeout(month, listen.next()).await.is_err());
    server.notify_subscribers("notifications/tools/list_changed", &Value::Null);
    let seen = listen.next().await.map(|seen| seen.method);
    assert_eq!(seen.as_deref(), Some("notifications/tools/list_changed"));
    assert_eq!(log.cancelled(), Vec::<Value>::new());
    Ok(())
}

#[tokio::test]
async fn the_handshake_era_has_none() -> Result<()> {
    let server = ScriptedServer::new();
    let client = Client::connect(server.clone())
        .protocol(ProtocolVersion::V2025_11_25)
        .await?;
    let error = client.listen(&filter()).expect_err("there are none");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("subscribe_resource"), "{error}");
    assert!(server.log().requests("subscriptions/listen").is_empty());
    Ok(())
}
