//! Row 2, *OpenMCP progress helper*: the sending half, from the client's side, while it serves a request of the server; judged by
//! what the callback of the server's SDK is told. The same reporter inside of a server made with `rmcp`, heard by `rmcp`'s own
//! client and by ours, is in `tests/peers/rmcp/reporter`; its process-wide defaults are in `openmcp_defaults.rs`.
//!
//! The peer is `servers/openmcp.py` on the first Python SDK, which tells its callback in the order of the wire, also of what stands
//! right before the answer.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use mcp_progress::model::CreateMessageResult;
use mcp_progress::reporter::{
    Closed, Emission, Outcome, ProgressUpdate, ReporterError, ReporterTelemetry, SinkError, Started,
};
use mcp_progress::{Client, ClientSink, ProgressReporter, ProgressSink, RequestContext};
use seeds::Peer;
use serde_json::{Value, json};

/// What the server's callback was told.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    progress: f64,
    total: Option<f64>,
    message: Option<String>,
}

impl Heard {
    fn of(value: &Value) -> Self {
        Self {
            progress: value["progress"].as_f64().unwrap(),
            total: value["total"].as_f64(),
            message: value["message"].as_str().map(str::to_owned),
        }
    }
}

/// What the server heard of the client's work on its request.
async fn heard_of<F, Fut>(arguments: Value, work: F) -> Vec<Heard>
where
    F: Fn(Client, RequestContext) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let heard = seeds::heard_of(arguments, work).await;
    heard.iter().map(Heard::of).collect()
}

fn values(heard: &[Heard]) -> Vec<f64> {
    heard.iter().map(|heard| heard.progress).collect()
}

/// One update as the hooks tell of it.
#[derive(Clone, Copy)]
struct Told {
    value: f64,
    at: Instant,
    attempts: u32,
    sent: bool,
}

/// Keeps what it is told.
#[derive(Clone, Default)]
struct Hooks {
    started: Arc<AtomicU32>,
    emitted: Arc<Mutex<Vec<Told>>>,
    closed: Arc<Mutex<Vec<Closed>>>,
}

impl ReporterTelemetry for Hooks {
    fn on_start(&self, _: &Started) {
        self.started.fetch_add(1, Ordering::Relaxed);
    }

    fn on_emit(&self, emission: &Emission<'_>) {
        self.emitted.lock().unwrap().push(Told {
            value: emission.update.progress,
            at: Instant::now(),
            attempts: emission.attempts,
            sent: emission.error.is_none(),
        });
    }

    fn on_close(&self, closed: &Closed) {
        self.closed.lock().unwrap().push(closed.clone());
    }
}

#[tokio::test]
async fn advance_and_set_are_heard_and_a_regress_is_an_error() {
    let heard = heard_of(json!({}), |_, context| async move {
        let reporter = context
            .reporter_with(|builder| builder.emit_hz(0.0))
            .unwrap();
        reporter.total(5).unwrap();
        reporter.message("loading").unwrap();
        reporter.advance(1).unwrap();
        reporter.advance(1.5).unwrap();
        // A text joins what still waits, so it is only said once that is out.
        while reporter.counts().emitted < 2 {
            tokio::task::yield_now().await;
        }
        reporter.message("half-way").unwrap();
        reporter.set(4).unwrap();
        let regress = ReporterError::Regress {
            current: 4.0,
            given: 3.0,
        };
        assert_eq!(reporter.set(3), Err(regress));
        assert!(matches!(
            reporter.advance(-1),
            Err(ReporterError::Regress { .. })
        ));
        assert!(matches!(
            reporter.set(f64::NAN),
            Err(ReporterError::NotANumber { .. })
        ));
        reporter.finish().await.unwrap();
        assert_eq!(reporter.set(6), Err(ReporterError::Finished));
    })
    .await;
    let seen = heard.iter().map(|heard| {
        let message = heard.message.as_deref();
        (heard.progress, heard.total, message)
    });
    assert_eq!(
        seen.collect::<Vec<_>>(),
        [
            (1.0, Some(5.0), Some("loading")),
            (2.5, Some(5.0), None),
            (4.0, Some(5.0), Some("half-way")),
            // Finishing comes to the total; nothing of what was refused is heard.
            (5.0, Some(5.0), None),
        ]
    );
}

