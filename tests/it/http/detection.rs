//! Which era a server speaks, found out over HTTP.
//!
//! Revision 2026-07-28, Streamable HTTP, "Backward Compatibility".

use std::time::Duration;

use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, Error, ErrorKind, ProtocolVersion};
use serde_json::json;
use tokio::net::TcpListener;

use super::calls::{assert_idle, count, within};
use super::got::Got;
use super::reply::{Gate, Reply};
use super::server::{Server, answer, discovered, fails, handshake, modern, result};
use crate::peer::initialized;

fn probe(got: &Got) -> bool {
    got.kind() == "server/discover"
}

async fn refused(server: &Server) -> Error {
    let connecting = server.connecting();
    within(connecting.into_future())
        .await
        .expect_err("no connection")
}

#[tokio::test]
async fn a_modern_server_is_known_by_its_answer_in_either_form() {
    for streamed in [false, true] {
        let server = Server::modern(move |got| {
            let stream = || Reply::sse().event(&discovered(got, &["2026-07-28"]));
            (streamed && probe(got)).then(stream)
        })
        .await;
        let client = server.connect().await;
        let version = client.server().protocol_version;
        assert_eq!(version, ProtocolVersion::V2026_07_28);
        count(&client).await.1.expect("it works");
        let seen = server.seen();
        assert_eq!(seen.kinds(), ["server/discover", "tools/call"]);
        for got in &seen.got {
            assert_eq!(got.header("mcp-protocol-version"), Some("2026-07-28"));
            assert_eq!(got.header("mcp-method"), Some(got.kind()));
            assert_eq!(got.header("mcp-session-id"), None);
            assert_eq!(
                got.header("accept"),
                Some("application/json, text/event-stream")
            );
            assert_eq!(got.header("content-type"), Some("application/json"));
        }
    }
}

#[tokio::test]
async fn the_handshake_follows_a_refusal_with_its_own_headers() {
    let server = Server::handshake(|_| None).await;
    let client = server.connect().await;
    count(&client).await.1.expect("it works");
    client.close().await;
    let seen = server.seen();
    let initialize = &seen.all("initialize")[0];
    assert_eq!(initialize.header("mcp-protocol-version"), None);
    assert_eq!(initialize.header("mcp-session-id"), None);
    for kind in ["notifications/initialized", "GET", "tools/call", "DELETE"] {
        let got = seen.all(kind).pop().unwrap_or_else(|| panic!("no {kind}"));
        assert_eq!(got.header("mcp-session-id"), Some("session-0"), "{kind}");
        assert_eq!(
            got.header("mcp-protocol-version"),
            Some("2025-11-25"),
            "{kind}"
        );
        assert_eq!(got.header("mcp-method"), None, "{kind}");
    }
    let call = seen.kinds().iter().position(|kind| kind == "tools/call");
    let ready = seen
        .kinds()
        .iter()
        .position(|kind| kind == "notifications/initialized");
    assert!(ready < call, "{:?}", seen.kinds());
}

#[tokio::test]
async fn a_server_that_hangs_up_on_the_probe_gets_the_handshake() {
    let server = Server::handshake(|got| probe(got).then(Reply::none)).await;
    let client = server.connect().await;
    count(&client).await.1.expect("it works");
    let version = client.server().protocol_version;
    assert_eq!(version, ProtocolVersion::V2025_11_25);
    client.close().await;

    // Where it hangs up on everything, what the probe met is told.
    let server = Server::new(|_| Reply::none()).await;
    let error = refused(&server).await;
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert_eq!(error.method(), Some("server/discover"), "{error}");
}

#[tokio::test]
async fn a_server_that_warms_up_and_then_knows_the_revision_is_asked_again() {
    let server = Server::modern(|got| {
        let mut early = fails(got, -32022, "not yet");
        early["error"]["data"] = json!({"supported": ["2026-07-28"], "requested": "2026-07-28"});
        (probe(got) && got.nth == 0)
            .then(|| Reply::with(400, "application/json", early.to_string()))
    })
    .await;
    let client = server.connect().await;
    let version = client.server().protocol_version;
    assert_eq!(version, ProtocolVersion::V2026_07_28);
    assert_eq!(
        server.seen().kinds(),
        ["server/discover", "server/discover"]
    );
}

