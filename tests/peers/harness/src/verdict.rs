//! Owns the judging of one run from the JSON lines of the command. Must not know who was called
//! or how the command was run.

use serde_json::Value;

use crate::{process::Outcome, roster::Workload};

/// What one run showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict {
    /// The revision the `start` event names.
    pub negotiated: Option<String>,
    /// Updates before the result, merged ones included.
    pub got: u64,
    /// Updates after the result, merged ones included.
    pub late: u64,
    /// Updates whose sequence number or value does not exceed the one before.
    pub reordered: u64,
    /// Everything else that is wrong, in words. Empty when the run is good.
    pub faults: Vec<String>,
    /// The updates before the result, for those who look closer.
    pub spans: Vec<Span>,
}

/// One update as it was shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first of the server's updates that it stands for, counted from 1.
    pub first: u64,
    /// The last, which gave it its value.
    pub last: u64,
    /// Whether it says that something may be missing before it.
    pub gap: bool,
}

/// All that is wrong with the gap marks of `spans`, if the stream broke after so many updates each
/// time as `breaks` says: the first update after a break is marked, and no other.
#[must_use]
pub fn judge_gaps(spans: &[Span], breaks: &[u64]) -> Vec<String> {
    let mut faults = Vec::new();
    for span in spans {
        let after = |delivered: &u64| (span.first..=span.last).contains(&(delivered + 1));
        if breaks.iter().any(after) != span.gap {
            let word = if span.gap { "a" } else { "no" };
            faults.push(format!(
                "update {} has {word} gap mark, breaks are after {breaks:?}",
                span.last
            ));
        }
    }
    faults
}

/// Judges the lines, the exit code and the deadline of one run.
#[must_use]
pub fn judge(outcome: &Outcome, workload: &Workload) -> Verdict {
    let mut judge = Judge {
        workload,
        verdict: Verdict::default(),
        seen: Seen::default(),
    };
    for line in &outcome.lines {
        judge.line(line);
    }
    judge.end(outcome)
}

/// Whether `line` is an update. For those who wait for one.
#[must_use]
pub fn is_update(line: &str) -> bool {
    serde_json::from_str::<Value>(line).is_ok_and(|event| event["event"] == "progress")
}

/// The `event` of each line that is a last word: `result` or `error`.
#[must_use]
pub fn last_words(lines: &[String]) -> Vec<String> {
    let events = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let names = events.filter_map(|event| event["event"].as_str().map(str::to_owned));
    names
        .filter(|name| name == "result" || name == "error")
        .collect()
}

#[derive(Default)]
struct Seen {
    starts: u32,
    finals: u32,
    token: Value,
    seq: Option<u64>,
    progress: Option<f64>,
}

struct Judge<'a> {
    workload: &'a Workload,
    verdict: Verdict,
    seen: Seen,
}

