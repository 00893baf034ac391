//! Owns the table: its rows, its text, and the comparison with the pinned text. Must not know how
//! a row came about.

use crate::verdict::Verdict;

const HEADINGS: [&str; 7] = [
    "server",
    "asked",
    "negotiated",
    "updates expected / got",
    "late (after result)",
    "reordered",
    "result ok",
];

/// One server asked with one revision: the sum of its runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The server.
    pub server: String,
    /// The value of `--protocol`.
    pub asked: String,
    /// What the runs negotiated.
    pub negotiated: Option<String>,
    /// Updates the server was told to send.
    pub expected: u64,
    /// Updates that came before the result.
    pub got: u64,
    /// Updates that came after it.
    pub late: u64,
    /// Updates that came out of order.
    pub reordered: u64,
    /// What else was wrong.
    pub faults: Vec<String>,
    runs: u32,
}

impl Row {
    /// An empty row, to add runs to.
    #[must_use]
    pub fn new(server: &str, asked: &str) -> Self {
        Self {
            server: server.to_owned(),
            asked: asked.to_owned(),
            negotiated: None,
            expected: 0,
            got: 0,
            late: 0,
            reordered: 0,
            faults: Vec::new(),
            runs: 0,
        }
    }

    /// Adds a run that should have shown `expected` updates.
    pub fn add(&mut self, expected: u64, verdict: Verdict) {
        if self.runs > 0 && self.negotiated != verdict.negotiated {
            let fault = format!(
                "{:?}, then {:?} negotiated",
                self.negotiated, verdict.negotiated
            );
            self.faults.push(fault);
        }
        self.runs += 1;
        self.negotiated = verdict.negotiated;
        self.expected += expected;
        self.got += verdict.got;
        self.late += verdict.late;
        self.reordered += verdict.reordered;
        self.faults.extend(verdict.faults);
    }

    /// Whether nothing is wrong, whatever the pinned table says.
    #[must_use]
    pub fn is_good(&self) -> bool {
        let told = self.negotiated.as_ref();
        self.runs > 0
            && self.got == self.expected
            && self.late == 0
            && self.reordered == 0
            && self.faults.is_empty()
            && told.is_some_and(|told| self.asked == "auto" || self.asked == *told)
    }

    fn cells(&self) -> [String; 7] {
        [
            self.server.clone(),
            self.asked.clone(),
            self.negotiated.clone().unwrap_or_else(|| "-".to_owned()),
            format!("{} / {}", self.expected, self.got),
            self.late.to_string(),
            self.reordered.to_string(),
            if self.faults.is_empty() { "yes" } else { "NO" }.to_owned(),
        ]
    }
}

/// The table as text, with a heading.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let mut lines = vec![HEADINGS.map(str::to_owned)];
    lines.extend(rows.iter().map(Row::cells));
    aligned(&lines)
}

/// Lines of cells, each as wide as the widest below each other.
#[must_use]
pub fn aligned<const N: usize>(lines: &[[String; N]]) -> String {
    let width = |i: usize| {
        lines
            .iter()
            .map(|cells| cells[i].chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..N).map(width).collect();
    let mut text = String::new();
    for cells in lines {
        let padded = cells
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"));
        text.push_str(padded.collect::<Vec<_>>().join(" | ").trim_end());
        text.push('\n');
    }
    text
}

/// What differs between the table and the pinned text, one sentence each: rows that are bad in
/// themselves, missing, extra or other than pinned. Only the pinned rows of `servers` count.
#[must_use]
pub fn differences(rows: &[Row], pinned: &str, servers: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    if rows.is_empty() {
        found.push("nothing ran".to_owned());
    }
    for row in rows.iter().filter(|row| !row.is_good()) {
        found.push(format!("bad: {} asked with {}", row.server, row.asked));
    }
    let lines: Vec<_> = rows.iter().map(|row| row.cells().join(" | ")).collect();
    found.extend(unlike(&lines, pinned, servers));
    found
}

/// The lines that are not pinned, and the pinned ones of `servers` that are not there. Widths of columns are no
/// difference, nor are comments and the heading.
#[must_use]
pub fn unlike(seen: &[String], pinned: &str, servers: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let lines = pinned
        .lines()
        .map(squeezed)
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut wanted: Vec<String> = lines.filter(|line| !line.starts_with("server |")).collect();
    wanted.retain(|line| {
        servers
            .iter()
            .any(|server| line.split(' ').next() == Some(server))
    });
    for line in seen {
        if let Some(at) = wanted.iter().position(|pinned| pinned == line) {
            wanted.remove(at);
        } else {
            found.push(format!("not pinned: {line}"));
        }
    }
    found.extend(
        wanted
            .into_iter()
            .map(|line| format!("pinned, but not seen: {line}")),
    );
    found
}

/// Widths of columns are no difference.
fn squeezed(line: &str) -> String {
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(server: &str, asked: &str, got: u64) -> Row {
        let mut row = Row::new(server, asked);
        let negotiated = Some("2025-11-25".to_owned());
        row.add(
            5,
            Verdict {
                negotiated,
                got,
                ..Verdict::default()
            },
        );
        row
    }

    #[test]
    fn equal_tables_differ_in_nothing() {
        let rows = [row("a", "2025-11-25", 5), row("b", "auto", 5)];
        let pinned = format!("# about\n\n{}", text(&rows));
        assert_eq!(differences(&rows, &pinned, &["a", "b"]), [""; 0]);
    }

    #[test]
    fn a_pinned_fault_is_still_a_fault() {
        let rows = [row("a", "2025-11-25", 4)];
        assert_eq!(
            differences(&rows, &text(&rows), &["a"]),
            ["bad: a asked with 2025-11-25"]
        );
        let elsewhere = [row("a", "2024-11-05", 5)];
        assert_eq!(
            differences(&elsewhere, &text(&elsewhere), &["a"]),
            ["bad: a asked with 2024-11-05"]
        );
    }

    #[test]
    fn changed_missing_and_extra_rows() {
        let pinned = text(&[row("a", "2025-11-25", 5), row("a", "auto", 5)]);
        let missing = differences(&[row("a", "auto", 5)], &pinned, &["a"]);
        assert_eq!(
            missing,
            ["pinned, but not seen: a | 2025-11-25 | 2025-11-25 | 5 / 5 | 0 | 0 | yes"]
        );
        let extra = [
            row("a", "2025-11-25", 5),
            row("a", "auto", 5),
            row("a", "auto", 5),
        ];
        assert_eq!(differences(&extra, &pinned, &["a"]).len(), 1);
        let mut changed = row("a", "auto", 5);
        changed.negotiated = Some("2025-06-18".to_owned());
        assert_eq!(
            differences(&[row("a", "2025-11-25", 5), changed], &pinned, &["a"]).len(),
            2
        );
    }

    #[test]
    fn nothing_is_a_difference() {
        assert_eq!(differences(&[], "", &[]), ["nothing ran"]);
    }

    #[test]
    fn two_runs_must_agree() {
        let mut row = row("a", "auto", 5);
        row.add(
            5,
            Verdict {
                negotiated: Some("2025-06-18".to_owned()),
                got: 5,
                ..Verdict::default()
            },
        );
        assert_eq!((row.expected, row.got, row.is_good()), (10, 10, false));
        assert!(text(&[row]).contains("10 / 10"));
    }
}
