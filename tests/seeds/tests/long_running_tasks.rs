//! Row 3, *context-aware long-running tasks*: phases that map parts onto the whole, milestones and throttles where progress is
//! received, and work that outlives the client which began it. Its life-cycle events are in `long_running_events.rs`.
//!
//! The peers are `servers/long_running.py` and `servers/openmcp.py` on the first Python SDK, and the tasks of `tests/peers` on five
//! SDKs. A client that is killed in the middle of a task is in `tests/peers` (`peer-tasks`).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::combinators::MilestoneEvent;
use mcp_progress::model::{CreateMessageResult, TaskHandle, TaskStatus};
use mcp_progress::reporter::{ReporterError, Snapshot};
use mcp_progress::{
    Client, Progress, ProgressReporter, ProgressToken, ProtocolVersion, RequestContext, UpdateKind,
    UpdatesExt as _,
};
use seeds::{Notes, Peer, heard_of};
use serde_json::{Value, json};

/// The updates of `delete` with 400 items: those of its three phases.
const UPDATES: u64 = 5 + 400 + 5;

async fn deleting() -> (Client, Notes) {
    let peer = Peer::python("py1", "long_running.py");
    (peer.connect().await.unwrap(), peer.notes())
}

fn items() -> Value {
    json!({"items": 400})
}

fn each(context: &RequestContext) -> Result<ProgressReporter, ReporterError> {
    context.reporter_with(|builder| builder.emit_hz(0.0))
}

/// 0 to 10 for setting up, 10 to 90 for the work, 90 to 100 for cleaning up; the phases count their own items.
fn three_phases(reporter: &ProgressReporter) -> Result<(), ReporterError> {
    reporter.total(100)?;
    let setup = reporter.phase("Setup", 0.0..0.1).total(2);
    setup.set(1)?;
    setup.set(2)?;
    setup.leave()?;
    let deleting = reporter.phase("Deleting", 0.1..0.9).total(4);
    for item in 1..=4 {
        deleting.set(item)?;
    }
    deleting.leave()?;
    let cleaning = reporter.phase("Clean-up", 0.9..1.0);
    // A part of a part.
    cleaning.phase("Removing the lock", 0.0..0.5).leave()?;
    cleaning.leave()
}

#[tokio::test]
async fn phases_map_their_items_onto_the_whole() {
    let heard = heard_of(json!({}), |_, context| async move {
        three_phases(&each(&context).unwrap()).unwrap();
    })
    .await;
    let mut values = Vec::new();
    let mut names = Vec::new();
    for update in &heard {
        assert_eq!(update["total"], 100.0);
        let value = update["progress"].as_f64().unwrap();
        values.push((value * 1e6).round() / 1e6);
        if let Some(name) = update["message"].as_str() {
            names.push((name, values[values.len() - 1]));
        }
    }
    // The name of a phase goes with the value at which it begins where that still waits, and otherwise, as that of the last
    // one does, with the least larger number.
    let expected = [0.0, 5.0, 10.0, 30.0, 50.0, 70.0, 90.0, 90.0, 95.0, 100.0];
    assert_eq!(values, expected);
    let raw = heard
        .iter()
        .map(|update| update["progress"].as_f64().unwrap());
    assert!(raw.is_sorted_by(|a, b| a < b), "{heard:?}");
    assert_eq!(
        names,
        [
            ("Setup", 0.0),
            ("Deleting", 10.0),
            ("Clean-up", 90.0),
            ("Removing the lock", 90.0),
        ]
    );
}