impl Judge<'_> {
    fn fault(&mut self, fault: String) {
        self.verdict.faults.push(fault);
    }

    fn line(&mut self, line: &str) {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            return self.fault(format!("not JSON: {line}"));
        };
        match event["event"].as_str() {
            Some("start") => self.start(&event),
            Some("progress") => self.progress(&event),
            Some("log") => self.before_the_end("log"),
            Some("result") => self.result(&event),
            Some("error") => {
                self.before_the_end("error");
                self.seen.finals += 1;
                self.fault(format!("error event: {line}"));
            }
            _ => self.fault(format!("unknown event: {line}")),
        }
    }

    /// Late updates have a column of their own; anything else behind the last word is a fault.
    fn before_the_end(&mut self, name: &str) {
        if self.seen.finals > 0 {
            self.fault(format!("a {name} event after the last word"));
        }
    }

    fn start(&mut self, event: &Value) {
        self.before_the_end("start");
        self.seen.starts += 1;
        self.seen.token = event["token"].clone();
        self.verdict.negotiated = event["protocol"].as_str().map(str::to_owned);
    }

    fn progress(&mut self, event: &Value) {
        if self.seen.starts == 0 {
            self.fault("an update before the start event".to_owned());
        }
        if event["token"] != self.seen.token {
            self.fault(format!(
                "token {} is not that of the start event",
                event["token"]
            ));
        }
        let merged = match &event["merged"] {
            Value::Null => 0,
            number => number.as_u64().unwrap_or_else(|| {
                self.fault(format!("merged is {number}"));
                0
            }),
        };
        if self.seen.finals > 0 {
            self.verdict.late += 1 + merged;
        } else {
            let first = self.verdict.got + 1;
            self.verdict.got += 1 + merged;
            self.verdict.spans.push(Span {
                first,
                last: self.verdict.got,
                gap: event["gap"] == true,
            });
        }
        self.order(event);
        self.content(event);
    }

    fn order(&mut self, event: &Value) {
        let (Some(seq), Some(progress)) = (event["seq"].as_u64(), event["progress"].as_f64())
        else {
            return self.fault(format!("no seq or progress in {event}"));
        };
        let behind_seq = self.seen.seq.is_some_and(|last| seq <= last);
        let behind_value = self.seen.progress.is_some_and(|last| progress <= last);
        if behind_seq || behind_value {
            self.verdict.reordered += 1;
        } else {
            self.seen.seq = Some(seq);
            self.seen.progress = Some(progress);
        }
    }

    /// The servers count 1, 2, 3, …: an update that stands for `n` others plus itself must say
    /// how many there were so far, or one was lost or counted twice on the way.
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    fn content(&mut self, event: &Value) {
        let so_far = self.verdict.got + self.verdict.late;
        if event["progress"].as_f64() != Some(so_far as f64) {
            self.fault(format!("update {so_far} says {}", event["progress"]));
        }
        if event["total"].as_f64() != Some(self.workload.updates as f64) {
            self.fault(format!("update {so_far} has total {}", event["total"]));
        }
        if self.workload.messages && event["message"] != format!("step {so_far}") {
            self.fault(format!("update {so_far} has message {}", event["message"]));
        }
    }

    fn result(&mut self, event: &Value) {
        self.before_the_end("result");
        self.seen.finals += 1;
        if event["is_error"] != false {
            self.fault(format!("is_error is {}", event["is_error"]));
        }
        let result = event["result"].to_string();
        if !result.contains(&self.workload.says) {
            self.fault(format!(
                "the result does not say \"{}\": {result}",
                self.workload.says
            ));
        }
    }

    fn end(mut self, outcome: &Outcome) -> Verdict {
        if outcome.overdue {
            self.fault("killed at the deadline".to_owned());
        }
        if outcome.code != Some(0) {
            self.fault(format!("exit code {:?}", outcome.code));
        }
        if self.seen.starts != 1 {
            self.fault(format!("{} start events", self.seen.starts));
        }
        if self.seen.finals != 1 {
            self.fault(format!("{} last words", self.seen.finals));
        }
        self.verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = r#"{"event":"start","token":"t","id":1,"protocol":"2025-11-25"}"#;
    const RESULT: &str = r#"{"event":"result","result":{"content":[{"type":"text","text":"counted 3"}]},"is_error":false}"#;

    fn update(i: u64, seq: u64, merged: u64) -> String {
        let merged = if merged == 0 {
            String::new()
        } else {
            format!(r#","merged":{merged}"#)
        };
        format!(
            r#"{{"event":"progress","token":"t","progress":{i},"total":3,"message":"step {i}","percent":1,"seq":{seq}{merged},"elapsed_ms":2}}"#
        )
    }

    fn judged(lines: &[&str]) -> Verdict {
        judged_as(lines, Some(0), false)
    }

    fn judged_as(lines: &[&str], code: Option<i32>, overdue: bool) -> Verdict {
        let lines = lines.iter().map(|&line| line.to_owned()).collect();
        let workload = Workload {
            call: Vec::new(),
            updates: 3,
            messages: true,
            says: "counted 3".to_owned(),
        };
        judge(
            &Outcome {
                lines,
                code,
                overdue,
                ..Outcome::default()
            },
            &workload,
        )
    }

    fn has(verdict: &Verdict, fault: &str) -> bool {
        verdict.faults.iter().any(|f| f.contains(fault))
    }

    #[test]
    fn a_faithful_run() {
        let log = r#"{"event":"log","level":"info","data":"x"}"#;
        let verdict = judged(&[
            START,
            &update(1, 1, 0),
            log,
            &update(2, 2, 0),
            &update(3, 3, 0),
            RESULT,
        ]);
        let spans = [1, 2, 3].map(|i| Span {
            first: i,
            last: i,
            gap: false,
        });
        let expected = Verdict {
            negotiated: Some("2025-11-25".to_owned()),
            got: 3,
            spans: spans.to_vec(),
            ..Verdict::default()
        };
        assert_eq!(verdict, expected);
    }

    #[test]
    fn merged_updates_count() {
        let verdict = judged(&[START, &update(1, 1, 0), &update(3, 3, 1), RESULT]);
        assert_eq!((verdict.got, verdict.late, verdict.reordered), (3, 0, 0));
        assert_eq!(verdict.faults, [""; 0]);
    }

    #[test]
    fn gap_marks() {
        let marked = update(3, 3, 1).replace("\"seq\"", "\"gap\":true,\"seq\"");
        let verdict = judged(&[START, &update(1, 1, 0), &marked, RESULT]);
        assert_eq!(verdict.faults, [""; 0]);
        let spans: Vec<_> = verdict
            .spans
            .iter()
            .map(|s| (s.first, s.last, s.gap))
            .collect();
        assert_eq!(spans, [(1, 1, false), (2, 3, true)]);
        let judged = |breaks: &[u64]| judge_gaps(&verdict.spans, breaks).len();
        assert_eq!((judged(&[1]), judged(&[2]), judged(&[1, 2, 3])), (0, 0, 0));
        // Marked without a break, and the same with a break that left another update unmarked.
        assert_eq!((judged(&[]), judged(&[3]), judged(&[0])), (1, 1, 2));
    }

    #[test]
    fn a_late_update() {
        let verdict = judged(&[
            START,
            &update(1, 1, 0),
            &update(2, 2, 0),
            RESULT,
            &update(3, 3, 0),
        ]);
        assert_eq!((verdict.got, verdict.late, verdict.reordered), (2, 1, 0));
    }

    #[test]
    fn reordered_values() {
        let verdict = judged(&[
            START,
            &update(1, 1, 0),
            &update(3, 2, 0),
            &update(2, 3, 0),
            RESULT,
        ]);
        assert_eq!((verdict.got, verdict.late, verdict.reordered), (3, 0, 1));
    }

    #[test]
    fn reordered_sequence_numbers_and_repeats() {
        let verdict = judged(&[
            START,
            &update(1, 1, 0),
            &update(2, 3, 0),
            &update(3, 2, 0),
            RESULT,
        ]);
        assert_eq!(verdict.reordered, 1);
        let verdict = judged(&[
            START,
            &update(1, 1, 0),
            &update(1, 1, 0),
            &update(2, 2, 0),
            RESULT,
        ]);
        assert_eq!((verdict.got, verdict.reordered), (3, 1));
        assert!(has(&verdict, "update 2 says 1"), "{verdict:?}");
    }

    #[test]
    fn a_missing_update() {
        let verdict = judged(&[START, &update(1, 1, 0), &update(3, 3, 0), RESULT]);
        assert_eq!((verdict.got, verdict.late, verdict.reordered), (2, 0, 0));
        assert!(has(&verdict, "update 2 says 3"), "{verdict:?}");
    }

    #[test]
    fn last_words_must_be_one() {
        assert!(has(&judged(&[START]), "0 last words"));
        let twice = judged(&[START, RESULT, RESULT]);
        assert!(
            has(&twice, "2 last words") && has(&twice, "a result event after"),
            "{twice:?}"
        );
        let error = r#"{"event":"error","kind":"timeout","message":"m"}"#;
        let failed = judged_as(&[START, error], Some(5), false);
        assert!(
            has(&failed, "error event") && has(&failed, "exit code Some(5)"),
            "{failed:?}"
        );
    }

    #[test]
    fn results_are_read() {
        let refused = RESULT.replace("false", "true");
        assert!(has(&judged(&[START, &refused]), "is_error is true"));
        let other = RESULT.replace("counted 3", "counted 4");
        assert!(has(&judged(&[START, &other]), "does not say"));
    }

    #[test]
    fn foreign_lines_tokens_and_totals() {
        let foreign = update(1, 1, 0)
            .replace(r#""t""#, r#""u""#)
            .replace(r#""total":3"#, r#""total":4"#);
        let verdict = judged(&["Connecting…", START, &foreign, r#"{"event":"new"}"#, RESULT]);
        for fault in ["not JSON", "token \"u\"", "total 4", "unknown event"] {
            assert!(has(&verdict, fault), "{fault}: {verdict:?}");
        }
    }

    #[test]
    fn silence_and_the_deadline() {
        let nothing = judged_as(&[], None, true);
        for fault in ["killed", "exit code None", "0 start events", "0 last words"] {
            assert!(has(&nothing, fault), "{fault}: {nothing:?}");
        }
        assert_eq!(nothing.negotiated, None);
    }

    #[test]
    fn picks_updates_and_last_words() {
        assert!(is_update(&update(1, 1, 0)) && !is_update(START) && !is_update("progress"));
        assert_eq!(
            last_words(&[START.to_owned(), RESULT.to_owned()]),
            ["result"]
        );
    }
}
