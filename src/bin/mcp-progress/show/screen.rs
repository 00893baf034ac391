//! Standard error: what is said beside the result, around the bars.
//!
//! Owns the stream and the one rule for it: a line is written whole, and never into a bar. A stream that is gone is no
//! error; there is nobody to tell.

use std::borrow::Cow;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mcp_progress::ProgressGroup;
use mcp_progress::ui::indicatif::{Bars, BarsStyle, CallBar, GroupBar, Hold};

use crate::args::output::ProgressMode;
use crate::failure::Failure;
use crate::show::event;
use crate::show::hold::Waiting;
use crate::show::lines::visible;
use crate::show::printable;

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
        match mode {
            ProgressMode::None => Self::None,
            ProgressMode::Json => Self::Json,
            ProgressMode::Plain => Self::Plain,
            // Where there is no terminal that could draw over a line, there are none to be had.
            ProgressMode::Auto | ProgressMode::Bar => match Bars::stderr().style() {
                BarsStyle::Bars => Self::Bar,
                _ => Self::Plain,
            },
        }
    }
}

/// Standard error; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    style: Style,
    terminal: bool,
    bars: Bars,
    waiting: Arc<Mutex<Waiting>>,
    /// While somebody is asked.
    hold: Arc<Mutex<Option<Hold>>>,
}

impl Screen {
    pub(crate) fn new(style: Style) -> Self {
        Self {
            style,
            terminal: io::stderr().is_terminal(),
            bars: match style {
                Style::Bar => Bars::stderr(),
                Style::Plain => Bars::plain(io::stderr()),
                Style::Json | Style::None => Bars::hidden(),
            },
            waiting: Arc::default(),
            hold: Arc::default(),
        }
    }

    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// A new bar below the others.
    pub(crate) fn add_bar(&self, name: &str) -> CallBar {
        self.bars.add(name)
    }

    /// The bar of many calls, below theirs.
    pub(crate) fn add_total(&self, group: &ProgressGroup, name: &str) -> GroupBar {
        self.bars.group(group, name)
    }

    /// Writes text that ends without a line break. While somebody is asked it waits.
    pub(crate) fn write(&self, text: &str) {
        let text = match self.style {
            Style::Json if self.terminal => visible(text),
            _ => Cow::Borrowed(text),
        };
        let mut waiting = self.waiting();
        if let Some(line) = waiting.keep(text.into_owned()) {
            self.bars.println(&line);
        }
    }

    /// Does `write`, which writes to the terminal, while no bar is drawn. An open prompt is repeated below.
    pub(crate) fn without_bars<R>(&self, write: impl FnOnce() -> R) -> R {
        let waiting = self.waiting();
        if waiting.prompt().is_empty() {
            return self.bars.suspend(write);
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
            *self.held() = Some(self.bars.hold());
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
            put(&format!("{line}\n"));
        }
        // With it the bars come back, and what they had to say meanwhile.
        *self.held() = None;
    }

    fn held(&self) -> MutexGuard<'_, Option<Hold>> {
        self.hold.lock().unwrap_or_else(PoisonError::into_inner)
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