#[tokio::test]
async fn a_modern_server_of_other_revisions_is_not_shaken_hands_with() {
    let server = Server::new(|got| {
        let mut other = fails(got, -32022, "Unsupported protocol version");
        other["error"]["data"] = json!({"supported": ["2031-01-01"], "requested": "2026-07-28"});
        Reply::with(400, "application/json", other.to_string())
    })
    .await;
    let error = refused(&server).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert!(error.to_string().contains("2031-01-01"), "{error}");
    assert_eq!(server.seen().kinds(), ["server/discover"]);
}

/// Errors that the modern era defines, but for the one that names versions, are no reason to go back.
#[tokio::test]
async fn an_error_of_the_modern_era_is_final() {
    let server = Server::new(|got| {
        let missing = fails(got, -32021, "elicitation is needed");
        Reply::with(400, "application/json", missing.to_string())
    })
    .await;
    let error = refused(&server).await;
    assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32021), "{error}");
    assert_eq!(error.status(), Some(400));
    assert_eq!(server.seen().kinds(), ["server/discover"]);
}

#[tokio::test]
async fn who_asks_is_refused_at_once_and_told_what_to_do() {
    for (status, word) in [
        (401, "token"),
        (403, "token"),
        (429, "wait"),
        (407, "proxy"),
    ] {
        let server = Server::new(move |_| {
            Reply::with(status, "text/plain", "go away")
                .header("WWW-Authenticate", "Bearer realm=\"tools\"")
        })
        .await;
        let error = refused(&server).await;
        assert_eq!(error.kind(), ErrorKind::Http);
        assert_eq!(error.status(), Some(status));
        let said = error.to_string();
        assert!(said.contains(word) && said.contains("go away"), "{said}");
        assert_eq!(said.contains("Bearer realm"), status == 401, "{said}");
        assert_eq!(server.seen().kinds(), ["server/discover"], "{status}");
    }
}

#[tokio::test]
async fn nobody_there_is_said_to_be_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    drop(listener);
    let endpoint = HttpEndpoint::new(format!("http://{address}/mcp")).no_proxy();
    let error = within(Client::connect(endpoint).into_future()).await;
    let error = error.expect_err("nobody");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost);
    assert!(error.to_string().contains("never written"), "{error}");
}

#[tokio::test]
async fn a_probe_that_is_not_answered_does_not_keep_the_handshake_waiting() {
    // Also where one request only may be under way.
    for connections in [1, 512] {
        let server = Server::handshake(|got| probe(got).then(Reply::silence)).await;
        let endpoint = server.endpoint().max_connections(connections);
        let connecting = Client::connect(endpoint).probe_timeout(Duration::from_millis(20));
        let client = within(connecting.into_future()).await.expect("connects");
        let version = client.server().protocol_version;
        assert_eq!(version, ProtocolVersion::V2025_11_25);
        within(count(&client)).await.1.expect("it works");
        assert_idle(&client);
        // Nobody waits for it any more, so its connection is not kept; a word of cancel is not for a probe.
        within(server.left("server/discover")).await;
        assert!(server.seen().all("notifications/cancelled").is_empty());
    }
}

#[tokio::test]
async fn a_late_answer_to_the_probe_counts_where_the_handshake_is_refused() {
    let gate = Gate::new();
    let open = gate.clone();
    let server = Server::modern(move |got| match got.kind() {
        "server/discover" => Some(modern(got).behind(&gate)),
        "initialize" => {
            open.open();
            let unknown = fails(got, -32601, "Method not found");
            Some(Reply::with(404, "application/json", unknown.to_string()))
        }
        "GET" => Some(Reply::status(405)),
        _ => None,
    })
    .await;
    let connecting = server.connecting().probe_timeout(Duration::from_millis(20));
    let client = within(connecting.into_future()).await.expect("connects");
    let version = client.server().protocol_version;
    assert_eq!(version, ProtocolVersion::V2026_07_28);
    count(&client).await.1.expect("it works");
}

