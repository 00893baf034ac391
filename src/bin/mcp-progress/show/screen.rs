//! Standard error: what is said beside the result, around the bars.
//!
//! Owns the stream and the one rule for it: a line is written whole, and never into a bar. A stream that is gone is no
//! error; there is nobody to tell.

use std::io::{self, IsTerminal as _, Write as _};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget};

use crate::args::output::ProgressMode;
use crate::failure::Failure;
use crate::show::event;
use crate::show::printable;
use crate::show::terminal::Narrow;

/// A bar is drawn at most this often in a second.
const REDRAWS: u8 = 20;

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
}

impl Screen {
    pub(crate) fn new(style: Style) -> Self {
        let target = if style == Style::Bar {
            ProgressDrawTarget::term_like_with_hz(Box::new(Narrow::stderr()), REDRAWS)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            style,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    pub(crate) const fn style(&self) -> Style {
        self.style
    }

    /// A new bar below the others.
    pub(crate) fn add_bar(&self) -> ProgressBar {
        self.bars.add(ProgressBar::new_spinner())
    }

    /// Writes text that ends without a line break.
    pub(crate) fn write(&self, text: &str) {
        self.without_bars(|| {
            let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
        });
    }

    /// Does `write`, which writes to the terminal, while no bar is drawn.
    pub(crate) fn without_bars<R>(&self, write: impl FnOnce() -> R) -> R {
        if self.style == Style::Bar {
            self.bars.suspend(write)
        } else {
            write()
        }
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
