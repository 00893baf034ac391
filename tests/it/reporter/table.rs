//! Each rule of sending as a row: options, calls with the time between them, and what arrives when.
//!
//! Owns the table. The player at the end knows no rule.

use mcp_progress::ProgressReporter;
use mcp_progress::reporter::{ReporterBuilder, ReporterError};

use super::recorder::{Received, Recorder, pass};
use crate::peer::settle;

enum Call {
    Set(f64),
    Advance(f64),
    Message(&'static str),
    Total(f64),
    Pass(u64),
    /// The call before this one was an error, of this kind.
    Refused(fn(&ReporterError) -> bool),
    Finish,
    Fail(&'static str),
    Drop,
}

use Call::{Advance, Drop, Fail, Finish, Message, Pass, Refused, Set, Total};

struct Row {
    rule: &'static str,
    options: fn(ReporterBuilder) -> ReporterBuilder,
    calls: Vec<Call>,
    /// At which millisecond, value, total, message.
    arrives: Vec<(u64, f64, Option<f64>, Option<&'static str>)>,
}

/// The number that follows `value` where a text must not be lost.
fn after(value: f64) -> f64 {
    value + value.abs().max(1.0) * f64::EPSILON
}

fn plain(builder: ReporterBuilder) -> ReporterBuilder {
    builder
}

fn each(builder: ReporterBuilder) -> ReporterBuilder {
    builder.emit_hz(0.0)
}

const fn is_regress(error: &ReporterError) -> bool {
    matches!(error, ReporterError::Regress { .. })
}

const fn is_number(error: &ReporterError) -> bool {
    matches!(error, ReporterError::NotANumber { .. })
}

const fn is_finished(error: &ReporterError) -> bool {
    matches!(error, ReporterError::Finished)
}

const fn is_shrinking(error: &ReporterError) -> bool {
    matches!(error, ReporterError::TotalShrinks { .. })
}

fn values() -> Vec<Row> {
    vec![
        Row {
            rule: "the first goes out at once, also at zero",
            options: plain,
            calls: vec![Set(0.0), Pass(1)],
            arrives: vec![(0, 0.0, None, None)],
        },
        Row {
            rule: "a regress is an error and nothing goes out; the figures stay",
            options: each,
            calls: vec![
                Set(5.0),
                Set(4.0),
                Refused(is_regress),
                Advance(-1.0),
                Refused(is_regress),
                Advance(1.0),
                Pass(1),
            ],
            arrives: vec![(0, 5.0, None, None), (0, 6.0, None, None)],
        },
        Row {
            rule: "the same value is no error and says nothing",
            options: each,
            calls: vec![Set(5.0), Pass(1), Set(5.0), Advance(0.0), Pass(1_000)],
            arrives: vec![(0, 5.0, None, None)],
        },
        Row {
            rule: "what is no finite number is an error",
            options: each,
            calls: vec![
                Set(f64::NAN),
                Refused(is_number),
                Set(f64::INFINITY),
                Refused(is_number),
                Advance(f64::NEG_INFINITY),
                Refused(is_number),
                Total(f64::NAN),
                Refused(is_number),
                Total(-1.0),
                Refused(is_number),
                Pass(1_000),
                Finish,
            ],
            arrives: vec![],
        },
        Row {
            rule: "advance counts from zero",
            options: each,
            calls: vec![Advance(0.5), Advance(0.5), Pass(1)],
            arrives: vec![(0, 0.5, None, None), (0, 1.0, None, None)],
        },
        Row {
            rule: "a total may appear and grow, not shrink",
            options: each,
            calls: vec![
                Set(1.0),
                Pass(1),
                Total(10.0),
                Set(2.0),
                Pass(1),
                Total(20.0),
                Set(3.0),
                Pass(1),
                Total(19.0),
                Refused(is_shrinking),
                Pass(1_000),
            ],
            arrives: vec![
                (0, 1.0, None, None),
                (1, 2.0, Some(10.0), None),
                (2, 3.0, Some(20.0), None),
            ],
        },
        Row {
            rule: "a total that comes while a value is held goes along",
            options: plain,
            calls: vec![Set(1.0), Pass(1), Set(2.0), Total(9.0), Pass(200)],
            arrives: vec![(0, 1.0, None, None), (125, 2.0, Some(9.0), None)],
        },
    ]
}

fn pacing() -> Vec<Row> {
    vec![
        Row {
            rule: "a burst is coalesced to 8 a second, and the held value needs no other call",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(1),
                Set(2.0),
                Set(3.0),
                Pass(50),
                Set(4.0),
                Pass(1_000),
            ],
            arrives: vec![(0, 1.0, None, None), (125, 4.0, None, None)],
        },
        Row {
            rule: "behind a pause there is nothing to wait for",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(300),
                Set(2.0),
                Pass(1),
                Set(3.0),
                Pass(1_000),
            ],
            arrives: vec![
                (0, 1.0, None, None),
                (300, 2.0, None, None),
                (425, 3.0, None, None),
            ],
        },
        Row {
            rule: "emit_hz is settable",
            options: |builder| builder.emit_hz(2.0),
            calls: vec![Set(1.0), Pass(1), Set(2.0), Pass(498), Set(3.0), Pass(2)],
            arrives: vec![(0, 1.0, None, None), (500, 3.0, None, None)],
        },
        Row {
            rule: "with 0 each goes out",
            options: each,
            calls: vec![Set(1.0), Set(2.0), Message("x"), Set(3.0), Pass(1)],
            arrives: vec![
                (0, 1.0, None, None),
                (0, 2.0, None, Some("x")),
                (0, 3.0, None, None),
            ],
        },
        Row {
            rule: "less than min_change waits for more, but the last does not",
            options: |builder| builder.emit_hz(0.0).min_change(0.01),
            calls: vec![
                Total(1_000.0),
                Set(1.0),
                Pass(1),
                Set(5.0),
                Pass(500),
                Set(10.9),
                Pass(500),
                Set(11.0),
                Pass(500),
                Set(15.0),
                Pass(499),
                Drop,
            ],
            arrives: vec![
                (0, 1.0, Some(1_000.0), None),
                (1_001, 11.0, Some(1_000.0), None),
                (2_000, 15.0, Some(1_000.0), None),
            ],
        },
        Row {
            rule: "min_change and emit_hz together; the total reached is worth an update",
            options: |builder| builder.min_change(0.5),
            calls: vec![
                Total(10.0),
                Set(1.0),
                Pass(10),
                Set(6.0),
                Set(7.0),
                Pass(290),
                Set(9.0),
                Pass(300),
                Set(10.0),
                Pass(300),
            ],
            arrives: vec![
                (0, 1.0, Some(10.0), None),
                (125, 7.0, Some(10.0), None),
                (600, 10.0, Some(10.0), None),
            ],
        },
    ]
}

fn messages() -> Vec<Row> {
    vec![
        Row {
            rule: "a message goes out with the next value",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(200),
                Message("a"),
                Message("b"),
                Pass(1_000),
                Set(2.0),
                Pass(1),
            ],
            arrives: vec![(0, 1.0, None, None), (1_200, 2.0, None, Some("b"))],
        },
        Row {
            rule: "a message before the first value waits for it",
            options: plain,
            calls: vec![Message("a"), Pass(500), Set(0.0), Pass(1)],
            arrives: vec![(500, 0.0, None, Some("a"))],
        },
        Row {
            rule: "a value that is held takes the message along",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(1),
                Set(2.0),
                Message("a"),
                Set(3.0),
                Pass(200),
            ],
            arrives: vec![(0, 1.0, None, None), (125, 3.0, None, Some("a"))],
        },
        Row {
            rule: "on finish a message goes out with the total",
            options: plain,
            calls: vec![
                Total(3.0),
                Set(1.0),
                Pass(200),
                Message("a"),
                Pass(100),
                Finish,
            ],
            arrives: vec![(0, 1.0, Some(3.0), None), (300, 3.0, Some(3.0), Some("a"))],
        },
        Row {
            rule: "at the total, with the next larger number, and so the total",
            options: plain,
            calls: vec![Total(3.0), Set(3.0), Pass(200), Message("a"), Finish],
            arrives: vec![
                (0, 3.0, Some(3.0), None),
                (200, after(3.0), Some(after(3.0)), Some("a")),
            ],
        },
        Row {
            rule: "without a total, with the next larger number",
            options: plain,
            calls: vec![Set(7.0), Pass(200), Message("a"), Finish],
            arrives: vec![(0, 7.0, None, None), (200, after(7.0), None, Some("a"))],
        },
        Row {
            rule: "allow_equal: a message goes out with the value before",
            options: |builder| builder.allow_equal(true),
            calls: vec![
                Set(7.0),
                Pass(1),
                Message("a"),
                Pass(200),
                Message("b"),
                Finish,
            ],
            arrives: vec![
                (0, 7.0, None, None),
                (125, 7.0, None, Some("a")),
                (201, 7.0, None, Some("b")),
            ],
        },
        Row {
            rule: "allow_equal: so do a total and the same value",
            options: |builder| builder.allow_equal(true).emit_hz(0.0),
            calls: vec![Set(7.0), Pass(1), Total(9.0), Pass(1), Set(7.0), Pass(1)],
            arrives: vec![
                (0, 7.0, None, None),
                (1, 7.0, Some(9.0), None),
                (2, 7.0, Some(9.0), None),
            ],
        },
    ]
}

