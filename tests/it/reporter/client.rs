//! Progress from the client to the server, as the server sees it.
//!
//! Owns the wire form, and the revision that has none.

use mcp_progress::reporter::{ReporterError, SinkError};
use mcp_progress::testing::ScriptedServer;
use mcp_progress::{Client, ErrorKind, ProgressSink, ProgressToken, ProtocolVersion};
use serde_json::json;

use crate::peer::{Peer, settle};

#[tokio::test(start_paused = true)]
async fn progress_can_be_sent_for_any_token() {
    let (client, mut server) = Peer::connect(1 << 16).await;
    let token = ProgressToken::from("asked");
    client
        .send_progress(&token, 1.0, None, None)
        .expect("queued");
    client
        .send_progress(&ProgressToken::from(7), 2.5, 4.0, "half")
        .expect("queued");
    let expected =
        |params| json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params});
    assert_eq!(
        server.next().await,
        expected(json!({"progressToken": "asked", "progress": 1}))
    );
    assert_eq!(
        server.next().await,
        expected(json!({"progressToken": 7, "progress": 2.5, "total": 4, "message": "half"}))
    );
    for bad in [f64::NAN, f64::INFINITY] {
        let refused = client.send_progress(&token, bad, None, None);
        assert_eq!(
            refused.map_err(|error| error.kind()),
            Err(ErrorKind::InvalidInput)
        );
        let refused = client.send_progress(&token, 1.0, bad, None);
        assert_eq!(
            refused.map_err(|error| error.kind()),
            Err(ErrorKind::InvalidInput)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_reporter_reports_to_the_server() {
    let (client, mut server) = Peer::connect(1 << 16).await;
    let token = ProgressToken::from("asked");
    let reporter = client.reporter(&token).expect("has progress").build();
    let reporter = reporter.expect("has a runtime");
    for item in reporter.wrap(0..100) {
        reporter.message(format!("item {item}")).expect("open");
    }
    reporter.finish().await.expect("queued");
    let update = server.next().await;
    assert_eq!(
        update["params"],
        json!({"progressToken": "asked", "progress": 100, "total": 100, "message": "item 99"})
    );
    client.close().await;
    assert_eq!(server.rest().await.len(), 0, "one burst, one update");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_does_not_read_holds_up_its_reporter_only() {
    let (client, mut server) = Peer::connect(64).await;
    let token = ProgressToken::from("asked");
    let long = "x".repeat(1_000);
    // More than the pipe, the writer's batch and the outbox take together.
    for _ in 0..10 {
        while client.send_progress(&token, 1.0, None, &*long).is_ok() {}
        while client.send_progress(&token, 1.0, None, None).is_ok() {}
        settle().await;
    }
    let reporter = client.reporter(&token).expect("has progress").build();
    let reporter = reporter.expect("has a runtime");
    reporter.set(2).expect("rises");
    settle().await;
    let (ended, last) = tokio::join!(reporter.finish(), async {
        // It is tried again when there is room.
        loop {
            let update = server.next().await;
            if update["params"]["progress"] != json!(1) {
                break update;
            }
        }
    });
    assert!(ended.expect("sent at last").retries > 0);
    assert_eq!(
        last["params"],
        json!({"progressToken": "asked", "progress": 2})
    );
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_gone_is_told() {
    let (client, server) = Peer::connect(1 << 16).await;
    let token = ProgressToken::from("asked");
    let sink = client.progress_sink().expect("has progress");
    let reporter = client.reporter(&token).expect("has progress").build();
    let reporter = reporter.expect("has a runtime");
    drop(server);
    client.close().await;
    reporter
        .set(1)
        .expect("the operation does not depend on who listens");
    let ended = reporter.finish().await;
    assert!(
        matches!(ended, Err(ReporterError::Undelivered(_))),
        "{ended:?}"
    );
    assert_eq!(reporter.counts().retries, 0);
    let update = mcp_progress::reporter::ProgressUpdate::new(token, 1.0);
    let refused = sink.send(update).await;
    assert!(
        refused.as_ref().is_err_and(SinkError::is_permanent),
        "{refused:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_modern_era_has_no_progress_of_clients() {
    let server = ScriptedServer::new();
    let client = Client::connect(server.clone())
        .protocol(ProtocolVersion::V2026_07_28)
        .await
        .expect("connects");
    let token = ProgressToken::from("asked");
    let kinds = [
        client.send_progress(&token, 1.0, None, None).err(),
        client.progress_sink().err(),
        client.reporter(&token).err(),
    ];
    for error in kinds {
        let error = error.expect("there is none");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("2026-07-28"), "{error}");
    }
}
