//! Standard error: what is said beside the result, around the bars.
//!
//! Owns the stream and the one rule for it: a line is written whole, and never into a bar. A stream that is gone is no
//! error; there is nobody to tell.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use crate::args::output::ProgressMode;
use crate::failure::Failure;
use crate::show::event;
use crate::show::hold::Waiting;
use crate::show::printable;
use crate::show::terminal::Narrow;

/// A bar is drawn at most this often in a second.
const REDRAWS: u8 = 20;

/// What is said where a prompt ends without its answer.
pub(crate) const WITHDRAWN: &str = "the question is withdrawn";

/// How progress is shown, once `auto` and the terminal have been looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Bar,
    Plain,
    Json,
    None,
}

impl Style {
    pub(crate) fn choose(mode: ProgressMode) -> Self {
        // A dumb terminal cannot go back to the start of a line.
        let bars = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        match mode {
            ProgressMode::None => Self::None,
            ProgressMode::Json => Self::Json,
            ProgressMode::Auto | ProgressMode::Bar if bars => Self::Bar,
            ProgressMode::Auto | ProgressMode::Bar | ProgressMode::Plain => Self::Plain,
        }
    }
}

/// Standard error; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    style: Style,
    bars: MultiProgress,
    /// Whether the bars are off the screen, because somebody is asked.
    covered: Arc<AtomicBool>,
    waiting: Arc<Mutex<Waiting>>,
}

impl Screen {
    pub(crate) fn new(style: Style) -> Self {
        let covered = Arc::new(AtomicBool::new(false));
        let target = if style == Style::Bar {
            ProgressDrawTarget::term_like_with_hz(Box::new(Narrow::stderr(&covered)), REDRAWS)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            style,
            bars: MultiProgress::with_draw_target(target),
            covered,
            waiting: Arc::default(),
        }
    }

    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// A new bar below the others.
    pub(crate) fn add_bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }

    /// Writes text that ends without a line break. While somebody is asked it waits.
    pub(crate) fn write(&self, text: &str) {
        let mut waiting = self.waiting();
        if let Some(line) = waiting.keep(format!("{text}\n")) {
            self.around_bars(|| put(&line));
        }
    }

    /// Does `write`, which writes to the terminal, while no bar is drawn. An open prompt is repeated below.
    pub(crate) fn without_bars<R>(&self, write: impl FnOnce() -> R) -> R {
        let waiting = self.waiting();
        if waiting.prompt().is_empty() {
            return self.around_bars(write);
        }
        put("\n");
        let written = write();
        put(waiting.prompt());
        written
    }

    /// Asks somebody: writes `text`, which ends with the prompt. Until [`release`](Self::release) the bars are off the
    /// screen, and what else is written here waits.
    pub(crate) fn ask(&self, text: &str) {
        let mut waiting = self.waiting();
        if !waiting.is_open() {
            waiting.begin();
            // Within, so that no bar is drawn between its being taken off and the cover.
            self.around_bars(|| self.covered.store(true, Ordering::Release));
        }
        waiting.prompted(text.rsplit('\n').next().unwrap_or(text));
        put(text);
    }

    /// The cursor stands at the start of a line again: after a line that was typed it does so by itself.
    pub(crate) fn answered(&self, typed: bool) {
        if !typed {
            put("\n");
        }
        self.waiting().prompted("");
    }

    /// Ends the asking, and writes what has waited. Where the prompt is still open, `word` says why nobody is asked any
    /// more.
    pub(crate) fn release(&self, word: Option<&str>) {
        let mut waiting = self.waiting();
        if !waiting.is_open() {
            return;
        }
        if !waiting.prompt().is_empty() {
            put("\n");
            if let Some(word) = word {
                put(&format!("mcp-progress: {word}\n"));
            }
        }
        for line in waiting.end() {
            put(&line);
        }
        self.around_bars(|| self.covered.store(false, Ordering::Release));
    }

    fn around_bars<R>(&self, write: impl FnOnce() -> R) -> R {
        if self.style == Style::Bar {
            self.bars.suspend(write)
        } else {
            write()
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something the user should know.
    pub(crate) fn notice(&self, text: &str) {
        if self.style == Style::Json {
            self.write(&event::line(&event::Notice::new(text)));
        } else {
            self.write(&format!("mcp-progress: {text}"));
        }
    }

    /// What went wrong.
    pub(crate) fn failure(&self, failure: &Failure) {
        if self.style == Style::Json {
            self.write(&event::line(&event::Failed::new(failure)));
        } else if !matches!(failure, Failure::Interrupted) {
            // That one was said when it happened.
            self.write(&printable::block(&failure.explained()));
        }
    }
}

/// A stream that is gone is no error.
fn put(text: &str) {
    let _ = io::stderr().write_all(text.as_bytes());
}
