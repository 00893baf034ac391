//! Iterators and streams that report their items.
//!
//! Owns when an item counts as done.

use futures::StreamExt;
use futures::stream;
use mcp_progress::reporter::ReporterError;

use super::recorder::{Recorder, pass};
use crate::peer::settle;

#[tokio::test(start_paused = true)]
async fn an_item_is_done_when_the_next_one_is_asked_for() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder.emit_hz(0.0));
    let mut items = reporter.wrap(["a", "b", "c"]);
    assert_eq!(items.len(), 3);
    assert_eq!(items.next(), Some("a"));
    settle().await;
    assert_eq!(recorder.values(), [0.0_f64; 0]);
    assert_eq!(items.next(), Some("b"));
    settle().await;
    assert_eq!(recorder.values(), [1.0]);
    assert_eq!(items.by_ref().count(), 1);
    assert_eq!(items.next(), None);
    settle().await;
    assert_eq!(recorder.values(), [1.0, 2.0, 3.0]);
    assert!(
        recorder
            .received()
            .iter()
            .all(|update| update.total == Some(3.0))
    );
}

#[tokio::test(start_paused = true)]
async fn a_total_that_is_known_stays() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder.emit_hz(0.0));
    reporter.total(10).expect("grows");
    reporter.set(5).expect("rises");
    for _ in reporter.wrap(0..3) {}
    for _ in reporter.wrap((0..9).filter(|number| number % 2 == 0).take(1)) {}
    settle().await;
    assert_eq!(recorder.values(), [5.0, 6.0, 7.0, 8.0, 9.0]);
    assert!(
        recorder
            .received()
            .iter()
            .all(|update| update.total == Some(10.0))
    );

    let (reporter, recorder) = Recorder::reporter(|builder| builder.emit_hz(0.0));
    reporter.set(5).expect("rises");
    for _ in reporter.wrap(0..2) {}
    settle().await;
    let last = recorder.received().pop().expect("two items");
    assert_eq!((last.value, last.total), (7.0, Some(7.0)));
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_operation_does_not_end_the_work() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder.emit_hz(0.0));
    let mut items = reporter.wrap(0..4);
    items.next();
    items.next();
    reporter.finish().await.expect("sent");
    assert_eq!(items.count(), 2);
    settle().await;
    assert_eq!(recorder.values(), [1.0, 4.0]);
    assert_eq!(reporter.set(9), Err(ReporterError::Finished));
}

#[tokio::test(start_paused = true)]
async fn a_stream_counts_too_and_in_a_phase() {
    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    {
        let phase = reporter.phase("Reading", 0.0..0.5);
        let slow = stream::iter(1..=4).filter_map(|number| async move {
            pass(1_000).await;
            Some(number)
        });
        let seen: Vec<i32> = phase.wrap_stream(slow).collect().await;
        assert_eq!(seen, [1, 2, 3, 4]);
    }
    settle().await;
    // The length is not known, so that an item is the whole of the share.
    assert_eq!(recorder.values(), [0.0, 0.5]);

    let (reporter, recorder) = Recorder::reporter(|builder| builder);
    let phase = reporter.phase("Reading", 0.0..0.5);
    let mut items = phase.wrap_stream(stream::iter(1..=4));
    while items.next().await.is_some() {
        pass(1_000).await;
    }
    pass(1_000).await;
    assert_eq!(recorder.values(), [0.0, 0.125, 0.25, 0.375, 0.5]);
}