fn ends() -> Vec<Row> {
    vec![
        Row {
            rule: "finish sends what is held at once, and nothing comes after it",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(10),
                Set(2.0),
                Finish,
                Set(3.0),
                Refused(is_finished),
                Advance(1.0),
                Refused(is_finished),
                Message("late"),
                Refused(is_finished),
                Total(9.0),
                Refused(is_finished),
                Fail("late"),
                Refused(is_finished),
                Pass(1_000),
            ],
            arrives: vec![(0, 1.0, None, None), (10, 2.0, None, None)],
        },
        Row {
            rule: "finish comes to the total",
            options: plain,
            calls: vec![Total(3.0), Set(1.0), Pass(10), Finish, Pass(1_000)],
            arrives: vec![(0, 1.0, Some(3.0), None), (10, 3.0, Some(3.0), None)],
        },
        Row {
            rule: "finish without anything to say says nothing",
            options: plain,
            calls: vec![Finish, Pass(1_000)],
            arrives: vec![],
        },
        Row {
            rule: "paced_end: the last waits for its interval too",
            options: |builder| builder.paced_end(true),
            calls: vec![Set(1.0), Pass(10), Set(2.0), Finish],
            arrives: vec![(0, 1.0, None, None), (125, 2.0, None, None)],
        },
        Row {
            rule: "fail sends its text with the value that is held",
            options: plain,
            calls: vec![Total(9.0), Set(1.0), Pass(10), Set(2.0), Fail("no disk")],
            arrives: vec![
                (0, 1.0, Some(9.0), None),
                (10, 2.0, Some(9.0), Some("no disk")),
            ],
        },
        Row {
            rule: "fail sends its text in any case",
            options: plain,
            calls: vec![Total(9.0), Set(1.0), Pass(10), Fail("no disk"), Pass(1_000)],
            arrives: vec![
                (0, 1.0, Some(9.0), None),
                (10, after(1.0), Some(9.0), Some("no disk")),
            ],
        },
        Row {
            rule: "fail before any value",
            options: plain,
            calls: vec![Fail("no disk")],
            arrives: vec![(0, 0.0, None, Some("no disk"))],
        },
        Row {
            rule: "drop sends what is held, in the background",
            options: plain,
            calls: vec![
                Set(1.0),
                Pass(10),
                Set(2.0),
                Message("a"),
                Drop,
                Pass(1_000),
            ],
            arrives: vec![(0, 1.0, None, None), (10, 2.0, None, Some("a"))],
        },
        Row {
            rule: "drop before the driver ever ran",
            options: each,
            calls: vec![Set(1.0), Set(2.0), Drop],
            arrives: vec![(0, 1.0, None, None), (0, 2.0, None, None)],
        },
    ]
}

