//! The results on standard output: in which order, in which form.
//!
//! Owns the members of a result and what waits for its turn. It must not know how a result comes about.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::output::Format;
use crate::batch::line::{Id, Line};
use crate::batch::outcome::{End, Outcome, Reason};
use crate::show::event::Problem;
use crate::show::lines::one_line;
use crate::show::output::Output;
use crate::show::printable;

/// In text, so much of what a tool said stands behind its name.
const WORDS: usize = 100;

/// What a line has come to.
#[derive(Debug, Serialize)]
struct Record<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
    tool: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Problem>,
    #[serde(skip_serializing_if = "Option::is_none")]
    skipped: Option<Why<'a>>,
    attempts: u32,
    elapsed_ms: u64,
}

/// Why a line did not begin, and for which other line it would have waited.
#[derive(Debug, Serialize)]
struct Why<'a> {
    reason: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a Id>,
}

impl<'a> Record<'a> {
    fn new(lines: &'a [Line], at: usize, outcome: &'a Outcome) -> Self {
        let line = &lines[at];
        let mut record = Self {
            index: line.number,
            id: line.id.as_ref(),
            tool: &line.tool,
            status: outcome.end.status().as_str(),
            result: None,
            error: None,
            skipped: None,
            attempts: outcome.attempts,
            elapsed_ms: u64::try_from(outcome.elapsed.as_millis()).unwrap_or(u64::MAX),
        };
        match &outcome.end {
            End::Result(raw, _) => record.result = Some(raw),
            End::Failed(failure) => record.error = Some(Problem::new(failure)),
            End::Skipped(reason) => record.skipped = Some(Why::new(lines, *reason)),
        }
        record
    }
}

impl<'a> Why<'a> {
    fn new(lines: &'a [Line], reason: Reason) -> Self {
        let parent = match reason {
            Reason::After(parent) => Some(&lines[parent]),
            Reason::Stopped | Reason::Interrupted => None,
        };
        Self {
            reason: match reason {
                Reason::After(_) => "after",
                Reason::Stopped => "stopped",
                Reason::Interrupted => "interrupted",
            },
            index: parent.map(|line| line.number),
            id: parent.and_then(|line| line.id.as_ref()),
        }
    }
}

/// `  57 tool_error fail (id b) 0.2s: failed after 1 steps`, on one line.
pub(crate) fn words(lines: &[Line], at: usize, outcome: &Outcome) -> String {
    let line = &lines[at];
    let id = line.id.as_ref().map(|id| format!(" (id {id})"));
    let head = format!(
        "{:>4} {} {}{} {:.1}s",
        line.number,
        outcome.end.status().as_str(),
        line.tool,
        id.unwrap_or_default(),
        outcome.elapsed.as_secs_f64()
    );
    let said = match &outcome.end {
        End::Result(_, result) => result.as_text().unwrap_or_default(),
        End::Failed(failure) => failure.message(),
        End::Skipped(Reason::After(parent)) => {
            let parent = &lines[*parent];
            let id = parent.id.as_ref().map(|id| format!(" (id {id})"));
            format!(
                "it waits for line {}{}",
                parent.number,
                id.unwrap_or_default()
            )
        }
        End::Skipped(Reason::Stopped) => "another line failed".to_owned(),
        End::Skipped(Reason::Interrupted) => "interrupted".to_owned(),
    };
    let said = printable::line(said.trim());
    let head = printable::line(&head);
    if said.is_empty() {
        return head;
    }
    match said.char_indices().nth(WORDS) {
        Some((end, _)) => format!("{head}: {}…", &said[..end]),
        None => format!("{head}: {said}"),
    }
}

/// Writes results, each in its turn.
#[derive(Debug)]
pub(crate) struct Report {
    output: Output,
    turns: Turns,
    /// Of an array: the element that is still to be written, with a comma if another one follows.
    last: Option<String>,
}

impl Report {
    pub(crate) fn new(output: &Output, as_finished: bool) -> Self {
        Self {
            output: output.clone(),
            turns: Turns::new(as_finished),
            last: None,
        }
    }

    /// Bytes of results that wait for one before them.
    pub(crate) const fn held(&self) -> usize {
        self.turns.bytes
    }

    /// Takes the outcome of the line at this place of the list, and writes what may be written now.
    pub(crate) fn add(&mut self, lines: &[Line], at: usize, outcome: &Outcome) -> io::Result<()> {
        let text = match self.output.format() {
            Format::Text => words(lines, at, outcome),
            // No member has a map with keys that are no strings, which is all that can fail.
            Format::Json | Format::Jsonl => {
                one_line(serde_json::to_string(&Record::new(lines, at, outcome))?)
            }
        };
        for text in self.turns.take(at, text) {
            self.write(text)?;
        }
        Ok(())
    }

