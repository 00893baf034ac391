//! What a slow consumer costs the other calls of its connection, in real time and memory.
//!
//! Promises 3 and 4. Measured in a process of its own, which this test starts: other tests would take part in both
//! figures.

use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, Overflow};
use serde_json::json;
use tokio::runtime::Runtime;

use crate::peer::{now, spawn};

/// Says in the environment that this process is the one that measures.
const MEASURES: &str = "MCP_PROGRESS_TEST_MEASURES";
const UPDATES: u64 = 20_000;
const CALLS: usize = 200;
const WORK: Duration = Duration::from_millis(1);
const GROWTH_KIB: u64 = 32 * 1024;

/// Starts this very test again, alone; true in the process that is to measure.
fn measures(test: &str) -> bool {
    if std::env::var_os(MEASURES).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("this program");
    let output = Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env(MEASURES, "1")
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert!(text.contains("1 passed"), "{text}");
    false
}

/// A server on a thread and a runtime of its own, over sockets of the operating system.
async fn connect() -> Client {
    let (ours, theirs) = UnixStream::pair().expect("a pair of sockets");
    ours.set_nonblocking(true).expect("a socket");
    theirs.set_nonblocking(true).expect("a socket");
    std::thread::spawn(move || {
        let server = ScriptedServer::new()
            .tool("flood", |_| Script::new().flood(UPDATES).silence())
            .tool("quick", |_| Script::new().text("quick"));
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let stream = tokio::net::UnixStream::from_std(theirs).expect("a socket");
            let (reader, writer) = stream.into_split();
            server.serve(reader, writer).await;
        });
    });
    let stream = tokio::net::UnixStream::from_std(ours).expect("a socket");
    let (reader, writer) = stream.into_split();
    Client::io(reader, writer).await.expect("connects")
}

/// The median time of a call that is answered at once.
async fn median(client: &Client) -> Duration {
    let mut times = Vec::new();
    for _ in 0..CALLS {
        let began = now();
        client
            .call_tool("quick", json!({}))
            .await
            .expect("a result");
        times.push(began.elapsed());
    }
    times.sort_unstable();
    times[CALLS / 2]
}

#[cfg(target_os = "linux")]
fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux has it");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let figure = line.and_then(|line| line.split_ascii_whitespace().nth(1));
    figure
        .and_then(|figure| figure.parse().ok())
        .expect("a number of KiB")
}

/// Elsewhere nothing is measured, so that nothing grows.
#[cfg(not(target_os = "linux"))]
fn resident_kib() -> u64 {
    0
}

/// Both figures of one run: how much slower second calls are, and by how much the process grew.
async fn cost(blocking: bool) -> (f64, u64) {
    let client = connect().await;
    // The first calls warm both sides up.
    median(&client).await;
    let alone = median(&client).await;
    let before = resident_kib();
    let (seen, mut progress) = tokio::sync::watch::channel(0);
    let call = client.call_tool("flood", json!({}));
    let call = call
        .overflow(Overflow::Lossless { up_to: 65_536 })
        .idle_timeout(None);
    let slow = if blocking {
        spawn(
            call.on_progress(move |update| {
                std::thread::sleep(WORK);
                seen.send_replace(update.seq);
            })
            .into_future(),
        )
    } else {
        spawn(
            call.on_progress_async(move |update| {
                seen.send_replace(update.seq);
                tokio::time::sleep(WORK)
            })
            .into_future(),
        )
    };
    progress.wait_for(|seq| *seq > 10).await.expect("it works");
    // All 20,000 are in memory before the figures are taken.
    while client.stats().updates < UPDATES {
        tokio::time::sleep(WORK).await;
    }
    let began_at = *progress.borrow();
    let beside = median(&client).await;
    let ended_at = *progress.borrow();
    let growth = resident_kib().saturating_sub(before);
    assert!(
        began_at < ended_at && ended_at < UPDATES,
        "{began_at} to {ended_at}: not at work meanwhile"
    );
    slow.abort();
    (beside.as_secs_f64() / alone.as_secs_f64(), growth)
}

/// The machine is shared: the best of three runs counts.
fn judge(runtime: &Runtime, blocking: bool) -> String {
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let (ratio, growth) = runtime.block_on(cost(blocking));
        assert!(growth <= GROWTH_KIB, "{growth} KiB");
        ratios.push(ratio);
        if ratio <= 2.0 {
            return format!("second calls take {ratio:.2} times as long, {growth} KiB more");
        }
    }
    panic!("second calls take {ratios:.2?} times as long beside a slow consumer");
}

#[test]
fn a_blocking_consumer_on_two_workers_costs_second_calls_little() {
    if measures("second_calls::a_blocking_consumer_on_two_workers_costs_second_calls_little") {
        let mut runtime = tokio::runtime::Builder::new_multi_thread();
        let runtime = runtime
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime");
        println!("{}", judge(&runtime, true));
        runtime.shutdown_background();
    }
}

#[test]
fn an_awaiting_consumer_on_one_worker_costs_second_calls_little() {
    if measures("second_calls::an_awaiting_consumer_on_one_worker_costs_second_calls_little") {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().build().expect("a runtime");
        println!("{}", judge(&runtime, false));
    }
}
