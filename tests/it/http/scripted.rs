//! Whole behaviours against the scripted server, in every form that it has.
//!
//! What the server did is in its log; a fault of the client cannot hide behind the same fault there.

use std::time::Duration;

use mcp_progress::testing::{HttpHosting, HttpListening, Script, ScriptedServer};
use mcp_progress::transport::HttpEndpoint;
use mcp_progress::{Client, DiagnosticKind, ErrorKind, Progress, ProtocolVersion};
use serde_json::json;

use super::calls::{assert_idle, text, values, within};
use crate::peer::spawn;

const STEPS: u64 = 20;

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("count", |_| {
            let pause = Duration::from_millis(1);
            let counted = Script::new().every(pause, STEPS);
            counted.text("done")
        })
        .tool("wait", |_| Script::new().progress(1, 2).until_cancelled())
}

/// How the server is put on HTTP, and what that means for a call.
struct Form {
    name: &'static str,
    hosting: fn(HttpHosting) -> HttpHosting,
    version: ProtocolVersion,
    sse: bool,
    /// Whether updates reach the client.
    updates: bool,
    /// Whether streams break on the way.
    breaks: bool,
}

const FORMS: [Form; 11] = [
    form("modern", |hosting| hosting, ProtocolVersion::V2026_07_28),
    form(
        "modern, two bytes a line",
        HttpHosting::crlf,
        ProtocolVersion::V2026_07_28,
    ),
    form(
        "2025-11-25",
        |hosting| hosting,
        ProtocolVersion::V2025_11_25,
    ),
    form(
        "2025-06-18",
        |hosting| hosting,
        ProtocolVersion::V2025_06_18,
    ),
    form(
        "2025-03-26",
        |hosting| hosting,
        ProtocolVersion::V2025_03_26,
    ),
    form(
        "without ids",
        |hosting| hosting.event_ids(false),
        ProtocolVersion::V2025_11_25,
    ),
    form(
        "without sessions",
        HttpHosting::stateless,
        ProtocolVersion::V2025_11_25,
    ),
    form(
        "on the server's own stream",
        HttpHosting::answer_on_get,
        ProtocolVersion::V2025_11_25,
    ),
    Form {
        updates: false,
        ..form(
            "JSON only",
            HttpHosting::json_only,
            ProtocolVersion::V2026_07_28,
        )
    },
    Form {
        breaks: true,
        ..form(
            "closed on purpose",
            |hosting| hosting.close_after(3).retry(Duration::from_millis(5)),
            ProtocolVersion::V2025_11_25,
        )
    },
    Form {
        sse: true,
        ..form("HTTP+SSE", |hosting| hosting, ProtocolVersion::V2024_11_05)
    },
];

const fn form(
    name: &'static str,
    hosting: fn(HttpHosting) -> HttpHosting,
    version: ProtocolVersion,
) -> Form {
    Form {
        name,
        hosting,
        version,
        sse: false,
        updates: true,
        breaks: false,
    }
}

async fn listen(
    server: &ScriptedServer,
    form: &Form,
) -> (HttpEndpoint, tokio::task::JoinHandle<()>) {
    let listening: HttpListening = (form.hosting)(server.http())
        .bind("127.0.0.1:0")
        .await
        .expect("a port");
    let endpoint = if form.sse {
        HttpEndpoint::new(listening.sse_url()).sse()
    } else {
        HttpEndpoint::new(listening.url())
    };
    let serving = spawn(async move { listening.serve().await });
    (endpoint.no_proxy(), serving)
}

async fn connect(endpoint: HttpEndpoint, form: &Form) -> Client {
    let connecting = Client::connect(endpoint).protocol(form.version);
    let client = within(connecting.into_future()).await;
    client.unwrap_or_else(|error| panic!("{}: {error}", form.name))
}

async fn counted(client: &Client, form: &Form) {
    let mut call = client.call_tool("count", json!({})).start();
    let mut updates: Vec<Progress> = Vec::new();
    while let Some(update) = within(call.next()).await {
        updates.push(update);
    }
    let result = within(call.into_future()).await;
    let result = result.unwrap_or_else(|error| panic!("{}: {error}", form.name));
    assert_eq!(text(&result), "done", "{}", form.name);
    let expected: Vec<f64> = (1..=STEPS).map(|step| step as f64).collect();
    if form.updates {
        assert_eq!(values(&updates), expected, "{}", form.name);
    } else {
        assert!(updates.is_empty(), "{}", form.name);
    }
    let gaps = updates.iter().filter(|update| update.gap).count();
    assert_eq!(gaps > 0, form.breaks, "{}: {gaps} gaps", form.name);
}