/// Two seconds of a thousand values a second each, with the defaults: eight a second are heard, the first and the last among
/// them, and the hooks have told of exactly those.
#[tokio::test]
async fn bursts_are_coalesced_to_eight_a_second() {
    const STEPS: u32 = 2_000;
    let hooks = Hooks::default();
    let telemetry = hooks.clone();
    let heard = heard_of(json!({}), move |_, context| {
        let telemetry = Arc::new(telemetry.clone());
        async move {
            let reporter = context
                .reporter_with(|builder| builder.telemetry(telemetry))
                .unwrap();
            reporter.total(STEPS).unwrap();
            reporter.set(1).unwrap();
            while reporter.counts().emitted < 1 {
                tokio::task::yield_now().await;
            }
            let begin = Instant::now();
            for step in 2..=STEPS {
                let due = Duration::from_millis(u64::from(step));
                if let Some(left) = due.checked_sub(begin.elapsed()) {
                    tokio::time::sleep(left).await;
                }
                reporter.set(step).unwrap();
            }
            reporter.finish().await.unwrap();
        }
    })
    .await;
    let values = values(&heard);
    assert!(values.is_sorted_by(|a, b| a < b), "{values:?}");
    assert_eq!(
        (values.first(), values.last()),
        (Some(&1.0), Some(&f64::from(STEPS)))
    );
    let emitted = hooks.emitted.lock().unwrap();
    let span = emitted[emitted.len() - 1].at - emitted[0].at;
    // One at the beginning, eight a second, and the last, which does not wait for its turn.
    let most = span.as_secs_f64() * 8.0 + 2.0;
    assert!(heard.len() >= 12, "{} in {span:?}", heard.len());
    assert!(heard.len() as f64 <= most, "{} in {span:?}", heard.len());
    let (last, paced) = emitted.split_last().unwrap();
    assert_eq!(last.value, f64::from(STEPS));
    for pair in paced.windows(2) {
        let pause = pair[1].at - pair[0].at;
        assert!(pause >= Duration::from_millis(124), "only {pause:?} apart");
    }
    // What the hooks have told of is what the server has heard.
    let told: Vec<f64> = emitted.iter().map(|told| told.value).collect();
    assert_eq!(told, values);
    assert_eq!(hooks.started.load(Ordering::Relaxed), 1);
    let closed = hooks.closed.lock().unwrap();
    assert_eq!(closed.len(), 1);
    assert_eq!(closed[0].outcome, Outcome::Completed);
    let counts = closed[0].counts;
    assert_eq!(counts.emitted, heard.len() as u64);
    assert_eq!((counts.given_up, counts.retries), (0, 0));
    assert_eq!(counts.accepted, counts.emitted + counts.merged);
    // The total was there already, so that finishing added nothing.
    assert_eq!(counts.accepted, u64::from(STEPS));
}

#[tokio::test]
async fn zero_hertz_is_every_update() {
    let heard = heard_of(json!({}), |_, context| async move {
        let reporter = context
            .reporter_with(|builder| builder.emit_hz(0.0))
            .unwrap();
        for step in 1..=500 {
            reporter.set(step).unwrap();
        }
        let counts = reporter.finish().await.unwrap();
        assert_eq!((counts.emitted, counts.merged), (500, 0));
    })
    .await;
    let expected: Vec<f64> = (1..=500).map(f64::from).collect();
    assert_eq!(values(&heard), expected);
}

/// Whether finished, failed, or simply left: what is held goes out before the answer.
#[tokio::test]
async fn the_last_sample_is_always_flushed() {
    for ending in ["finish", "fail", "leave"] {
        let heard = heard_of(json!({}), move |_, context| async move {
            // Not the default: so slow that nothing would go out by itself after the first.
            let reporter = context
                .reporter_with(|builder| builder.emit_hz(0.01))
                .unwrap();
            for step in 1..=100 {
                reporter.set(step).unwrap();
                tokio::task::yield_now().await;
            }
            match ending {
                "finish" => drop(reporter.finish().await.unwrap()),
                "fail" => drop(reporter.fail("no disk").await.unwrap()),
                _ => {}
            }
        })
        .await;
        let values = values(&heard);
        assert!(values.is_sorted_by(|a, b| a < b), "{ending}: {values:?}");
        assert_eq!(values.last(), Some(&100.0), "{ending}: {values:?}");
        assert!(values.len() <= 2, "{ending}: {values:?}");
        let text = heard.last().unwrap().message.as_deref();
        assert_eq!(text, (ending == "fail").then_some("no disk"));
    }
}

#[tokio::test]
async fn a_missing_token_is_an_error() {
    let heard = heard_of(json!({"progress": false}), |client, context| async move {
        assert_eq!(context.progress_token(), None);
        let sink = client.progress_sink().unwrap();
        let refused = ProgressReporter::new(sink.clone(), context.progress_token());
        assert_eq!(refused.unwrap_err(), ReporterError::MissingToken);
        // Unless that is wanted.
        let builder = ProgressReporter::builder(sink).token(context.progress_token());
        let noop = builder.or_noop().build().unwrap();
        assert!(noop.is_noop());
        noop.set(1).unwrap();
        assert!(context.reporter().is_noop());
    })
    .await;
    assert_eq!(heard, []);
}

/// The way to the server, on which the first attempts fail.
struct Failing {
    sink: ClientSink,
    failures: AtomicU32,
    attempts: Arc<Mutex<Vec<Instant>>>,
}