/// Plays one call; an error is what the reporter said of it.
async fn play(call: &Call, reporter: &mut Option<ProgressReporter>) -> Result<(), ReporterError> {
    let open = || reporter.as_ref().expect("not dropped");
    match *call {
        Set(value) => open().set(value),
        Advance(delta) => open().advance(delta),
        Message(text) => open().message(text),
        Total(total) => open().total(total),
        Finish => open().finish().await.map(drop),
        Fail(text) => open().fail(text).await.map(drop),
        Pass(milliseconds) => {
            pass(milliseconds).await;
            Ok(())
        }
        Drop => {
            reporter.take();
            settle().await;
            Ok(())
        }
        Refused(_) => unreachable!("judged by the player"),
    }
}

async fn check(row: Row) {
    let rule = row.rule;
    let (reporter, recorder) = Recorder::reporter(row.options);
    let mut reporter = Some(reporter);
    let mut said = Ok(());
    for call in &row.calls {
        if let Refused(is_expected) = call {
            let error = std::mem::replace(&mut said, Ok(())).expect_err(rule);
            assert!(is_expected(&error), "{rule}: {error}");
            continue;
        }
        assert_eq!(said, Ok(()), "{rule}");
        said = play(call, &mut reporter).await;
    }
    assert_eq!(said, Ok(()), "{rule}");
    settle().await;
    let arrives: Vec<Received> = row
        .arrives
        .into_iter()
        .map(|(at, value, total, message)| Received {
            at,
            value,
            total,
            message: message.map(str::to_owned),
        })
        .collect();
    assert_eq!(recorder.received(), arrives, "{rule}");
}

#[tokio::test(start_paused = true)]
async fn values_rise() {
    for row in values() {
        check(row).await;
    }
}

#[tokio::test(start_paused = true)]
async fn updates_are_paced() {
    for row in pacing() {
        check(row).await;
    }
}

#[tokio::test(start_paused = true)]
async fn messages_are_not_lost() {
    for row in messages() {
        check(row).await;
    }
}

#[tokio::test(start_paused = true)]
async fn operations_end_once() {
    for row in ends() {
        check(row).await;
    }
}