#[tokio::test]
async fn what_was_found_out_is_not_asked_again() {
    let server = Server::handshake(|_| None).await;
    let endpoint = server.endpoint();
    let first = Client::connect(endpoint.clone()).await.expect("connects");
    let second = Client::connect(endpoint).await.expect("connects");
    assert_eq!(server.seen().all("server/discover").len(), 1);
    assert_eq!(server.seen().all("initialize").len(), 2);
    count(&first).await.1.expect("it works");
    count(&second).await.1.expect("it works");
    let calls = server.seen().all("tools/call");
    let sessions: Vec<_> = calls
        .iter()
        .map(|got| got.header("mcp-session-id"))
        .collect();
    assert_eq!(sessions, [Some("session-0"), Some("session-1")]);
}

/// Several clients at once, one question.
#[tokio::test]
async fn one_client_at_a_time_finds_out() {
    let server = Server::handshake(|_| None).await;
    let endpoint = server.endpoint();
    let connecting = (0..8).map(|_| Client::connect(endpoint.clone()).into_future());
    let clients = futures::future::join_all(connecting).await;
    assert!(clients.iter().all(Result::is_ok));
    assert_eq!(server.seen().all("server/discover").len(), 1);
}

#[tokio::test]
async fn a_server_that_has_changed_its_era_is_found_out_anew() {
    let server = Server::new(|got| match got.kind() {
        "server/discover" if got.nth == 0 => modern(got),
        _ => handshake(got),
    })
    .await;
    let endpoint = server.endpoint();
    let before = Client::connect(endpoint.clone()).await.expect("connects");
    let after = Client::connect(endpoint.clone()).await.expect("connects");
    let last = Client::connect(endpoint).await.expect("connects");
    let versions = [before, after, last].map(|client| client.server().protocol_version);
    assert_eq!(
        versions,
        [
            ProtocolVersion::V2026_07_28,
            ProtocolVersion::V2025_11_25,
            ProtocolVersion::V2025_11_25
        ]
    );
    // Twice by the second, with what was known and anew; not by the third.
    assert_eq!(server.seen().all("server/discover").len(), 3);
}

#[tokio::test]
async fn a_pinned_revision_is_the_only_one_that_is_tried() {
    let server = Server::handshake(|_| None).await;
    let client = server.shake().await;
    assert_eq!(server.seen().all("server/discover").len(), 0);
    drop(client);
    let pinned = server.connecting().protocol(ProtocolVersion::V2026_07_28);
    let error = pinned.await.expect_err("it does not speak that");
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    assert_eq!(server.seen().all("initialize").len(), 1);

    let server = Server::modern(|got| {
        (got.kind() == "initialize").then(|| {
            let unknown = fails(got, -32601, "Method not found");
            Reply::with(404, "application/json", unknown.to_string())
        })
    })
    .await;
    let pinned = server.connecting().protocol(ProtocolVersion::V2025_06_18);
    let error = pinned.await.expect_err("it does not speak that");
    assert_eq!(error.as_rpc().map(|rpc| rpc.code), Some(-32601), "{error}");
    assert_eq!(server.seen().kinds(), ["initialize", "GET"]);
}

/// A server that names what the client cannot speak, and takes the handshake.
#[tokio::test]
async fn a_server_that_is_probed_and_names_handshake_revisions_only_gets_the_handshake() {
    let server = Server::handshake(|got| {
        probe(got).then(|| Reply::json(&discovered(got, &["2025-11-25", "2025-06-18"])))
    })
    .await;
    let client = server.connect().await;
    let version = client.server().protocol_version;
    assert_eq!(version, ProtocolVersion::V2025_11_25);
}

