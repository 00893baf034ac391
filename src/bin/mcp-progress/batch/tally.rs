//! What has become of a batch so far.
//!
//! Owns the counts, the words for them and the exit code. It must not know calls.

use std::time::Duration;

use serde::Serialize;

use crate::batch::outcome::Status;
use crate::failure::code;

/// The counts of all ends.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) ok: usize,
    pub(crate) tool_error: usize,
    pub(crate) error: usize,
    pub(crate) timeout: usize,
    pub(crate) cancelled: usize,
    pub(crate) skipped: usize,
    /// The code of the failure that came first in time.
    first: Option<u8>,
    /// Place and code of the first line with an error; place of the first line with a failure of its tool.
    earliest_error: Option<(usize, u8)>,
    tool_failed: bool,
}

/// The counts as the last event on standard error.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    event: &'static str,
    ok: usize,
    tool_error: usize,
    error: usize,
    timeout: usize,
    cancelled: usize,
    skipped: usize,
    elapsed_ms: u64,
}

impl Tally {
    /// Counts the end of the line at this place of the list, and the exit code that it stands for.
    pub(crate) fn count(&mut self, line: usize, status: Status, code: u8) {
        match status {
            Status::Ok => self.ok += 1,
            Status::ToolError => self.tool_error += 1,
            Status::Error => self.error += 1,
            Status::Timeout => self.timeout += 1,
            Status::Cancelled => self.cancelled += 1,
            Status::Skipped => self.skipped += 1,
        }
        if code == code::OK {
            return;
        }
        self.first.get_or_insert(code);
        if code == code::TOOL_ERROR {
            self.tool_failed = true;
        } else if self
            .earliest_error
            .is_none_or(|(earlier, _)| line < earlier)
        {
            self.earliest_error = Some((line, code));
        }
    }

    pub(crate) const fn over(&self) -> usize {
        self.ok + self.failed() + self.skipped
    }

    pub(crate) const fn failed(&self) -> usize {
        self.tool_error + self.error + self.timeout + self.cancelled
    }

    /// The exit code: of the first failure, which is in the order of the input where the batch went on after failures. There an
    /// error says more than the failure of a tool.
    pub(crate) fn code(&self, keep_going: bool) -> u8 {
        if !keep_going {
            return self.first.unwrap_or(code::OK);
        }
        match self.earliest_error {
            Some((_, code)) => code,
            None if self.tool_failed => code::TOOL_ERROR,
            None => code::OK,
        }
    }

    /// `200 lines in 12.3s: 198 ok, 1 tool error, 1 timed out`
    pub(crate) fn words(&self, elapsed: Duration) -> String {
        let lines = self.over();
        let counts = [
            (self.ok, "ok"),
            (self.tool_error, "tool error"),
            (self.error, "failed"),
            (self.timeout, "timed out"),
            (self.cancelled, "cancelled"),
            (self.skipped, "skipped"),
        ];
        let said = counts
            .iter()
            .filter(|(count, word)| *count > 0 || *word == "ok");
        let said: Vec<String> = said
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        let lines = if lines == 1 {
            "1 line".to_owned()
        } else {
            format!("{lines} lines")
        };
        format!(
            "{lines} in {:.1}s: {}",
            elapsed.as_secs_f64(),
            said.join(", ")
        )
    }

    pub(crate) fn summary(&self, elapsed: Duration) -> Summary {
        Summary {
            event: "summary",
            ok: self.ok,
            tool_error: self.tool_error,
            error: self.error,
            timeout: self.timeout,
            cancelled: self.cancelled,
            skipped: self.skipped,
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Status, Tally};

    fn tally(ends: &[(usize, Status, u8)]) -> Tally {
        let mut tally = Tally::default();
        for (line, status, code) in ends {
            tally.count(*line, *status, *code);
        }
        tally
    }

    #[test]
    fn the_first_failure_counts_in_time_or_in_the_file() {
        let both = tally(&[
            (9, Status::ToolError, 1),
            (7, Status::Timeout, 5),
            (3, Status::Error, 4),
            (5, Status::Error, 3),
            (0, Status::Ok, 0),
        ]);
        assert_eq!((both.code(false), both.code(true)), (1, 4));
        let tools = tally(&[(1, Status::ToolError, 1), (2, Status::Skipped, 0)]);
        assert_eq!((tools.code(false), tools.code(true)), (1, 1));
        let fine = tally(&[(1, Status::Ok, 0)]);
        assert_eq!((fine.code(false), fine.code(true)), (0, 0));
    }

    #[test]
    fn only_what_happened_is_said() {
        let some = tally(&[
            (0, Status::Ok, 0),
            (1, Status::Timeout, 5),
            (2, Status::Skipped, 0),
        ]);
        assert_eq!(
            some.words(Duration::from_millis(1_250)),
            "3 lines in 1.2s: 1 ok, 1 timed out, 1 skipped"
        );
        let none = tally(&[(0, Status::Error, 3)]);
        assert_eq!(none.words(Duration::ZERO), "1 line in 0.0s: 0 ok, 1 failed");
    }
}
