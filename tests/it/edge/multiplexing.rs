//! HTTP/2 without TLS: many calls on one connection, each with its own stream.

use std::time::Duration;

use futures::future::join_all;
use mcp_progress::testing::{Request, Script, ScriptedServer};
use mcp_progress::{Client, ProgressToken, ProtocolVersion};
use serde_json::json;
use tokio::time::timeout;

use super::{Running, endpoint};

const ERAS: [ProtocolVersion; 2] = [ProtocolVersion::LATEST, ProtocolVersion::LATEST_HANDSHAKE];
const STEPS: u64 = 10;
/// Longer than any of these tests may take.
const FOR_EVER: Duration = Duration::from_secs(60);

fn number(request: &Request) -> u64 {
    request.arguments()["number"].as_u64().unwrap_or_default()
}

/// Updates that carry the number of their call, some of them together and the last with the result.
fn steps(request: &Request) -> Script {
    let number = number(request);
    let step = |script: Script, step| script.progress_message(step, STEPS, number.to_string());
    let slowly = (1..STEPS / 2).fold(Script::new(), |script, at| {
        step(script.wait(Duration::from_millis(number % 7)), at)
    });
    slowly.burst(|together| {
        let rest = (STEPS / 2..=STEPS).fold(together, step);
        rest.text(format!("call {number}"))
    })
}

fn server() -> ScriptedServer {
    ScriptedServer::new()
        .tool("steps", steps)
        .tool("slow", |request| {
            let number = number(request);
            let script = (1..=STEPS).fold(Script::new(), |script, step| {
                script.wait(Duration::from_millis(20)).progress_message(
                    step,
                    STEPS,
                    number.to_string(),
                )
            });
            script.text(format!("call {number}"))
        })
        .tool("flood", |_| Script::new().flood(20_000).text("flooded"))
}

async fn connect(running: &Running, version: ProtocolVersion) -> Client {
    let endpoint = endpoint(&running.url).http2_prior_knowledge();
    let client = Client::connect(endpoint).protocol(version).await;
    client.expect("the server is there")
}

/// Makes one call and takes what it brings, one by one: all of its updates, none of another, then the result.
async fn complete(client: &Client, tool: &str, number: u64) {
    let mut call = client.call_tool(tool, json!({"number": number})).start();
    let mut seen = Vec::new();
    while let Some(update) = call.next().await {
        assert_eq!(update.message.as_deref(), Some(&*number.to_string()));
        assert_eq!((update.merged, update.by_stream), (0, false));
        seen.push((update.seq, update.progress));
    }
    let expected: Vec<_> = (1_u32..)
        .zip(1..=STEPS)
        .map(|(step, seq)| (seq, f64::from(step)))
        .collect();
    assert_eq!(seen, expected, "call {number}");
    let result = call.await.expect("a result");
    assert_eq!(result.as_text(), Some(format!("call {number}")));
}

/// Two hundred are what most servers allow; of more, some wait for a stream to become free.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hundreds_of_calls_share_one_connection() {
    for (version, calls) in ERAS.into_iter().zip([200, 300]) {
        let running = Running::start(&server()).await;
        let client = connect(&running, version).await;
        join_all((0..calls).map(|number| complete(&client, "steps", number))).await;
        let stats = client.stats();
        assert_eq!(stats.diagnostics(), 0, "{stats:?}");
        client.close().await;
        assert_eq!(running.log.connections(), 1, "{version}");
        assert_eq!(running.log.requests("tools/call").len() as u64, calls);
    }
}

/// The connection and all other streams on it stay.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropping_a_call_resets_its_stream_only() {
    for version in ERAS {
        let running = Running::start(&server()).await;
        let client = connect(&running, version).await;
        let (log, number) = (&running.log, 20);
        let dropped = async {
            let mut call = client.call_tool("slow", json!({"number": number})).start();
            call.next().await.expect("an update");
            call.request_id().expect("it was sent")
        };
        let others = join_all((0..number).map(|number| complete(&client, "slow", number)));
        let (id, _) = tokio::join!(dropped, others);
        let stopped = log.wait_for(|log| !log.stopped().is_empty());
        timeout(FOR_EVER, stopped)
            .await
            .expect("the server hears of it");
        // The connection is as good as before.
        complete(&client, "slow", 99).await;
        client.close().await;
        assert_eq!(log.stopped(), [id], "{version}");
        assert_eq!(log.connections(), 1, "{version}");
        let cancels = log.cancelled();
        let modern = version == ProtocolVersion::LATEST;
        assert_eq!(
            cancels.len(),
            usize::from(!modern),
            "{version}: {cancels:?}"
        );
    }
}

/// What one call does not take fills neither the window of the connection nor the memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_nobody_looks_at_holds_up_no_other() {
    for version in ERAS {
        let running = Running::start(&server()).await;
        let client = connect(&running, version).await;
        let token = ProgressToken::generate();
        let mut updates = client.progress().subscribe(&token);
        let flood = client
            .call_tool("flood", json!({}))
            .progress_token(token)
            .start();
        let calls = join_all((0..50).map(|number| complete(&client, "steps", number)));
        timeout(FOR_EVER, calls).await.expect("the others complete");

        let result = timeout(FOR_EVER, flood).await.expect("it ends by itself");
        let result = result.expect("a result");
        assert_eq!(result.as_text().as_deref(), Some("flooded"));
        // Merged into those that were kept, but none was lost on the way.
        let (mut sent, mut last) = (0, 0.0);
        while let Some(update) = updates.next().await {
            sent += 1 + update.merged;
            last = update.progress;
        }
        assert_eq!((sent, last), (20_000, 20_000.0), "{version}");
        assert_eq!(running.log.connections(), 1, "{version}");
    }
}
