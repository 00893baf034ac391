//! Lines on the screen, through `indicatif`.
//!
//! Owns the rows of a `MultiProgress`: one for each line, whatever the line says. It must not know calls.

use std::fmt;
use std::sync::Arc;

use ::indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};
use console::Term;

use super::terminal::{Shared, Terminal};

/// How often rows that are changed one by one are drawn: seldom, since a drawing of all of them follows.
const DRAWS: u8 = 1;

/// What a `MultiProgress` of somebody else is taken for where no terminal says it.
const USUAL: (usize, usize) = (80, 24);

/// A part of the screen.
pub(super) struct Sheet {
    multi: MultiProgress,
    /// Where it is our own, and not that of a program that draws more on it.
    terminal: Option<Arc<Terminal>>,
    rows: Vec<(ProgressBar, String)>,
    /// A bar without a line: since it is finished, its ticks draw everything at once.
    beat: Option<ProgressBar>,
}

impl Sheet {
    /// On a terminal of its own.
    pub(super) fn on(term: Box<dyn TermLike>) -> Self {
        let terminal = Arc::new(Terminal::new(term));
        let shared = Box::new(Shared(terminal.clone()));
        let target = ProgressDrawTarget::term_like_with_hz(shared, DRAWS);
        let mut sheet = Self::within(MultiProgress::with_draw_target(target));
        sheet.terminal = Some(terminal);
        sheet
    }

    /// Beside what else is drawn there.
    pub(super) const fn within(multi: MultiProgress) -> Self {
        Self {
            multi,
            terminal: None,
            rows: Vec::new(),
            beat: None,
        }
    }

    /// How many columns a line may take, and how many lines there are.
    pub(super) fn size(&self) -> (usize, usize) {
        if let Some(terminal) = &self.terminal {
            return terminal.size();
        }
        let size = Term::stderr()
            .size_checked()
            .or_else(|| Term::stdout().size_checked());
        // The last column stays free: not every terminal waits there for what follows.
        size.map_or(USUAL, |(rows, columns)| {
            (usize::from(columns).max(2) - 1, rows.max(2).into())
        })
    }

    /// Shows these lines and no others, and leaves `above` on the screen above them for good.
    pub(super) fn show(&mut self, above: &[String], lines: &[String]) {
        let resized = self.rows.len() != lines.len();
        let own = self.terminal.is_some();
        let changed = resized
            || self
                .rows
                .iter()
                .zip(lines)
                .any(|((_, shown), line)| shown != line);
        if own && !changed && above.is_empty() {
            return;
        }
        if let Some(terminal) = &self.terminal {
            terminal.expect(lines.len());
        }
        self.resize(lines.len());
        for ((row, shown), line) in self.rows.iter_mut().zip(lines) {
            if shown != line {
                shown.clone_from(line);
                let _ = row.clone().with_message(line.clone());
            } else if own {
                continue;
            }
            // Also what has not changed, where somebody else's pace may have passed over it.
            row.tick();
        }
        if !above.is_empty() {
            // Draws all rows too.
            let _ = self.multi.println(above.join("\n"));
        } else if (own || resized)
            && let Some(beat) = &self.beat
        {
            beat.tick();
        }
        if lines.is_empty()
            && let Some(beat) = self.beat.take()
        {
            self.multi.remove(&beat);
        }
    }

    /// The `MultiProgress`, where it is somebody else's.
    pub(super) fn foreign(&self) -> Option<MultiProgress> {
        self.terminal.is_none().then(|| self.multi.clone())
    }

    fn resize(&mut self, rows: usize) {
        if rows > 0 && self.beat.is_none() {
            let beat = new_row("");
            beat.abandon();
            self.beat = Some(self.multi.add(beat));
        }
        while self.rows.len() > rows {
            if let Some((row, _)) = self.rows.pop() {
                self.multi.remove(&row);
            }
        }
        while self.rows.len() < rows {
            // Cut once more by whoever knows the width best.
            let row = self.multi.add(new_row("{wide_msg}"));
            self.rows.push((row, String::new()));
        }
    }
}

fn new_row(template: &str) -> ProgressBar {
    let row = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template(template);
    row.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    row
}

impl Drop for Sheet {
    /// What was not taken away would stay as if somebody were still at work.
    fn drop(&mut self) {
        self.show(&[], &[]);
    }
}

impl fmt::Debug for Sheet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sheet")
            .field("rows", &self.rows.len())
            .field("own", &self.terminal.is_some())
            .finish_non_exhaustive()
    }
}
