//! Parts of an operation: what entering, working in and leaving one sends.
//!
//! Owns the arithmetic of shares as a user sees it.

use mcp_progress::ProgressReporter;
use mcp_progress::reporter::ReporterError;

use super::recorder::{Recorder, pass};
use crate::peer::settle;

/// Value, total and message of all that arrived.
type Rows<'a> = &'a [(f64, Option<f64>, Option<&'a str>)];

fn each() -> (ProgressReporter, Recorder) {
    Recorder::reporter(|builder| builder.emit_hz(0.0))
}

async fn assert_received(recorder: &Recorder, expected: Rows<'_>) {
    settle().await;
    let received = recorder.received();
    let seen: Vec<_> = received
        .iter()
        .map(|update| (update.value, update.total, update.message.as_deref()))
        .collect();
    assert_eq!(seen, expected);
}

fn after(value: f64) -> f64 {
    value + value.abs().max(1.0) * f64::EPSILON
}

#[tokio::test(start_paused = true)]
async fn a_phase_sends_its_name_its_steps_and_its_end() {
    let (reporter, recorder) = each();
    reporter.total(1_000).expect("grows");
    let deleting = reporter.phase("Deleting", 0.1..0.9).total(4);
    deleting.advance(1).expect("rises");
    deleting.set(3).expect("rises");
    deleting.leave().expect("open");
    let total = Some(1_000.0);
    assert_received(
        &recorder,
        &[
            (100.0, total, Some("Deleting")),
            (300.0, total, None),
            (700.0, total, None),
            (900.0, total, None),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn without_a_total_values_are_fractions() {
    let (reporter, recorder) = each();
    {
        let first = reporter.phase("First", 0.0..0.5);
        first.set(0.5).expect("rises");
        // Left by dropping.
    }
    settle().await;
    let second = reporter.phase("Second", 0.5..1.0).total(2);
    second.advance(1).expect("rises");
    reporter.finish().await.expect("sent");
    drop(second);
    let total = Some(1.0);
    assert_received(
        &recorder,
        &[
            (0.0, total, Some("First")),
            (0.25, total, None),
            (0.5, total, None),
            // The value was there already: the name has one of its own.
            (after(0.5), total, Some("Second")),
            (0.75, total, None),
            (1.0, total, None),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_name_is_not_held_up_by_the_end_of_the_phase_before() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    drop(reporter.phase("First", 0.0..0.5));
    drop(reporter.phase("Second", 0.5..0.6));
    let third = reporter.phase("Third", 0.6..1.0);
    pass(1_000).await;
    // All at once: one update for the first moment, which has the newest name.
    assert_received(&recorder, &[(0.6, Some(1.0), Some("Third"))]).await;
    drop(third);
    pass(1_000).await;
    let fourth = reporter.phase("Fourth", 1.0..1.0);
    pass(1_000).await;
    let nudged = after(1.0);
    assert_received(
        &recorder,
        &[
            (0.6, Some(1.0), Some("Third")),
            (1.0, Some(1.0), None),
            (nudged, Some(nudged), Some("Fourth")),
        ],
    )
    .await;
    drop(fourth);
}

#[tokio::test(start_paused = true)]
async fn phases_nest() {
    let (reporter, recorder) = each();
    let outer = reporter.phase("Outer", 0.0..0.5);
    let inner = outer.phase("Inner", 0.5..1.0).total(10);
    inner.set(5).expect("rises");
    inner.leave().expect("open");
    outer.leave().expect("open");
    let total = Some(1.0);
    assert_received(
        &recorder,
        &[
            (0.0, total, Some("Outer")),
            (0.25, total, Some("Inner")),
            (0.375, total, None),
            (0.5, total, None),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn the_figures_of_a_phase_have_rules_of_their_own() {
    let (reporter, recorder) = each();
    let phase = reporter.phase("Work", 0.0..1.0).total(10);
    phase.set(5).expect("rises");
    assert!(matches!(phase.set(4), Err(ReporterError::Regress { .. })));
    assert!(phase.set(f64::NAN).is_err());
    assert!(phase.set_total(9).is_err());
    phase.set_total(20).expect("grows");
    phase
        .set(6)
        .expect("rises, though its share is smaller than before");
    phase.set(11).expect("rises");
    phase.set(99).expect("beyond its end it stays there");
    let total = Some(1.0);
    assert_received(
        &recorder,
        &[
            (0.0, total, Some("Work")),
            (0.5, total, None),
            (0.55, total, None),
            (1.0, total, None),
        ],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_phase_that_cannot_begin_says_so_and_moves_nothing() {
    let (reporter, recorder) = each();
    for share in [-0.1..0.5, 0.5..1.1, 0.0..f64::NAN] {
        let phase = reporter.phase("Bad", share);
        assert!(matches!(phase.set(1), Err(ReporterError::BadPhase(_))));
        assert!(matches!(phase.leave(), Err(ReporterError::BadPhase(_))));
    }
    // Backwards on purpose.
    let backwards = std::ops::Range {
        start: 0.5,
        end: 0.1,
    };
    let phase = reporter.phase("Bad", backwards);
    assert!(matches!(
        phase.phase("Inner", 0.0..1.0).advance(1),
        Err(ReporterError::BadPhase(_))
    ));
    drop(phase);
    assert!(reporter.phase("x", 0.0..1.0).total(-1).advance(0).is_err());
    settle().await;
    assert_eq!(recorder.values().last(), Some(&1.0), "left by dropping");

    let (counted, second) = each();
    counted.set(50).expect("rises");
    let phase = counted.phase("Late", 0.0..1.0);
    assert!(matches!(phase.advance(1), Err(ReporterError::BadPhase(_))));
    drop(phase);
    settle().await;
    assert_eq!(second.values(), [50.0]);
}

#[tokio::test(start_paused = true)]
async fn a_phase_ends_with_its_operation_and_keeps_it_open() {
    let (reporter, recorder) = each();
    let phase = reporter.phase("Work", 0.0..0.5);
    reporter.fail("no disk").await.expect("sent");
    assert_eq!(phase.set(1), Err(ReporterError::Finished));
    assert_eq!(phase.leave(), Err(ReporterError::Finished));
    let late = reporter.phase("Late", 0.5..1.0);
    assert_eq!(late.advance(1), Err(ReporterError::Finished));
    assert_eq!(recorder.values().len(), 2);

    let (reporter, recorder) = each();
    let phase = reporter.phase("Work", 0.0..0.5);
    drop(reporter);
    phase.set(0.5).expect("the phase is a handle too");
    drop(phase);
    settle().await;
    assert_eq!(recorder.values(), [0.0, 0.25, 0.5]);
}
