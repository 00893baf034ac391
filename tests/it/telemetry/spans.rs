//! The span of each call, as a subscriber sees it.

use std::time::Duration;

use mcp_progress::model::ElicitResult;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ProtocolVersion};
use serde_json::json;
use tracing::Level;

use super::collector::{Collector, Span};
use super::diary::Diary;

const SECOND: Duration = Duration::from_secs(1);

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("four", |_| {
            Script::new()
                .wait(SECOND)
                .progress(1, 4)
                .wait(4 * SECOND)
                .burst(|together| together.progress(2, 4).progress(3, 4))
                .text("done")
        })
        .tool("refused", |_| Script::new().error(-32602, "no"))
        .tool("silent", |_| Script::new().silence())
        .tool("curious", |_| {
            let question = json!({"message": "Sure?", "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}}});
            Script::new().ask("a", "elicitation/create", question).text("done")
        })
}

async fn connect() -> Client {
    Client::connect(server())
        .protocol(ProtocolVersion::V2026_07_28)
        .on_elicitation(|_request, _context| async {
            tracing::info!("the human is asked");
            Ok(ElicitResult::accept().with("name", "Ada"))
        })
        .await
        .expect("connects")
}

fn fields(span: &Span, names: &[&'static str]) -> Vec<String> {
    let field = |name: &&'static str| span.fields.get(name).cloned().unwrap_or_default();
    names.iter().map(field).collect()
}

#[tokio::test(start_paused = true)]
async fn a_span_has_the_numbers_of_its_call() {
    let collector = Collector::of(Level::INFO);
    let guard = tracing::subscriber::set_default(collector.clone());
    let client = connect().await;
    assert!(collector.calls().is_empty(), "connecting is no call");
    let outer = tracing::info_span!("outer");
    let call = outer.in_scope(|| {
        let token = "its token";
        client.call_tool("four", json!({})).progress_token(token)
    });
    let call = call.on_progress(|update| tracing::info!("update {}", update.progress));
    let mut call = Box::pin(call.into_future());
    // Where it is first polled is where it belongs.
    let started = futures::future::poll_fn(|cx| {
        let entered = outer.enter();
        let poll = Future::poll(call.as_mut(), cx);
        drop(entered);
        std::task::Poll::Ready(poll)
    });
    assert!(started.await.is_pending());
    call.await.expect("it has a result");
    let span = collector.calls().remove(0);
    assert_eq!(
        (span.target.as_str(), span.level, span.parent),
        ("mcp_progress::call", Level::INFO, Some("outer"))
    );
    assert!(span.closed, "{span:?}");
    assert_eq!(
        fields(&span, &["method", "tool", "token", "outcome", "error"]),
        ["tools/call", "four", "its token", "completed", ""]
    );
    assert!(span.fields["id"].parse::<i64>().is_ok(), "{span:?}");
    let numbers = [
        "elapsed_ms",
        "first_update_ms",
        "longest_silence_ms",
        "updates",
        "delivered",
        "merged",
        "rejected",
        "milestone",
        "legs",
    ];
    assert_eq!(
        fields(&span, &numbers),
        ["5000", "1000", "4000", "3", "3", "0", "0", "0.75", "1"]
    );
    assert_eq!(
        collector.events(),
        [
            "mcp.call: update 1",
            "mcp.call: update 2",
            "mcp.call: update 3"
        ]
    );
    drop(guard);
}

#[tokio::test(start_paused = true)]
async fn every_end_is_in_the_span() {
    let collector = Collector::of(Level::INFO);
    let guard = tracing::subscriber::set_default(collector.clone());
    let client = connect().await;
    client
        .call_tool("refused", json!({}))
        .await
        .expect_err("no");
    let silent = client.call_tool("silent", json!({}));
    silent.idle_timeout(SECOND).await.expect_err("silent");
    drop(client.call_tool("silent", json!({})).start());
    let detached = client.call_tool("four", json!({})).start().detach();
    detached.await.expect("it has a result");
    let twice = client.call_tool("silent", json!({})).progress_token("t");
    let twice = twice.start();
    let refused = client.call_tool("silent", json!({})).progress_token("t");
    refused.await.expect_err("the token is taken");
    drop(twice);
    let told: Vec<_> = collector
        .calls()
        .iter()
        .map(|span| {
            assert!(span.closed, "{span:?}");
            fields(span, &["outcome", "error"]).join(" ")
        })
        .collect();
    assert_eq!(
        told,
        [
            "failed Rpc",
            "timed_out idle",
            "dropped ",
            "completed ",
            "dropped ",
            "not_sent InvalidInput"
        ]
    );
    drop(guard);
}

#[tokio::test(start_paused = true)]
async fn what_a_call_does_for_itself_is_in_its_span() {
    let collector = Collector::of(Level::DEBUG);
    let guard = tracing::subscriber::set_default(collector.clone());
    let client = connect().await;
    client
        .call_tool("curious", json!({}))
        .await
        .expect("it has a result");
    let events = collector.events();
    for expected in [
        "mcp.call: the server asks for input",
        "mcp.call: the human is asked",
    ] {
        assert!(events.iter().any(|event| event == expected), "{events:?}");
    }
    assert_eq!(fields(&collector.calls()[0], &["legs"]), ["2"]);
    drop(guard);
}

#[tokio::test(start_paused = true)]
async fn a_span_that_nobody_wants_costs_none_and_observers_do_without() {
    let collector = Collector::of(Level::WARN);
    let guard = tracing::subscriber::set_default(collector.clone());
    let diary = Diary::default();
    let client = Client::connect(server())
        .observer(diary.clone())
        .await
        .expect("connects");
    client
        .call_tool("four", json!({}))
        .await
        .expect("it has a result");
    assert!(collector.calls().is_empty());
    assert_eq!(diary.closed().received, 3);
    drop(guard);
}
