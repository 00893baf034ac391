//! What is told beside the updates: life-cycle events and telemetry, and the defaults of the process.
//!
//! Owns two listeners. No other test sets the defaults of the process.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mcp_progress::model::LoggingLevel;
use mcp_progress::reporter::{
    Closed, Emission, Outcome, ReporterConfig, ReporterTelemetry, SinkError, Started,
    default_config, set_default_config, set_default_telemetry,
};
use mcp_progress::{ProgressReporter, ProgressToken};
use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::span;

use super::recorder::{Recorder, pass};
use crate::peer::settle;

/// Writes down what it is told of one token; others belong to other tests.
#[derive(Debug)]
struct Told {
    token: ProgressToken,
    lines: Mutex<Vec<String>>,
}

impl Told {
    fn of(token: &str) -> Arc<Self> {
        let token = ProgressToken::from(token);
        let lines = Mutex::default();
        Arc::new(Self { token, lines })
    }

    fn add(&self, token: &ProgressToken, line: String) {
        if *token == self.token {
            self.lines.lock().expect("not poisoned").push(line);
        }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").clone()
    }
}

impl ReporterTelemetry for Told {
    fn on_start(&self, started: &Started) {
        self.add(&started.token, format!("start resumed={}", started.resumed));
    }

    fn on_emit(&self, emission: &Emission<'_>) {
        let error = emission.error.map(SinkError::to_string);
        let line = format!(
            "emit {} attempts={} merged={} error={error:?}",
            emission.update.progress, emission.attempts, emission.merged
        );
        self.add(&emission.update.token, line);
    }

    fn on_close(&self, closed: &Closed) {
        let counts = closed.counts;
        let line = format!(
            "close {} accepted={} emitted={} merged={} given_up={} retries={} after {:?}",
            closed.outcome,
            counts.accepted,
            counts.emitted,
            counts.merged,
            counts.given_up,
            counts.retries,
            closed.elapsed
        );
        self.add(&closed.token, line);
    }
}