impl ProgressSink for Failing {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        self.attempts.lock().unwrap().push(Instant::now());
        let left = self
            .failures
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        match left {
            Ok(_) => Box::pin(async { Err(SinkError::transient("the pipe is full")) }),
            Err(_) => self.sink.send(update),
        }
    }
}

#[tokio::test]
async fn a_failed_send_is_tried_again_after_a_jittered_pause() {
    let hooks = Hooks::default();
    let attempts = Arc::new(Mutex::new(Vec::new()));
    let (telemetry, tried) = (hooks.clone(), attempts.clone());
    let heard = heard_of(json!({}), move |client, context| {
        let (telemetry, tried) = (Arc::new(telemetry.clone()), tried.clone());
        async move {
            let sink = Failing {
                sink: client.progress_sink().unwrap(),
                failures: AtomicU32::new(3),
                attempts: tried,
            };
            let reporter = ProgressReporter::builder(sink)
                .token(context.progress_token())
                .retry_delay(Duration::from_millis(40)..=Duration::from_millis(120))
                .telemetry(telemetry)
                .build()
                .unwrap();
            reporter.total(2).unwrap();
            reporter.set(1).unwrap();
            // What is newest by then goes out.
            tokio::time::sleep(Duration::from_millis(20)).await;
            reporter.set(2).unwrap();
            // The end of an operation would have attempts of its own, and wait for no pause.
            while reporter.counts().emitted < 1 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let counts = reporter.finish().await.unwrap();
            assert_eq!((counts.retries, counts.emitted, counts.merged), (3, 1, 1));
        }
    })
    .await;
    assert_eq!(values(&heard), [2.0]);
    let emitted = hooks.emitted.lock().unwrap();
    let told: Vec<_> = emitted
        .iter()
        .map(|entry| (entry.value, entry.attempts, entry.sent))
        .collect();
    assert_eq!(told, [(2.0, 4, true)]);
    let attempts = attempts.lock().unwrap();
    assert_eq!(attempts.len(), 4);
    for pair in attempts.windows(2) {
        let pause = pair[1] - pair[0];
        assert!(pause >= Duration::from_millis(39), "{pause:?}");
    }
}

#[tokio::test]
async fn a_send_that_never_works_is_given_up_and_told() {
    let hooks = Hooks::default();
    let telemetry = hooks.clone();
    let heard = heard_of(json!({}), move |client, context| {
        let telemetry = Arc::new(telemetry.clone());
        async move {
            let sink = Failing {
                sink: client.progress_sink().unwrap(),
                failures: AtomicU32::new(u32::MAX),
                attempts: Arc::default(),
            };
            let reporter = ProgressReporter::builder(sink)
                .token(context.progress_token())
                .retry_delay(Duration::from_millis(1)..=Duration::from_millis(5))
                .attempts(3)
                .telemetry(telemetry)
                .build()
                .unwrap();
            reporter.set(1).unwrap();
            let error = reporter.finish().await.unwrap_err();
            assert_eq!(
                error,
                ReporterError::Undelivered("the pipe is full".to_owned())
            );
        }
    })
    .await;
    assert_eq!(heard, []);
    let emitted = hooks.emitted.lock().unwrap();
    assert_eq!(emitted.len(), 1);
    assert_eq!((emitted[0].attempts, emitted[0].sent), (3, false));
    let closed = hooks.closed.lock().unwrap();
    assert_eq!(
        (closed[0].counts.emitted, closed[0].counts.given_up),
        (0, 1)
    );
}

/// The first Python SDK is not alone: that of TypeScript hears a reporter, too.
#[tokio::test]
async fn another_sdk_hears_the_same() {
    let peer = Peer::node("hermes.mjs");
    let notes = peer.notes();
    let heard = notes.clone();
    let client = peer
        .connect()
        .on_sampling(move |_, context| {
            let notes = heard.clone();
            async move {
                let reporter = context
                    .reporter_with(|builder| builder.emit_hz(0.0))
                    .unwrap();
                for step in reporter.wrap(1..=5) {
                    reporter.message(format!("step {step}")).unwrap();
                }
                reporter.finish().await.unwrap();
                // It forgets its callback with the answer, before it calls it for what it read right before that.
                notes.wait_for("heard", 5).await;
                Ok(CreateMessageResult::text("model", "Hello."))
            }
        })
        .await
        .unwrap();
    let result = client
        .call_tool("listen", json!({"kind": "sampling"}))
        .await;
    let heard: Value = serde_json::from_str(&result.unwrap().as_text().unwrap()).unwrap();
    let step = |step| json!({"progress": step, "total": 5, "message": format!("step {step}")});
    assert_eq!(heard, (1..=5).map(step).collect::<Value>());
    client.close().await;
}