/// Progress kept across restarts: what comes next goes on from the snapshot, under the token of the new request.
#[tokio::test]
async fn progress_goes_on_from_a_snapshot() {
    let kept: Arc<Mutex<Option<Value>>> = Arc::default();
    let client = Peer::python("py1", "openmcp.py")
        .connect()
        .on_sampling(move |_, context| {
            let before = kept.lock().unwrap().take();
            let reporter = context
                .reporter_with(|builder| match before {
                    // As it comes out of a file.
                    Some(saved) => {
                        let snapshot: Snapshot = serde_json::from_value(saved).unwrap();
                        builder.emit_hz(0.0).resume(snapshot)
                    }
                    None => builder.emit_hz(0.0),
                })
                .unwrap();
            let kept = kept.clone();
            async move {
                let first = reporter.snapshot().unwrap().progress.is_none();
                let (from, to) = if first { (0, 40) } else { (40, 100) };
                reporter.total(100).unwrap();
                for value in (from + 20..=to).step_by(20) {
                    reporter.set(value).unwrap();
                }
                *kept.lock().unwrap() = Some(serde_json::to_value(reporter.snapshot()).unwrap());
                if first {
                    // The operation is left where it is: an answer would end it.
                    return Ok(CreateMessageResult::text("model", "later"));
                }
                reporter.finish().await.unwrap();
                Ok(CreateMessageResult::text("model", "Hello."))
            }
        })
        .await
        .unwrap();
    let result = client
        .call_tool("listen", json!({"asks": 2}))
        .await
        .unwrap();
    let heard: Vec<Value> = serde_json::from_str(&result.as_text().unwrap()).unwrap();
    let requests: Vec<Vec<f64>> = heard
        .split(|entry| *entry == json!("answered"))
        .map(|heard| {
            heard
                .iter()
                .map(|entry| entry["progress"].as_f64().unwrap())
                .collect()
        })
        .collect();
    assert_eq!(
        requests[1],
        [40.0, 60.0, 80.0, 100.0],
        "at once where it was"
    );
    client.close().await;
}

/// Where it is received: every update, by its phase.
#[tokio::test]
async fn a_server_with_phases_is_heard_in_full() {
    let (client, notes) = deleting().await;
    let mut updates = Vec::new();
    let result = client
        .call_tool("delete", items())
        .on_progress(|update| updates.push(update))
        .await
        .unwrap();
    assert_eq!(result.as_text().as_deref(), Some("deleted 400"));
    assert_eq!(updates.len() as u64, UPDATES);
    let mut before = 0.0;
    for update in &updates {
        let message = update.message.as_deref().unwrap();
        let (name, _) = message.split_once(' ').unwrap();
        let (from, to) = match name {
            "Setup" => (0.0, 10.0),
            "Deleting" => (10.0, 90.0),
            "Clean-up" => (90.0, 100.0),
            other => panic!("no phase is called {other}"),
        };
        assert!(update.progress > from && update.progress <= to, "{update}");
        assert!(update.progress > before, "{update} after {before}");
        before = update.progress;
    }
    assert_eq!(notes.of("finished").len(), 1);
    client.close().await;
}

#[tokio::test]
async fn milestones_at_25_50_and_75_percent() {
    let (client, _) = deleting().await;
    let mut call = client.call_tool("delete", items()).start();
    let mut events = (&mut call).milestones([0.75, 0.25, 0.5]);
    let mut reached = Vec::new();
    while let Some(event) = events.next().await {
        if let MilestoneEvent::Reached {
            milestones, update, ..
        } = event
        {
            let message = update.message.as_deref().unwrap_or_default().to_owned();
            reached.push((milestones.to_vec(), update.progress, message));
        }
    }
    drop(events);
    let item = |part: f64, item| (vec![part], part * 100.0, format!("Deleting {item}/400"));
    assert_eq!(reached, [item(0.25, 75), item(0.5, 200), item(0.75, 325)]);
    assert!(!call.await.unwrap().is_error);
    client.close().await;
}

/// What a combinator lets through stands for all that the server sent.
fn assert_all_counted(updates: &[Progress]) {
    let stood_for: u64 = updates.iter().map(|update| 1 + update.merged).sum();
    assert_eq!(stood_for, UPDATES);
    assert_eq!(updates.last().unwrap().progress, 100.0);
}

#[tokio::test]
async fn changes_below_one_percent_are_left_out() {
    let (client, _) = deleting().await;
    let mut call = client.call_tool("delete", items()).start();
    let mut changes = (&mut call).min_change(0.01);
    let mut updates = Vec::new();
    while let Some(update) = changes.next().await {
        updates.push(update);
    }
    drop(changes);
    assert_all_counted(&updates);
    // 2 percent each outside of the work, and 0.2 in it, of which five make one.
    assert_eq!(updates.len(), 5 + 80 + 5);
    for pair in updates.windows(2) {
        let change = pair[1].fraction().unwrap() - pair[0].fraction().unwrap();
        assert!(change >= 0.01 - 1e-9, "{} after {}", pair[1], pair[0]);
    }
    assert!(!call.await.unwrap().is_error);
    client.close().await;
}

