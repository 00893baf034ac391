//! The trace context on the wire, as the server sees it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mcp_progress::model::ElicitResult;
use mcp_progress::testing::{Log, Script, ScriptedServer};
use mcp_progress::{Client, Connect, ProtocolVersion, TraceContext};
use serde_json::{Value, json};
use tracing::Level;

use super::collector::Collector;

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const OTHER: &str = "00-11111111111111111111111111111111-2222222222222222-00";

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("good", |_| Script::new().text("done"))
        .tool("curious", |_| {
            let question = json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}});
            Script::new().ask("a", "elicitation/create", question).text("done")
        })
}

async fn connect(
    version: ProtocolVersion,
    hook: impl Fn(&mut TraceContext) + Send + Sync + 'static,
) -> (Client, Log) {
    let server = server();
    let log = server.log();
    let connect: Connect = Client::connect(server)
        .protocol(version)
        .on_elicitation(|_request, _context| async {
            Ok(ElicitResult::accept().with("name", "Ada"))
        })
        .trace_context(hook);
    (connect.await.expect("connects"), log)
}

fn meta(log: &Log, method: &str) -> Vec<Value> {
    let sent = log.requests(method);
    sent.iter()
        .map(|request| request.params()["_meta"].clone())
        .collect()
}

#[tokio::test]
async fn every_request_names_its_trace() {
    for version in [
        ProtocolVersion::V2026_07_28,
        ProtocolVersion::V2025_11_25,
        ProtocolVersion::V2024_11_05,
    ] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let (client, log) = connect(version, move |trace| {
            counted.fetch_add(1, Ordering::Relaxed);
            trace.traceparent = Some(PARENT.to_owned());
            trace.tracestate = Some("vendor=a1,other@system=b 2".to_owned());
            trace.baggage = Some("user=ada;hop=1, plan = free".to_owned());
        })
        .await;
        client
            .call_tool("good", json!({}))
            .await
            .expect("it has a result");
        let begin = if version.is_modern() {
            "server/discover"
        } else {
            "initialize"
        };
        for method in [begin, "tools/call"] {
            let meta = &meta(&log, method)[0];
            assert_eq!(meta["traceparent"], PARENT, "{version} {method}");
            assert_eq!(meta["tracestate"], "vendor=a1,other@system=b 2");
            assert_eq!(meta["baggage"], "user=ada;hop=1, plan = free");
        }
        assert!(!meta(&log, "tools/call")[0]["progressToken"].is_null());
        assert_eq!(runs.load(Ordering::Relaxed), 2, "{version}");
    }
}

#[tokio::test]
async fn each_request_of_an_operation_names_the_same_trace() {
    let (client, log) = connect(ProtocolVersion::V2026_07_28, |trace| {
        trace.traceparent = Some(PARENT.to_owned());
    })
    .await;
    client
        .call_tool("curious", json!({}))
        .await
        .expect("it has a result");
    let sent = meta(&log, "tools/call");
    assert_eq!(sent.len(), 2);
    for meta in sent {
        assert_eq!(meta["traceparent"], PARENT);
        assert_eq!(meta.get("tracestate"), None);
        assert_eq!(meta.get("baggage"), None);
    }
}

#[tokio::test]
async fn what_the_caller_sets_counts_more() {
    let (client, log) = connect(ProtocolVersion::V2025_11_25, |trace| {
        trace.traceparent = Some(PARENT.to_owned());
        trace.tracestate = Some("vendor=a1".to_owned());
        trace.baggage = Some("user=ada".to_owned());
    })
    .await;
    let call = || client.call_tool("good", json!({}));
    let rows = [
        (
            call().meta("traceparent", OTHER),
            json!([OTHER, null, "user=ada"]),
        ),
        (
            call().meta("tracestate", "mine=1"),
            json!([PARENT, "mine=1", "user=ada"]),
        ),
        (
            call().meta("baggage", "user=bob"),
            json!([PARENT, "vendor=a1", "user=bob"]),
        ),
    ];
    for (call, expected) in rows {
        call.await.expect("it has a result");
        let meta = meta(&log, "tools/call").pop().expect("it was sent");
        assert_eq!(
            json!([meta["traceparent"], meta["tracestate"], meta["baggage"]]),
            expected
        );
    }
}

