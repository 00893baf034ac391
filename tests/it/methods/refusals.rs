//! Requests that the negotiated revision lacks are refused before anything is sent, and the error names the
//! replacement.

use mcp_progress::model::LoggingLevel;
use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Client, Error, ErrorKind, ProtocolVersion, Result};
use serde_json::{Value, json};

fn check(refused: Error, method: &str, instead: &str, version: ProtocolVersion) {
    assert_eq!(refused.kind(), ErrorKind::Unsupported, "{method}");
    let text = refused.to_string();
    for part in [method, instead, version.as_str()] {
        assert!(text.contains(part), "{text:?} does not name {part}");
    }
}

#[tokio::test]
async fn what_the_modern_era_lacks() -> Result<()> {
    let server = ScriptedServer::new();
    let log = server.log();
    let client = Client::connect(server).await?;
    let version = client.server().protocol_version;
    let before = log.messages().len();
    let level = json!({"level": "debug"});
    let uri = "file:///a";
    let refused = [
        (client.ping().await, "ping", "discover"),
        (
            client.subscribe_resource(uri).await,
            "resources/subscribe",
            "listen",
        ),
        (
            client.unsubscribe_resource(uri).await,
            "resources/unsubscribe",
            "listen",
        ),
        (
            client.request("logging/setLevel", level).await,
            "logging/setLevel",
            "log_level",
        ),
        (
            client.request("initialize", json!({})).await,
            "initialize",
            "discover",
        ),
    ];
    for (outcome, method, instead) in refused {
        check(outcome.expect_err("it has none"), method, instead, version);
    }
    // This one has its modern form, which is no request.
    client.set_log_level(LoggingLevel::Debug).await?;
    client.close().await;
    assert_eq!(log.messages().len(), before, "nothing was sent");
    Ok(())
}

#[tokio::test]
async fn what_the_handshake_era_lacks() -> Result<()> {
    for &version in ProtocolVersion::ALL
        .iter()
        .filter(|version| !version.is_modern())
    {
        let server = ScriptedServer::new();
        let log = server.log();
        let client = Client::connect(server).protocol(version).await?;
        let discover = client.discover().await.map(drop);
        let listen: Result<Value> = client.request("subscriptions/listen", json!({})).await;
        client.close().await;
        check(
            discover.expect_err("it has none"),
            "server/discover",
            "Client::server",
            version,
        );
        let error = listen.expect_err("it has none");
        check(error, "subscriptions/listen", "subscribe_resource", version);
        assert!(
            log.requests("server/discover").is_empty(),
            "the revision was pinned"
        );
        assert!(log.requests("subscriptions/listen").is_empty());
    }
    Ok(())
}