#[tokio::test]
async fn a_throttle_lets_eight_a_second_pass() {
    let (client, _) = deleting().await;
    let arguments = json!({"items": 400, "pause_ms": 5});
    let mut call = client.call_tool("delete", arguments).start();
    let mut few = (&mut call).throttle(8.0);
    let mut updates = Vec::new();
    while let Some(update) = few.next().await {
        updates.push((std::time::Instant::now(), update));
    }
    drop(few);
    let (last, paced) = updates.split_last().unwrap();
    for pair in paced.windows(2) {
        let pause = pair[1].0 - pair[0].0;
        assert!(pause >= Duration::from_millis(120), "{pause:?}");
    }
    // More than two seconds of updates every 5 milliseconds.
    let span = last.0 - paced[0].0;
    assert!(span >= Duration::from_secs(2), "{span:?}");
    assert!(paced.len() >= 8, "{} in {span:?}", paced.len());
    let updates: Vec<_> = updates.into_iter().map(|(_, update)| update).collect();
    assert_all_counted(&updates);
    assert!(!call.await.unwrap().is_error);
    client.close().await;
}

/// Servers whose tasks outlive their clients, in both forms of tasks, and after how many updates the first client goes. Over HTTP
/// `tower` tells nothing but that it works, and that it is done.
const TASKS: [(&str, ProtocolVersion, usize); 5] = [
    ("ts1-http", ProtocolVersion::V2025_11_25, 3),
    ("py1-http", ProtocolVersion::V2025_11_25, 3),
    ("rmcp-http", ProtocolVersion::V2026_07_28, 3),
    ("fm4-http", ProtocolVersion::V2026_07_28, 3),
    ("tower-http", ProtocolVersion::V2026_07_28, 1),
];

/// Begins a task, waits until it works, and leaves it; the client is gone afterwards. Gives the handle, as it comes out of a
/// file, and what was shown so far.
async fn begun(
    url: &str,
    version: ProtocolVersion,
    shown: usize,
    token: &ProgressToken,
) -> (TaskHandle, Vec<Progress>) {
    let client = Client::http(url).protocol(version).await.unwrap();
    let mut call = client
        .call_tool("job", json!({"steps": 12, "delay_ms": 150}))
        .as_task(Duration::from_secs(60))
        .progress_token(token.clone())
        .start();
    let mut seen = Vec::new();
    while call.task().is_none() || seen.len() < shown {
        seen.push(call.next().await.expect("it is under way"));
    }
    let handle = call.leave().expect("it is a task");
    client.close().await;
    drop(client);
    let saved = serde_json::to_string(&handle).unwrap();
    (serde_json::from_str(&saved).unwrap(), seen)
}

#[tokio::test]
async fn a_task_is_taken_up_by_another_client() {
    for (name, version, shown) in TASKS {
        let peer = Peer::installed(name);
        let serving = peer.serve();
        let token = ProgressToken::generate();
        let (handle, before) = begun(serving.url(), version, shown, &token).await;

        let client = Client::http(serving.url()).resuming(&handle).await.unwrap();
        let mut stream = client.progress().subscribe(&token);
        let mut updates = Vec::new();
        let result = client
            .resume_task(&handle)
            .on_progress(|update| updates.push(update))
            .await
            .unwrap();
        let text = result.as_text().unwrap();
        let done: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(done["steps"], 12, "{name}: {text}");

        // One stream, under the token of the request that the first client made: a subscriber sees what the handler sees.
        let mut subscribed = Vec::new();
        while let Some(update) = stream.next().await {
            subscribed.push((update.seq, update.kind));
        }
        let handled: Vec<_> = updates
            .iter()
            .map(|update| (update.seq, update.kind))
            .collect();
        assert_eq!(subscribed, handled, "{name}");
        assert!(!updates.is_empty(), "{name}");
        for update in before.iter().chain(&updates) {
            assert_eq!(update.token, token, "{name}");
            assert!(!update.regressed, "{name}: {update}");
        }
        let last = updates.last().unwrap().kind;
        assert_eq!(last, UpdateKind::Status(TaskStatus::Completed), "{name}");
        let value = |updates: &[Progress]| {
            let values = updates
                .iter()
                .filter(|update| update.kind == UpdateKind::Progress);
            values.map(|update| update.progress).collect::<Vec<_>>()
        };
        let (first, second) = (value(&before), value(&updates));
        assert!(
            first.iter().chain(&second).is_sorted(),
            "{name}: {first:?} {second:?}"
        );
        let notes = peer.notes();
        let runs =
            ["job started", "job finished", "job cancelled"].map(|event| notes.of(event).len());
        assert_eq!(runs, [1, 1, 0], "{name}: {:?}", notes.all());
        println!(
            "{name}: {} updates, then {} by the second client",
            before.len(),
            updates.len()
        );
        client.close().await;
    }
}
