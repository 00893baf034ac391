//! Finding the era and the revision, with every kind of server.
//!
//! Revision 2026-07-28, "stdio", "Backward Compatibility"; on a paused clock.

use std::time::Duration;

use mcp_progress::testing::{Eras, Script, ScriptedServer};
use mcp_progress::{Client, Connect, Error, ErrorKind, ProtocolVersion};
use serde_json::{Value, json};

use crate::peer::{Peer, Several, block_on, initialized, now, spawn};

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const HANDSHAKE: [ProtocolVersion; 4] = [
    ProtocolVersion::V2025_11_25,
    ProtocolVersion::V2025_06_18,
    ProtocolVersion::V2025_03_26,
    ProtocolVersion::V2024_11_05,
];

fn server(eras: Eras) -> ScriptedServer {
    ScriptedServer::new()
        .eras(eras)
        .tool("work", |_| Script::new().progress(1, 1).text("done"))
}

fn methods(server: &ScriptedServer) -> Vec<String> {
    let messages = server.log().messages();
    messages
        .iter()
        .filter_map(|message| message.method().map(str::to_owned))
        .collect()
}

/// The client works in the revision that was agreed on.
async fn assert_works(client: &Client, version: ProtocolVersion) {
    assert_eq!(client.server().protocol_version, version);
    let mut seen = 0;
    let call = client.call_tool("work", json!({}));
    let result = call.on_progress(|_| seen += 1).await.expect("a result");
    assert_eq!((seen, result.as_text().as_deref()), (1, Some("done")));
}

#[track_caller]
fn assert_no_common(error: &Error, theirs: &str, ours: &str) {
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    let expected = format!(
        "no common protocol revision: the server names {theirs}; this client speaks {ours}"
    );
    assert_eq!(error.to_string(), expected);
}

const OURS: &str = "2024-11-05, 2025-03-26, 2025-06-18, 2025-11-25, 2026-07-28";

fn discovered(versions: &[&str]) -> Value {
    json!({"supportedVersions": versions, "capabilities": {}, "resultType": "complete"})
}