/// The 2024-11-05 servers of some makers answer a post with 200 and nothing, or 204, instead of 202.
#[tokio::test]
async fn http_sse_takes_any_status_of_success_for_accepted() {
    for (status, body) in [(200, ""), (200, "ok"), (202, "Accepted"), (204, "")] {
        let (begun, called) = (Gate::new(), Gate::new());
        let server = Server::new(move |got| match (got.kind(), &*got.path) {
            ("GET", _) => Reply::sse()
                .part("event: endpoint\ndata: /post?session=1\n\n")
                .gate(&begun)
                .event(&json!({"jsonrpc": "2.0", "id": 1, "result": initialized("2024-11-05")}))
                .gate(&called)
                .event(&json!({"jsonrpc": "2.0", "id": 2, "result": {"content": []}}))
                .hold(),
            (kind, "/post?session=1") => {
                match kind {
                    "initialize" => begun.open(),
                    "tools/call" => called.open(),
                    _ => {}
                }
                Reply::with(status, "", body)
            }
            _ => Reply::status(405),
        })
        .await;
        let connecting = Client::connect(server.endpoint().sse());
        let client = within(connecting.into_future()).await;
        let client = client.unwrap_or_else(|error| panic!("{status}: {error}"));
        let (_, result) = within(count(&client)).await;
        result.unwrap_or_else(|error| panic!("{status}: {error}"));
        assert_idle(&client);
    }
}

#[tokio::test]
async fn http_sse_ends_with_its_stream_and_refuses_another_origin() {
    let server = Server::new(|got| match got.kind() {
        "GET" => Reply::sse()
            .part("event: endpoint\ndata: http://127.0.0.2:1/post\n\n")
            .hold(),
        _ => Reply::status(405),
    })
    .await;
    let connecting = Client::connect(server.endpoint().sse());
    let error = within(connecting.into_future()).await.expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    assert!(error.to_string().contains("127.0.0.2"), "{error}");
    assert_eq!(server.seen().kinds(), ["GET"]);

    let (begun, called) = (Gate::new(), Gate::new());
    let server = Server::new(move |got| match got.kind() {
        "GET" => Reply::sse()
            .part("event: endpoint\ndata: /post\n\n")
            .gate(&begun)
            .event(&json!({"jsonrpc": "2.0", "id": 1, "result": initialized("2024-11-05")}))
            .gate(&called),
        kind => {
            match kind {
                "initialize" => begun.open(),
                "tools/call" => called.open(),
                _ => {}
            }
            Reply::status(202)
        }
    })
    .await;
    let client = Client::connect(server.endpoint().sse())
        .await
        .expect("connects");
    let error = within(count(&client))
        .await
        .1
        .expect_err("the stream ended");
    assert_eq!(error.kind(), ErrorKind::ConnectionLost, "{error}");
    assert!(client.is_closed());
    assert_idle(&client);
}

/// A server whose stream of its own is open must not be taken for one of HTTP+SSE.
#[tokio::test]
async fn a_refused_handshake_says_what_it_met() {
    let server = Server::new(|got| match got.kind() {
        "initialize" => {
            let refused = fails(got, -32602, "no such client here");
            Reply::with(400, "application/json", refused.to_string())
        }
        "GET" => Reply::status(405),
        _ => Reply::status(404),
    })
    .await;
    let error = refused(&server).await;
    assert_eq!(
        error.as_rpc().map(|rpc| &*rpc.message),
        Some("no such client here")
    );
    assert_eq!(error.status(), Some(400));
    assert_eq!(
        server.seen().kinds(),
        ["server/discover", "initialize", "GET"]
    );
}

/// A session id may come with the answer to `initialize` only.
#[tokio::test]
async fn a_stateless_server_is_given_no_session_id() {
    let server = Server::new(|got| match got.kind() {
        "initialize" => Reply::json(&result(got, &initialized("2025-06-18"))),
        "tools/call" => Reply::json(&answer(got)).header("Mcp-Session-Id", "too-late"),
        _ => handshake(got),
    })
    .await;
    let client = server.connect().await;
    for _ in 0..2 {
        count(&client).await.1.expect("it works");
    }
    client.close().await;
    let seen = server.seen();
    assert!(
        seen.got
            .iter()
            .all(|got| got.header("mcp-session-id").is_none())
    );
    assert_eq!(seen.all("DELETE").len(), 0);
    let version = seen.all("tools/call")[0]
        .header("mcp-protocol-version")
        .map(str::to_owned);
    assert_eq!(version.as_deref(), Some("2025-06-18"));
}