    fn write(&mut self, text: String) -> io::Result<()> {
        match self.output.format() {
            Format::Text => return self.output.text(&text),
            Format::Jsonl => return self.output.document(&text),
            Format::Json => {}
        }
        match self.last.replace(text) {
            None => self.output.document("["),
            Some(before) => self.output.document(&format!("{before},")),
        }
    }

    /// The end of an array.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if self.output.format() != Format::Json {
            return Ok(());
        }
        match self.last.take() {
            None => self.output.document("[]"),
            Some(last) => self.output.document(&format!("{last}\n]")),
        }
    }
}

/// Whose turn it is.
#[derive(Debug)]
struct Turns {
    as_finished: bool,
    next: usize,
    held: BTreeMap<usize, String>,
    bytes: usize,
}

impl Turns {
    const fn new(as_finished: bool) -> Self {
        Self {
            as_finished,
            next: 0,
            held: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// What may be written now that this is there.
    fn take(&mut self, at: usize, text: String) -> Vec<String> {
        if self.as_finished {
            return vec![text];
        }
        self.bytes += text.len();
        self.held.insert(at, text);
        let mut ready = Vec::new();
        while let Some(text) = self.held.remove(&self.next) {
            self.bytes -= text.len();
            self.next += 1;
            ready.push(text);
        }
        ready
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json, value::to_raw_value};

    use super::{Record, Turns, words};
    use crate::batch::line::{Line, parse_all};
    use crate::batch::outcome::{End, Outcome, Reason};

    fn lines() -> Vec<Line> {
        parse_all("\n{\"tool\": \"t\\u001b[31m\", \"id\": \"a\"}\n{\"tool\": \"u\"}\n").unwrap()
    }

    fn outcome(end: End, attempts: u32) -> Outcome {
        Outcome {
            end,
            attempts,
            elapsed: Duration::from_millis(1_250),
        }
    }

    fn record(at: usize, outcome: &Outcome) -> Value {
        serde_json::to_value(Record::new(&lines(), at, outcome)).unwrap()
    }

    #[test]
    fn a_result_is_told_with_its_line() {
        let raw =
            to_raw_value(&json!({"content": [{"type": "text", "text": "x\u{7}\ny"}]})).unwrap();
        let done = outcome(End::of(Ok(raw)), 2);
        let told = record(0, &done);
        assert_eq!(
            (&told["index"], &told["id"], &told["status"]),
            (&json!(2), &json!("a"), &json!("ok"))
        );
        assert_eq!(
            (&told["attempts"], &told["elapsed_ms"]),
            (&json!(2), &json!(1_250))
        );
        assert!(told["result"]["content"].is_array() && told.get("error").is_none());
        let text = words(&lines(), 0, &done);
        assert!(
            text.starts_with("   2 ok t") && text.contains("(id a) 1.2s: x"),
            "{text}"
        );
        assert!(!text.contains(['\u{7}', '\u{1b}', '\n']), "{text:?}");
    }

    #[test]
    fn whoever_is_skipped_says_for_whom_it_waited() {
        let skipped = outcome(End::Skipped(Reason::After(0)), 0);
        let told = record(1, &skipped);
        assert_eq!(
            told["skipped"],
            json!({"reason": "after", "index": 2, "id": "a"})
        );
        assert!(told.get("id").is_none());
        assert_eq!(
            words(&lines(), 1, &skipped),
            "   3 skipped u 1.2s: it waits for line 2 (id a)"
        );
        let stopped = record(1, &outcome(End::Skipped(Reason::Stopped), 0));
        assert_eq!(stopped["skipped"], json!({"reason": "stopped"}));
    }

    #[test]
    fn results_wait_for_those_before_them_only() {
        let mut turns = Turns::new(false);
        let text = |n: usize| n.to_string();
        assert_eq!(turns.take(1, text(1)), Vec::<String>::new());
        assert_eq!(
            (turns.take(0, text(0)), turns.bytes),
            (vec![text(0), text(1)], 0)
        );
        assert_eq!(turns.take(3, text(3)), Vec::<String>::new());
        assert_eq!(turns.bytes, 1);
        assert_eq!(turns.take(2, text(2)), [text(2), text(3)]);
        assert_eq!(Turns::new(true).take(5, text(5)), [text(5)]);
    }
}