#[tokio::test]
async fn what_breaks_the_standards_is_logged_and_not_sent() {
    let future = format!("cc-{}-more", &PARENT[3..]);
    let good = [PARENT, OTHER, future.as_str()];
    let bad = [
        String::new(),
        "nonsense".to_owned(),
        PARENT.to_uppercase(),
        format!("{PARENT}-more"),
        format!("{PARENT}é"),
        PARENT.replace("00-", "ff-"),
        PARENT[..54].to_owned(),
        PARENT.replace("0af7651916cd43dd8448eb211c80319c", &"0".repeat(32)),
        PARENT.replace("b7ad6b7169203331", &"0".repeat(16)),
        format!(" {PARENT}"),
    ];
    let parents = good.iter().map(|good| (*good, true));
    let parents = parents.chain(bad.iter().map(|bad| (bad.as_str(), false)));
    for (parent, valid) in parents {
        let trace = sent(Some(parent), Some("vendor=a1"), None).await;
        assert_eq!(trace.0.get("traceparent").is_some(), valid, "{parent:?}");
        assert_eq!(trace.0.get("tracestate").is_some(), valid, "{parent:?}");
        assert_eq!(trace.1.is_empty(), valid, "{parent:?}: {:?}", trace.1);
    }
    let many = |members: usize| vec!["a=1"; members].join(",");
    let long = |bytes: usize| format!("a={}", "x".repeat(bytes - 2));
    let long_state = format!("{},{}", long(256), long(255));
    let states = [
        ("a=1,b@c=2", true),
        (&many(32), true),
        (&many(33), false),
        (&long_state, true),
        (&format!("{long_state}x"), false),
        ("a", false),
        ("A=1", false),
        ("a=1=2", false),
        ("a=é", false),
        ("a=\n", false),
        (" , ", false),
    ];
    for (state, valid) in states {
        let (meta, told) = sent(Some(PARENT), Some(state), None).await;
        assert_eq!(meta["traceparent"], PARENT, "the rest is sent");
        assert_eq!(meta.get("tracestate").is_some(), valid, "{state:?}");
        assert_eq!(told.is_empty(), valid, "{state:?}: {told:?}");
    }
    let baggages = [
        ("a=1", true),
        ("a=%C3%A9;p;q=1,b=", true),
        (&long(8192), true),
        (&long(8193), false),
        ("a", false),
        ("a=1,,b=2", false),
        ("a b=1", false),
        ("a=\"1\"", false),
        ("a=é", false),
        ("a=1\r\nb=2", false),
    ];
    for (baggage, valid) in baggages {
        let (meta, told) = sent(None, None, Some(baggage)).await;
        assert_eq!(meta.get("baggage").is_some(), valid, "{baggage:?}");
        assert_eq!(told.is_empty(), valid, "{baggage:?}: {told:?}");
    }
}

/// The `_meta` of a call whose hook says this, and what was logged of it.
async fn sent(
    parent: Option<&str>,
    state: Option<&str>,
    baggage: Option<&str>,
) -> (Value, Vec<String>) {
    let mut trace = TraceContext::default();
    trace.traceparent = parent.map(str::to_owned);
    trace.tracestate = state.map(str::to_owned);
    trace.baggage = baggage.map(str::to_owned);
    let collector = Collector::of(Level::WARN);
    let (client, log) = connect(ProtocolVersion::V2025_11_25, move |filled| {
        filled.clone_from(&trace);
    })
    .await;
    let guard = tracing::subscriber::set_default(collector.clone());
    client
        .call_tool("good", json!({}))
        .await
        .expect("it has a result");
    drop(guard);
    let (told, details) = (collector.events(), collector.details());
    let values = [parent, state, baggage].into_iter().flatten();
    for value in values.filter(|value| value.len() > 8) {
        let shown = told.iter().chain(&details).any(|line| line.contains(value));
        assert!(!shown, "{details:?} show {value:?}");
    }
    (meta(&log, "tools/call").remove(0), told)
}

#[tokio::test]
async fn a_hook_that_panics_leaves_the_request_as_it_is() {
    let (client, log) = connect(ProtocolVersion::V2025_11_25, |_| panic!("the hook")).await;
    client
        .call_tool("good", json!({}))
        .await
        .expect("it has a result");
    assert_eq!(meta(&log, "tools/call")[0].get("traceparent"), None);
}
