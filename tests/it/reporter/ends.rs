//! Sends that fail, sinks that are slow, handles that go, tokens that are missing, and going on after a restart.
//!
//! Owns what is not a matter of which values go out.

use std::time::Duration;

use mcp_progress::reporter::{ReporterError, SinkError, Snapshot, default_config};
use mcp_progress::{ProgressReporter, ProgressToken};

use super::recorder::{Recorder, pass};
use crate::peer::{now, settle};

fn busy(count: usize) -> impl Iterator<Item = SinkError> {
    std::iter::repeat_n(SinkError::transient("busy"), count)
}

#[tokio::test(start_paused = true)]
async fn a_send_that_fails_is_tried_again_with_what_is_newest() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    recorder.fail_next(busy(3));
    reporter.set(1).expect("rises");
    reporter.message("a").expect("open");
    settle().await;
    reporter.set(2).expect("rises");
    pass(2_000).await;
    let attempts = recorder.attempts();
    assert_eq!(attempts.len(), 4, "{attempts:?}");
    for pair in attempts.windows(2) {
        let pause = pair[1] - pair[0];
        assert!((100..=501).contains(&pause), "{attempts:?}");
    }
    let received = recorder.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].value, 2.0);
    assert_eq!(received[0].message.as_deref(), Some("a"));
    let counts = reporter.finish().await.expect("all was sent");
    assert_eq!((counts.accepted, counts.emitted, counts.merged), (2, 1, 1));
    assert_eq!((counts.retries, counts.given_up), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_a_send_fails_takes_its_place() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    recorder.take_time(Duration::from_millis(50));
    recorder.fail_next(busy(1));
    reporter.set(1).expect("rises");
    reporter.message("a").expect("open");
    pass(10).await;
    reporter.set(2).expect("rises");
    pass(1_000).await;
    let received = recorder.received();
    assert_eq!(received.len(), 1, "{received:?}");
    assert_eq!(received[0].value, 2.0);
    assert_eq!(received[0].message.as_deref(), Some("a"));
    let counts = reporter.finish().await.expect("all was sent");
    assert_eq!((counts.accepted, counts.emitted, counts.merged), (2, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn pauses_before_another_attempt_differ() {
    let mut pauses = Vec::new();
    for _ in 0..20 {
        let (reporter, recorder) = Recorder::reporter(|builder| builder);
        recorder.fail_next(busy(1));
        reporter.set(1).expect("rises");
        pass(1_000).await;
        let attempts = recorder.attempts();
        pauses.push(attempts[1] - attempts[0]);
    }
    pauses.sort_unstable();
    pauses.dedup();
    // Twenty of 400 milliseconds are the same with a chance of 400^-19.
    assert!(pauses.len() > 1, "{pauses:?}");
}

#[tokio::test(start_paused = true)]
async fn after_the_last_attempt_an_update_is_given_up_and_told() {
    let (reporter, recorder) = Recorder::reporter(|builder| {
        let pause = Duration::from_millis(10);
        builder.attempts(3).retry_delay(pause..=pause)
    });
    recorder.fail_next(busy(3));
    reporter.set(1).expect("rises");
    pass(1_000).await;
    assert_eq!(recorder.attempts(), [0, 10, 20]);
    assert_eq!(reporter.counts().given_up, 1);
    reporter
        .set(2)
        .expect("a later value has attempts of its own");
    settle().await;
    assert_eq!(recorder.values(), [2.0]);
    recorder.fail_next(busy(3));
    pass(1_000).await;
    reporter.set(3).expect("rises");
    let ended = reporter.finish().await;
    assert_eq!(ended, Err(ReporterError::Undelivered("busy".to_owned())));
    let counts = reporter.counts();
    assert_eq!((counts.accepted, counts.emitted), (3, 1));
    assert_eq!((counts.given_up, counts.retries), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_text_survives_the_update_that_was_given_up() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder.attempts(1));
    recorder.fail_next(busy(1));
    reporter.set(1).expect("rises");
    reporter.message("a").expect("open");
    settle().await;
    reporter.set(2).expect("rises");
    settle().await;
    assert_eq!(recorder.received()[0].message.as_deref(), Some("a"));
}

#[tokio::test(start_paused = true)]
async fn a_sink_that_will_never_work_is_asked_once() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    recorder.fail_next([SinkError::permanent("gone")]);
    reporter.set(1).expect("rises");
    let ended = reporter.finish().await;
    assert_eq!(ended, Err(ReporterError::Undelivered("gone".to_owned())));
    assert_eq!(recorder.attempts(), [0]);
}

#[tokio::test(start_paused = true)]
async fn the_end_does_not_wait_for_the_pause_of_another_attempt() {
    let (reporter, recorder) = Recorder::reporter(|builder| {
        let pause = Duration::from_secs(60);
        builder.attempts(2).retry_delay(pause..=pause)
    });
    recorder.fail_next(busy(1));
    reporter.set(1).expect("rises");
    pass(10).await;
    reporter
        .finish()
        .await
        .expect("the last attempt is one of its own");
    assert_eq!(recorder.attempts(), [0, 10]);
}

#[tokio::test(start_paused = true)]
async fn an_interval_begins_when_the_sink_is_done() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    recorder.take_time(Duration::from_millis(300));
    for value in 1..=20 {
        reporter.set(value).expect("rises");
        pass(100).await;
    }
    // Received at its end: 300, then 125 of interval and 300 of sending each time.
    let at: Vec<u64> = recorder.received().iter().map(|update| update.at).collect();
    assert_eq!(at, [300, 725, 1_150, 1_575, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn clones_report_on_one_operation_and_the_last_one_ends_it() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    let clone = reporter.clone();
    clone.set(1).expect("rises");
    settle().await;
    reporter.set(2).expect("rises");
    drop(clone);
    settle().await;
    assert_eq!(recorder.values(), [1.0], "held: another handle is left");
    drop(reporter);
    settle().await;
    assert_eq!(recorder.values(), [1.0, 2.0]);
}

#[tokio::test(start_paused = true)]
async fn the_operation_ends_with_the_call_not_with_waiting() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    reporter.set(1).expect("rises");
    drop(reporter.finish());
    assert_eq!(reporter.set(2), Err(ReporterError::Finished));
    settle().await;
    assert_eq!(recorder.values(), [1.0]);
    assert_eq!(reporter.finish().await, Err(ReporterError::Finished));
}

#[tokio::test(start_paused = true)]
async fn a_reporter_needs_a_token_or_does_nothing() {
    let recorder = Recorder::new();
    let refused = ProgressReporter::new(recorder.clone(), None);
    assert_eq!(refused.err(), Some(ReporterError::MissingToken));
    let noop = ProgressReporter::builder(recorder.clone())
        .or_noop()
        .build();
    let noop = noop.expect("does nothing");
    assert!(noop.is_noop() && noop.token().is_none() && noop.snapshot().is_none());
    noop.set(2).expect("does nothing");
    noop.set(1).expect("refuses nothing");
    let phase = noop.phase("x", 7.0..9.0);
    assert_eq!(phase.set(1).err(), None, "refuses nothing");
    drop(phase);
    assert_eq!(noop.wrap([1, 2, 3]).count(), 3);
    noop.finish().await.expect("does nothing");
    noop.set(1).expect("does nothing");
    let tokened = ProgressReporter::builder(recorder.clone())
        .token(ProgressToken::from("t"))
        .or_noop()
        .build();
    assert!(!tokened.expect("has a token").is_noop());
    settle().await;
    assert_eq!(recorder.attempts(), [0_u64; 0]);
}

#[test]
fn a_reporter_needs_a_runtime() {
    let recorder = Recorder::new();
    let refused = ProgressReporter::new(recorder.clone(), Some(ProgressToken::from("t")));
    assert_eq!(refused.err(), Some(ReporterError::NoRuntime));
    let noop = ProgressReporter::builder(recorder.clone())
        .or_noop()
        .build();
    assert!(noop.expect("does nothing").is_noop());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("builds");
    let reporter = ProgressReporter::builder(recorder.clone())
        .token(ProgressToken::from("t"))
        .runtime(runtime.handle().clone())
        .build()
        .expect("names a runtime");
    reporter.set(1).expect("rises");
    let ended = runtime.block_on(reporter.finish());
    assert_eq!(ended.expect("sent").emitted, 1);
    // A runtime that is gone before the end is told.
    let second = ProgressReporter::builder(recorder)
        .token(ProgressToken::from("t"))
        .runtime(runtime.handle().clone())
        .build()
        .expect("names a runtime");
    drop(runtime);
    let ended = crate::peer::block_on(second.finish());
    assert!(matches!(ended, Err(ReporterError::Undelivered(_))));
}

#[tokio::test(start_paused = true)]
async fn whoever_starts_no_tasks_polls_the_driver() {
    let recorder = Recorder::new();
    let builder = ProgressReporter::builder(recorder.clone()).token(ProgressToken::from("t"));
    let (reporter, driver) = builder.build_with_driver().expect("has a token");
    reporter.set(1).expect("rises");
    settle().await;
    assert_eq!(recorder.values(), [0.0_f64; 0], "nobody polls");
    let ((), ended) = tokio::join!(driver, async {
        let ended = reporter.finish().await;
        drop(reporter);
        ended
    });
    assert_eq!(ended.expect("sent").emitted, 1);
    assert_eq!(recorder.values(), [1.0]);
}

#[tokio::test(start_paused = true)]
async fn progress_survives_a_restart() {
    let (reporter, _recorder) = Recorder::reporter(|builder| builder);
    reporter.total(10).expect("grows");
    reporter.set(4).expect("rises");
    settle().await;
    reporter.message("five").expect("open");
    let kept = reporter.snapshot().expect("it does something");
    let text = serde_json::to_string(&kept).expect("serialises");
    drop(reporter);
    settle().await;

    let read: Snapshot = serde_json::from_str(&text).expect("reads back");
    assert_eq!(read, kept);
    let second = Recorder::new();
    let resumed = ProgressReporter::builder(second.clone()).resume(read.clone());
    let resumed = resumed.build().expect("has the snapshot's token");
    assert_eq!(resumed.token(), Some(&ProgressToken::from("t")));
    pass(1_000).await;
    assert_eq!(
        second.values(),
        [0.0_f64; 0],
        "the listener knows this value"
    );
    assert!(resumed.set(3).is_err(), "it was further before");
    resumed.advance(1).expect("rises");
    settle().await;
    let received = second.received();
    assert_eq!((received[0].value, received[0].total), (5.0, Some(10.0)));
    assert_eq!(received[0].message.as_deref(), Some("five"));

    // Somebody who asks anew gets the value at once.
    let mut other = read.clone();
    other.token = ProgressToken::from("another");
    let third = Recorder::new();
    let asked = third.report(|builder| builder.resume(other));
    settle().await;
    assert_eq!(third.values(), [4.0]);
    drop(asked);

    let mut broken = read;
    broken.total = Some(-1.0);
    let refused = ProgressReporter::builder(third).resume(broken).build();
    assert!(matches!(
        refused.err(),
        Some(ReporterError::NotANumber { .. })
    ));
}

#[tokio::test(start_paused = true)]
async fn options_that_make_no_sense_are_refused() {
    let refused = ProgressReporter::builder(Recorder::new())
        .token(ProgressToken::from("t"))
        .emit_hz(-1.0)
        .build();
    assert!(matches!(refused.err(), Some(ReporterError::BadConfig(_))));
    let refused = mcp_progress::reporter::set_default_config(default_config().attempts(0));
    assert!(matches!(refused, Err(ReporterError::BadConfig(_))));
}

/// Steps of eight tasks on two threads, none lost: the last value is their sum, and what arrives rises strictly.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_from_many_threads_add_up() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder.emit_hz(0.0));
    let begun = now();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let reporter = reporter.clone();
            crate::peer::spawn(async move {
                for _ in 0..1_000 {
                    reporter.advance(1).expect("rises");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("does not panic");
    }
    let counts = reporter.finish().await.expect("sent");
    let values = recorder.values();
    assert!(values.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(values.last(), Some(&8_000.0));
    assert_eq!(counts.accepted, 8_000);
    assert_eq!(counts.emitted + counts.merged, 8_000);
    assert!(begun.elapsed() < Duration::from_secs(60));
}
