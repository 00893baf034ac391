use mcp_progress::testing::{Eras, Script, ScriptedServer};
use mcp_progress::{Client, ErrorKind, ProtocolVersion};
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn burst() {
    for n in [1u32, 3, 10, 1000] {
        let server = ScriptedServer::new().tool("burst", move |_| {
            Script::new().burst(|mut s| {
                for i in 1..=n {
                    s = s.progress(i, n);
                }
                s.text("ok")
            })
        });
        let client = Client::connect(server.clone()).await.unwrap();
        let mut seen = Vec::new();
        let r = client
            .call_tool("burst", json!({}))
            .on_progress(|u| seen.push((u.progress, u.merged)))
            .await
            .unwrap();
        assert_eq!(r.as_text().as_deref(), Some("ok"));
        assert_eq!(seen.len(), n as usize);
        assert!(seen.iter().all(|s| s.1 == 0));
        assert_eq!(client.stats().live_calls, 0);
        assert_eq!(client.stats().registrations, 0);
        assert_eq!(
            client.server().protocol_version,
            ProtocolVersion::V2026_07_28
        );
        client.close().await;
        assert_eq!(server.log().cancelled().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn idle() {
    let server = ScriptedServer::new()
        .eras(Eras::Handshake)
        .tool("hang", |_| {
            Script::new().every(Duration::from_secs(200), 3).silence()
        });
    let client = Client::connect(server.clone()).await.unwrap();
    let e = client.call_tool("hang", json!({})).await.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Timeout);
    println!("{e}");
    assert_eq!(
        client.server().protocol_version,
        ProtocolVersion::V2025_11_25
    );
    client.close().await;
    assert_eq!(server.log().cancelled().len(), 1);
}

#[tokio::test]
async fn stream_and_cancel() {
    let server = ScriptedServer::new().tool("hang", |_| {
        Script::new().progress(1, 3).progress(2, 3).silence()
    });
    let client = Client::connect(server.clone()).await.unwrap();
    let mut call = client.call_tool("hang", json!({})).start();
    assert_eq!(call.next().await.unwrap().progress, 1.0);
    assert_eq!(call.next().await.unwrap().progress, 2.0);
    let c = call.canceller().unwrap();
    assert!(c.cancel("enough"));
    assert!(call.next().await.is_none());
    let e = call.await.unwrap_err();
    println!("{e}");
    assert_eq!(e.kind(), ErrorKind::Cancelled);
    client.close().await;
    assert_eq!(server.log().cancelled().len(), 1);
}

#[tokio::test]
async fn everything() {
    let client = Client::stdio(
        "node",
        ["/tmp/w/ev/node_modules/@modelcontextprotocol/server-everything/dist/index.js"],
    )
    .await
    .unwrap();
    println!("{:?}", client.server());
    let mut seen = Vec::new();
    let r = client
        .call_tool(
            "trigger-long-running-operation",
            json!({"duration": 1, "steps": 5}),
        )
        .on_progress(|u| seen.push(u.progress))
        .await
        .unwrap();
    println!("{seen:?} {r:?}");
    client.close().await;
}