#[tokio::test(start_paused = true)]
async fn telemetry_tells_start_updates_and_counts() {
    let told = Told::of("t");
    let pause = Duration::from_millis(10);
    let (reporter, recorder) = Recorder::reporter(|builder| {
        let builder = builder.attempts(2).retry_delay(pause..=pause);
        builder.telemetry(told.clone())
    });
    let busy = || SinkError::transient("busy");
    for value in 1..=3 {
        reporter.set(value).expect("rises");
    }
    settle().await;
    recorder.fail_next([busy(), busy(), busy()]);
    pass(200).await;
    reporter.set(4).expect("rises");
    pass(200).await;
    reporter.set(5).expect("rises");
    pass(100).await;
    reporter.fail("no disk").await.expect("sent");
    assert_eq!(
        told.lines(),
        [
            "start resumed=false",
            "emit 3 attempts=1 merged=2 error=None",
            "emit 4 attempts=2 merged=0 error=Some(\"busy\")",
            "emit 5 attempts=2 merged=0 error=None",
            "emit 5.000000000000001 attempts=1 merged=0 error=None",
            "close failed accepted=6 emitted=3 merged=2 given_up=1 retries=2 after 500ms",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_drop_counts_as_cancelled() {
    let told = Told::of("t");
    let (reporter, recorder) = Recorder::reporter(|builder| builder.telemetry(told.clone()));
    recorder.offer_logs();
    drop(reporter);
    settle().await;
    assert_eq!(told.lines().len(), 2);
    assert!(told.lines()[1].starts_with("close cancelled accepted=0"));
    let token = "t";
    assert_eq!(
        recorder.logs(),
        [
            (
                LoggingLevel::Info,
                json!({"event": "started", "progressToken": token})
            ),
            (
                LoggingLevel::Notice,
                json!({"event": "cancelled", "progressToken": token})
            ),
        ]
    );
    assert_eq!(Outcome::Cancelled.to_string(), "cancelled");
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_offers_it_gets_the_life_cycle() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    recorder.offer_logs();
    settle().await;
    reporter.set(1).expect("rises");
    reporter.total(10).expect("grows");
    reporter.set(6).expect("rises");
    settle().await;
    reporter.total(100).expect("grows");
    reporter.set(60).expect("passes the middle a second time");
    pass(200).await;
    reporter.fail("no disk").await.expect("sent");
    let events: Vec<_> = recorder
        .logs()
        .into_iter()
        .map(|(level, mut data)| {
            let data = data.as_object_mut().expect("an object");
            data.remove("progressToken");
            let mut line = format!("{level}");
            for (name, value) in data.iter() {
                write!(line, " {name}={value}").expect("a string takes it");
            }
            line
        })
        .collect();
    assert_eq!(
        events,
        [
            r#"info event="started""#,
            r#"info event="milestone" percent=25 progress=6.0 total=10.0"#,
            r#"info event="milestone" percent=50 progress=6.0 total=10.0"#,
            r#"error event="failed" message="no disk" progress=60.000000000000014 total=100.0"#,
        ]
    );

    let (reporter, silent) = Recorder::reporter(|builder| builder.life_cycle(false));
    silent.offer_logs();
    reporter.total(1).expect("grows");
    reporter.finish().await.expect("sent");
    assert_eq!(silent.logs(), []);
    assert_eq!(silent.values(), [1.0]);
}

/// Passed milestones survive a restart.
#[tokio::test(start_paused = true)]
async fn milestones_are_told_once_in_all_processes() {
    let (reporter, _first) = Recorder::reporter(|builder| builder);
    reporter.total(4).expect("grows");
    reporter.set(2).expect("rises");
    settle().await;
    let kept = reporter.snapshot().expect("it does something");
    let second = Recorder::new();
    second.offer_logs();
    let resumed = second.report(|builder| builder.resume(kept));
    resumed.set(3).expect("rises");
    resumed.finish().await.expect("sent");
    let events: Vec<_> = second
        .logs()
        .into_iter()
        .map(|(_, data)| (data["event"].clone(), data["percent"].clone()))
        .collect();
    assert_eq!(
        events,
        [
            (json!("resumed"), json!(null)),
            (json!("milestone"), json!(75)),
            (json!("completed"), json!(null)),
        ]
    );
}

/// A subscriber that keeps the events of the reporter as lines.
#[derive(Clone, Debug, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Lines {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("mcp_progress::reporter")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        struct Fields(String);

        impl Visit for Fields {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, " {}={value:?}", field.name()).expect("a string takes it");
            }
        }

        let mut fields = Fields(event.metadata().level().to_string());
        event.record(&mut fields);
        self.0.lock().expect("not poisoned").push(fields.0);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn the_life_cycle_is_traced() {
    let lines = Lines::default();
    let guard = tracing::subscriber::set_default(lines.clone());
    let (reporter, recorder) = Recorder::reporter(|builder| builder.attempts(1));
    reporter.total(4).expect("grows");
    reporter.set(1).expect("rises");
    recorder.fail_next([SinkError::transient("busy")]);
    settle().await;
    reporter.finish().await.expect("sent");
    drop(guard);
    let lines = lines.0.lock().expect("not poisoned").clone();
    assert_eq!(
        lines,
        [
            r#"INFO message=progress token=t event="started""#,
            r#"INFO message=progress token=t event="milestone" percent=25 progress=1.0 total=4.0"#,
            "WARN message=an update was given up token=t progress=1.0 attempts=1 error=busy",
            r#"INFO message=progress token=t event="milestone" percent=50 progress=4.0 total=4.0"#,
            r#"INFO message=progress token=t event="milestone" percent=75 progress=4.0 total=4.0"#,
            r#"INFO message=progress token=t event="completed" progress=4.0 total=4.0"#,
        ]
    );
}

/// The defaults hold for all reporters of this process, other tests' among them: so what is set here is harmless.
#[tokio::test(start_paused = true)]
async fn the_process_has_defaults() {
    assert_eq!(default_config(), ReporterConfig::new());
    let told = Told::of("default-telemetry");
    let config = ReporterConfig::new().attempts(7);
    set_default_config(config.clone()).expect("makes sense");
    set_default_telemetry(Some(told.clone()));
    assert_eq!(default_config(), config);
    let sink = Nowhere;
    let token = ProgressToken::from("default-telemetry");
    let reporter = ProgressReporter::new(sink, Some(token)).expect("in a runtime");
    set_default_config(ReporterConfig::new()).expect("makes sense");
    set_default_telemetry(None);
    reporter.set(1).expect("rises");
    assert!(reporter.finish().await.is_err());
    let lines = told.lines();
    assert_eq!(lines[0], "start resumed=false");
    assert!(lines[1].starts_with("emit 1 attempts="), "{lines:?}");
    assert!(
        lines[2].starts_with("close completed accepted=1 emitted=0"),
        "{lines:?}"
    );
    assert_eq!(reporter.counts().retries, 6);
}

/// A sink that is never there.
struct Nowhere;

impl mcp_progress::ProgressSink for Nowhere {
    fn send(
        &self,
        _: mcp_progress::reporter::ProgressUpdate,
    ) -> futures::future::BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async { Err(SinkError::transient("nowhere")) })
    }
}
