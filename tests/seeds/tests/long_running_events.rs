//! Row 3, *context-aware long-running tasks*: life-cycle events where progress is received and where it is sent; the rest is in
//! `long_running_tasks.rs`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::reporter::Outcome;
use mcp_progress::{CallClosed, CallObserver, CallOutcome, CallStarted};
use seeds::{Diary, Peer, heard_of};
use serde_json::json;
use tracing::Level;

/// What an observer of the calls is told, in words.
#[derive(Clone, Default)]
struct Course(Arc<Mutex<Vec<String>>>);

impl Course {
    fn note(&self, call: &CallStarted, what: String) {
        let tool = call.tool.as_deref().unwrap_or_default();
        self.0.lock().unwrap().push(format!("{tool}: {what}"));
    }
}

impl CallObserver for Course {
    fn started(&self, call: &CallStarted) {
        self.note(call, "started".to_owned());
    }

    fn milestone(&self, call: &CallStarted, fraction: f64, _: Duration) {
        self.note(call, format!("{}%", fraction * 100.0));
    }

    fn closed(&self, call: &CallStarted, closed: &CallClosed) {
        self.note(
            call,
            format!("{} after {} updates", closed.outcome, closed.received),
        );
    }
}

/// Where progress is received: a span for each call, and an observer, with how it ended.
#[tokio::test]
async fn the_life_of_a_call_is_told() {
    let diary = Diary::of_the_process();
    let course = Course::default();
    let peer = Peer::python("py1", "long_running.py");
    let client = peer.connect().observer(course.clone()).await.unwrap();
    let completed = client.call_tool("delete", json!({"items": 4}));
    assert!(!completed.await.unwrap().is_error);
    let failed = client.call_tool("delete", json!({"items": 10, "fail_at": 6}));
    assert!(failed.await.unwrap().is_error);
    let mut cancelled = client
        .call_tool("delete", json!({"items": 1_000, "pause_ms": 5}))
        .start();
    cancelled.next().await.unwrap();
    cancelled.canceller().cancel("enough");
    cancelled.await.unwrap_err();
    peer.notes().wait_for("cancelled", 1).await;
    client.close().await;

    let mut told = course.0.lock().unwrap().clone();
    let last = told.pop().unwrap();
    assert!(
        last.starts_with(&format!("delete: {} after", CallOutcome::Cancelled)),
        "{last}"
    );
    let completed = CallOutcome::Completed;
    let failed = CallOutcome::ToolError;
    assert_eq!(
        told,
        [
            "delete: started".to_owned(),
            "delete: 25%".to_owned(),
            "delete: 50%".to_owned(),
            "delete: 75%".to_owned(),
            format!("delete: {completed} after 14 updates"),
            "delete: started".to_owned(),
            "delete: 25%".to_owned(),
            "delete: 50%".to_owned(),
            format!("delete: {failed} after 10 updates"),
            "delete: started".to_owned(),
        ]
    );
    let mut spans = diary.spans();
    let delete = Some("delete");
    spans.retain(|span| {
        span.name == "mcp.call" && span.fields.get("tool").map(String::as_str) == delete
    });
    let field = |name: &str| -> Vec<Option<String>> {
        let values = spans.iter().map(|span| span.fields.get(name).cloned());
        values.collect()
    };
    assert_eq!(spans.len(), 3);
    assert_eq!(
        field("milestone")[..2],
        [Some("0.75".to_owned()), Some("0.5".to_owned())]
    );
    assert_eq!(
        field("updates")[..2],
        [Some("14".to_owned()), Some("10".to_owned())]
    );
    let outcomes = ["completed", "tool_error", "cancelled"];
    assert_eq!(
        field("outcome"),
        outcomes.map(|outcome| Some(outcome.to_owned()))
    );
}

/// Where progress is sent: started, milestones, and the end, by `tracing`.
#[tokio::test]
async fn the_life_of_a_reporter_is_told() {
    let diary = Diary::of_the_process();
    for outcome in [Outcome::Completed, Outcome::Failed, Outcome::Cancelled] {
        let heard = heard_of(json!({}), move |client, context| async move {
            // That of the request ends with the answer at the latest, so one that is left needs another owner.
            let reporter = if outcome == Outcome::Cancelled {
                let token = context.progress_token().expect("the server wants to hear");
                client.reporter(&token).unwrap().build().unwrap()
            } else {
                let reporter = context.reporter_with(|builder| builder.emit_hz(0.0));
                reporter.unwrap()
            };
            reporter.total(4).unwrap();
            for step in 1..=3 {
                reporter.set(step).unwrap();
            }
            match outcome {
                Outcome::Failed => drop(reporter.fail("the disk is full").await.unwrap()),
                // Dropped without an end, as by work that is cut off.
                Outcome::Cancelled => {}
                _ => drop(reporter.finish().await.unwrap()),
            }
        });
        let heard = heard.await;
        // What was left so goes out in the background, and the answer may be there first.
        assert!(
            heard.len() >= 3 || outcome == Outcome::Cancelled,
            "{heard:?}"
        );
    }
    let events = diary.events().into_iter();
    let events = events.filter(|event| event.fields.contains_key("event"));
    let words: Vec<_> = events
        .map(|event| {
            let part = event.fields.get("percent").cloned().unwrap_or_default();
            (event.level, event.fields["event"].clone(), part)
        })
        .collect();
    let info = |event: &str, percent: &str| (Level::INFO, event.to_owned(), percent.to_owned());
    let begun = [
        info("started", ""),
        info("milestone", "25"),
        info("milestone", "50"),
        info("milestone", "75"),
    ];
    assert_eq!(words[..4], begun);
    assert_eq!(words[4], info("completed", ""));
    assert_eq!(words[5..9], begun);
    assert_eq!(words[9], (Level::ERROR, "failed".to_owned(), String::new()));
    assert_eq!(words[10..14], begun);
    assert_eq!(words[14..], [info("cancelled", "")]);
}