#[tokio::test(start_paused = true)]
async fn the_era_is_found() {
    for (eras, version, expected) in [
        (
            Eras::Both,
            ProtocolVersion::V2026_07_28,
            &["server/discover", "tools/call"][..],
        ),
        (
            Eras::Modern,
            ProtocolVersion::V2026_07_28,
            &["server/discover", "tools/call"],
        ),
        (
            Eras::Handshake,
            ProtocolVersion::V2025_11_25,
            &[
                "server/discover",
                "initialize",
                "notifications/initialized",
                "tools/call",
            ],
        ),
    ] {
        let server = server(eras);
        let began = now();
        let client = Client::connect(server.clone()).await.expect("connects");
        assert_works(&client, version).await;
        assert_eq!(methods(&server), expected);
        assert_eq!(
            (began.elapsed(), server.log().connections()),
            (Duration::ZERO, 1)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_revision_can_be_pinned() {
    for version in HANDSHAKE {
        let server = server(Eras::Both);
        let client = Client::connect(server.clone())
            .protocol(version)
            .await
            .expect("connects");
        assert_works(&client, version).await;
        let expected = ["initialize", "notifications/initialized", "tools/call"];
        assert_eq!(methods(&server), expected);
        let asked = &server.log().requests("initialize")[0];
        assert_eq!(asked.params()["protocolVersion"], version.as_str());
        let call = &server.log().requests("tools/call")[0];
        let meta = call.params()["_meta"].as_object().expect("the token");
        assert_eq!(
            meta.keys().collect::<Vec<_>>(),
            ["progressToken"],
            "nothing modern"
        );
    }
    let server = server(Eras::Both);
    let modern = Client::connect(server.clone()).protocol(ProtocolVersion::V2026_07_28);
    assert_works(
        &modern.await.expect("connects"),
        ProtocolVersion::V2026_07_28,
    )
    .await;
    for request in server.log().messages() {
        let meta = &request.params()["_meta"];
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        assert!(meta["io.modelcontextprotocol/clientCapabilities"].is_object());
        assert_eq!(
            meta["io.modelcontextprotocol/clientInfo"]["name"],
            "mcp-progress"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_pinned_revision_that_the_server_lacks_is_an_error() {
    // It offers another in the handshake, refuses the handshake, or does not know the probe.
    let offers = ScriptedServer::new().method("initialize", |_| {
        Script::new().result(initialized("2024-11-05"))
    });
    let connect = Client::connect(offers).protocol(ProtocolVersion::V2025_11_25);
    assert_no_common(
        &connect.await.expect_err("another"),
        "2024-11-05",
        "2025-11-25",
    );

    let connect = Client::connect(server(Eras::Modern)).protocol(ProtocolVersion::V2025_06_18);
    assert_no_common(
        &connect.await.expect_err("modern"),
        "2026-07-28",
        "2025-06-18",
    );

    let connect = Client::connect(server(Eras::Handshake)).protocol(ProtocolVersion::V2026_07_28);
    let error = connect.await.expect_err("handshake");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let text = error.to_string();
    assert!(
        text.contains("2026-07-28") && text.contains("leave the revision open"),
        "{text}"
    );
    assert!(std::error::Error::source(&error).is_some(), "{error}");
}

/// Without a pin, the server's counter-offer is taken if this client speaks it.
#[tokio::test(start_paused = true)]
async fn a_counter_offer_is_taken_if_it_is_spoken() {
    for version in HANDSHAKE {
        let server = server(Eras::Handshake).method("initialize", move |_| {
            Script::new().result(initialized(version.as_str()))
        });
        let client = Client::connect(server).await.expect("connects");
        assert_works(&client, version).await;
    }
    for offer in ["2023-01-01", "2026-07-28", "2027-01-01", "", "latest"] {
        let server = server(Eras::Handshake).method("initialize", move |_| {
            Script::new().result(initialized(offer))
        });
        assert_no_common(
            &Client::connect(server).await.expect_err("unknown"),
            offer,
            OURS,
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_modern_server_of_other_revisions_is_not_asked_for_a_handshake() {
    let refusing = ScriptedServer::new().method("server/discover", |_| {
        let data = json!({"supported": ["2027-03-01"], "requested": "2026-07-28"});
        Script::new().error_with_data(-32022, "Unsupported protocol version", data)
    });
    let error = Client::connect(refusing.clone())
        .await
        .expect_err("too new");
    assert_no_common(&error, "2027-03-01", OURS);
    assert_eq!(methods(&refusing), ["server/discover"]);

    let naming = ScriptedServer::new().method("server/discover", |_| {
        Script::new().result(discovered(&["2027-03-01"]))
    });
    let error = Client::connect(naming.clone()).await.expect_err("too new");
    assert_no_common(&error, "2027-03-01", OURS);
    assert_eq!(methods(&naming), ["server/discover"]);

    // One that answers the probe and names a handshake revision gets its handshake.
    let old = server(Eras::Both).method("server/discover", |_| {
        Script::new().result(discovered(&["2025-06-18"]))
    });
    let client = Client::connect(old).await.expect("connects");
    assert!(!client.server().protocol_version.is_modern());
}

/// Never keyed to one code or text: whatever is no modern answer leads to the handshake.
#[tokio::test(start_paused = true)]
async fn any_other_error_leads_to_the_handshake() {
    for code in [-32601, -32602, -32600, -32000, -32002, 0, 400] {
        let server = server(Eras::Handshake).method("server/discover", move |_| {
            Script::new().error(code, "what?")
        });
        let client = Client::connect(server).await.expect("connects");
        assert_works(&client, ProtocolVersion::V2025_11_25).await;
    }
    for odd in [
        json!({}),
        json!([]),
        json!("ok"),
        json!({"supportedVersions": "2026-07-28"}),
    ] {
        let answer = odd.clone();
        let server = server(Eras::Handshake).method("server/discover", move |_| {
            Script::new().result(answer.clone())
        });
        let client = Client::connect(server)
            .await
            .unwrap_or_else(|error| panic!("{odd}: {error}"));
        assert_works(&client, ProtocolVersion::V2025_11_25).await;
    }
}

#[tokio::test(start_paused = true)]
async fn silence_on_the_probe_leads_to_the_handshake() {
    let own: fn(Connect) -> Connect = |connect| connect.probe_timeout(secs(42));
    for (option, limit) in [(None, 5), (Some(own), 42)] {
        let server = server(Eras::Handshake).discover_silence();
        let began = now();
        let connect = Client::connect(server.clone());
        let connect = match option {
            Some(option) => option(connect),
            None => connect,
        };
        let client = connect.await.expect("connects");
        assert_eq!(began.elapsed().as_secs(), limit);
        assert_works(&client, ProtocolVersion::V2025_11_25).await;
        client.close().await;
        assert!(
            server.log().cancelled().is_empty(),
            "the probe is never cancelled"
        );
        assert_eq!(client.stats().live_calls, 0);
    }
}

/// Slow to start and modern: the handshake is refused, the probe answered after all.
#[tokio::test(start_paused = true)]
async fn a_late_answer_to_the_probe_beats_a_refused_handshake() {
    let server = server(Eras::Modern).discover_delay(secs(8));
    let began = now();
    let client = Client::connect(server).await.expect("connects");
    assert_works(&client, ProtocolVersion::V2026_07_28).await;
    assert_eq!(began.elapsed().as_secs(), 8);

    // In the other order: the answer to the probe comes first, then the refusal.
    let (io, mut peer) = Peer::pair(1 << 16);
    let connecting = spawn(Client::connect(io).into_future());
    let probe = peer.next().await;
    let handshake = peer.next().await;
    assert_eq!(handshake["method"], "initialize");
    peer.answer(&probe, discovered(&["2026-07-28"])).await;
    peer.refuse(&handshake, -32601, "no handshake here").await;
    let client = connecting.await.expect("no panic").expect("connects");
    assert_eq!(
        client.server().protocol_version,
        ProtocolVersion::V2026_07_28
    );

    // Refused, and the probe never answered: the refusal is the error.
    let server = ScriptedServer::new().eras(Eras::Modern).discover_silence();
    let error = Client::connect(server).await.expect_err("refused");
    assert_eq!(error.method(), Some("initialize"));
}

/// Both answered: the handshake counts, since the server is now in its session.
#[tokio::test(start_paused = true)]
async fn a_late_answer_to_the_probe_does_not_undo_a_handshake() {
    let server = server(Eras::Both).discover_delay(secs(6));
    let client = Client::connect(server).await.expect("connects");
    tokio::time::sleep(secs(10)).await;
    assert_works(&client, ProtocolVersion::V2025_11_25).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ends_on_the_probe_is_connected_to_once_more() {
    let server = server(Eras::Handshake).exit_on_probe();
    let client = Client::connect(server.clone()).await.expect("connects");
    assert_works(&client, ProtocolVersion::V2025_11_25).await;
    assert_eq!(server.log().connections(), 2);
    let second = server
        .log()
        .messages()
        .into_iter()
        .filter(|m| m.connection() == 1);
    let second: Vec<_> = second
        .filter_map(|m| m.method().map(str::to_owned))
        .collect();
    assert_eq!(second[..2], ["initialize", "notifications/initialized"]);

    // Once, and not for ever; where it cannot be connected to again, the first end is the error.
    for count in [1, 2] {
        let (connector, peers) = Several::pairs(count);
        let ending = peers
            .into_iter()
            .map(|mut peer| async move { peer.next().await["method"].clone() });
        let (error, seen) = tokio::join!(
            Client::connect(connector).into_future(),
            futures::future::join_all(ending)
        );
        assert_eq!(
            error.expect_err("it ended").kind(),
            ErrorKind::ConnectionLost
        );
        assert_eq!(
            seen,
            [json!("server/discover"), json!("initialize")][..count]
        );
    }
    // An open stream cannot be opened again, and says so no louder than what happened.
    let (io, mut peer) = Peer::pair(1 << 16);
    let (error, ()) = tokio::join!(Client::connect(io).into_future(), async move {
        peer.next().await;
    });
    let error = error.expect_err("it ended");
    assert!(
        error
            .to_string()
            .contains("the server closed the connection"),
        "{error}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_silent_server_fails_in_time() {
    let (io, _peer) = Peer::pair(1 << 16);
    let began = now();
    let error = Client::connect(io)
        .connect_timeout(secs(7))
        .await
        .expect_err("silence");
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(error.method(), Some("initialize"));
    // The probe, the handshake, and the wait for a late answer to the probe.
    assert_eq!(began.elapsed().as_secs(), 5 + 7 + 5);
    for version in [ProtocolVersion::V2025_11_25, ProtocolVersion::V2026_07_28] {
        let (io, _peer) = Peer::pair(1 << 16);
        let began = now();
        let connect = Client::connect(io).protocol(version);
        assert!(connect.await.expect_err("silence").is_timeout());
        assert_eq!(began.elapsed().as_secs(), 60);
    }
}

#[test]
fn connecting_outside_of_a_runtime_is_a_clear_error() {
    let error =
        block_on(Client::connect(server(Eras::Both)).into_future()).expect_err("no runtime");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(
        error
            .to_string()
            .contains("connecting needs a tokio runtime"),
        "{error}"
    );
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let connect = async { Client::connect(server(Eras::Both)).await };
    let error = runtime.block_on(connect).expect_err("no timer");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert!(error.to_string().contains("enable_time"), "{error}");
}

/// Once connected, calls may be awaited anywhere: the client keeps its runtime's timers.
#[test]
fn calls_are_polled_on_any_executor() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime");
    let server = server(Eras::Both).tool("silent", |_| Script::new().silence());
    let client = runtime
        .block_on(async { Client::connect(server).await })
        .expect("connects");
    block_on(assert_works(&client, ProtocolVersion::V2026_07_28));
    let call = client
        .call_tool("silent", json!({}))
        .total_timeout(Duration::from_millis(20));
    let error = block_on(call.into_future()).expect_err("total");
    assert!(error.is_timeout());
    let detached = client.call_tool("work", json!({})).start().detach();
    block_on(detached.into_future()).expect("a result");
    block_on(client.close());
}