#[tokio::test]
async fn every_form_brings_every_update_in_order_and_then_the_result() {
    for form in FORMS {
        let server = server();
        let (endpoint, serving) = listen(&server, &form).await;
        let client = connect(endpoint, &form).await;
        for _ in 0..3 {
            counted(&client, &form).await;
        }
        let together = (0..8).map(|_| counted(&client, &form));
        within(futures::future::join_all(together)).await;
        assert_idle(&client);
        let stats = client.stats();
        let odd = stats.diagnostics() - stats.count(DiagnosticKind::Resumed);
        assert_eq!(odd, 0, "{}: {stats:?}", form.name);
        within(client.close()).await;
        serving.abort();
    }
}

#[tokio::test]
async fn every_form_lets_its_server_hear_of_a_cancel() {
    for form in FORMS {
        // Without a session there is nobody to tell, and without a stream nothing to close before the answer.
        if form.name == "without sessions" || !form.updates {
            continue;
        }
        let server = server();
        let (endpoint, serving) = listen(&server, &form).await;
        let client = connect(endpoint, &form).await;
        let mut call = client.call_tool("wait", json!({})).start();
        within(call.next()).await.expect("an update");
        assert!(call.canceller().cancel("enough"));
        let error = within(call.into_future()).await.expect_err("cancelled");
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{}", form.name);
        assert_idle(&client);
        let heard = async {
            while server.log().stopped().is_empty() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        within(heard).await;
        within(client.close()).await;
        serving.abort();
    }
}

/// The server forgets every session while calls are under way and others begin.
#[tokio::test]
async fn sessions_that_end_under_load_cost_no_call() {
    let server = server();
    let form = form(
        "2025-11-25",
        |hosting| hosting,
        ProtocolVersion::V2025_11_25,
    );
    let (endpoint, serving) = listen(&server, &form).await;
    let client = connect(endpoint, &form).await;
    for round in 1..=4 {
        let mut before = client.call_tool("count", json!({})).start();
        within(before.next()).await.expect("an update");
        server.expire_sessions();
        let calls = (0..6).map(|_| counted(&client, &form));
        within(futures::future::join_all(calls)).await;
        let before = within(before.into_future()).await.expect("read on");
        assert_eq!(text(&before), "done");
        let initialized = server.log().requests("initialize").len();
        assert_eq!(initialized, round + 1);
    }
    assert_idle(&client);
    within(client.close()).await;
    serving.abort();
}

/// Calls that end in every way at once, on several threads: nothing of them is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_end_in_every_way_at_once_leave_nothing() {
    for form in FORMS {
        let server = server();
        let (endpoint, serving) = listen(&server, &form).await;
        let client = connect(endpoint.max_connections(16), &form).await;
        let calls = (0..90_u64).map(|nth| {
            let client = client.clone();
            spawn(async move {
                let tool = if nth % 3 == 0 { "wait" } else { "count" };
                let mut call = client.call_tool(tool, json!({})).start();
                match nth % 9 {
                    0 => drop(call),
                    3 => {
                        tokio::time::sleep(Duration::from_millis(nth / 9)).await;
                        call.canceller().cancel("enough");
                        call.await.expect_err("cancelled");
                    }
                    6 => {
                        let next = call.next();
                        let _ = tokio::time::timeout(Duration::from_millis(nth), next).await;
                        drop(call);
                    }
                    1 => {
                        call.next().await;
                        drop(call);
                    }
                    _ => {
                        let result = call.await.expect("a result");
                        assert_eq!(text(&result), "done");
                    }
                }
            })
        });
        let ended = within(futures::future::join_all(calls)).await;
        for end in ended {
            end.unwrap_or_else(|error| panic!("{}: {error}", form.name));
        }
        assert_idle(&client);
        let last = client.call_tool("count", json!({}));
        within(last.into_future())
            .await
            .expect("there is room for it");
        within(client.close()).await;
        assert_eq!(client.stats().queued_frames, 0, "{}", form.name);
        serving.abort();
    }
}
