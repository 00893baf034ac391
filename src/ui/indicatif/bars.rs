//! The handle on all bars of a terminal.
//!
//! Owns the ways to make them, and what else may be written where they are. It must not know how lines are drawn.

use std::io::{self, IsTerminal as _, Write};
use std::time::{Duration, Instant};

use ::indicatif::{MultiProgress, TermLike};
use console::Term;

use super::ability::Ability;
use super::call_bar::CallBar;
use super::entry::Entry;
use super::group_bar::GroupBar;
use super::log_writer::LogWriter;
use super::painter;
use super::sheet::Sheet;
use super::stage::{Kind, Stage, Target};
use crate::sync::Arc;
use crate::ui::group::handle::ProgressGroup;
use crate::ui::printable::printable_line;
use crate::ui::taskbar::Taskbar;
use crate::ui::view::CallView;

/// Bars of many calls in one place: cheap to clone, and clones are the same bars.
///
/// On a terminal each call has a line with a bar, or with a spinner while its total is unknown. A call that is over leaves a line with its end
/// above them. All is drawn by one thread, at most about ten times in a second, which is there only while a call is
/// at work; an update costs its caller no drawing. Where there is no terminal, progress is told in plain lines: the first update of each
/// call, each new message as long as they are no flood (twenty at once), otherwise the newest once a second, and the end.
///
/// What a server says is cleaned of all that a terminal would obey. What the program itself writes meanwhile should go
/// through [`println`](Self::println), [`suspend`](Self::suspend) or [`log_writer`](Self::log_writer), so that it is not drawn over.
#[derive(Clone, Debug)]
pub struct Bars {
    stage: Arc<Stage>,
    stalled_after: Option<Duration>,
}

/// How [`Bars`] show progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BarsStyle {
    /// Bars that are drawn over.
    Bars,
    /// Lines, one below the other, without escape codes.
    Plain,
    /// Nothing is shown.
    Hidden,
}

impl Bars {
    /// On standard error: bars where that is a terminal, else plain lines.
    ///
    /// A terminal of which `TERM` says `dumb` gets plain lines too. There are colours unless `NO_COLOR` is set. Where the terminal is
    /// known to show it, the progress is in the taskbar as well ([`Taskbar`]).
    #[must_use]
    pub fn stderr() -> Self {
        let ability = Ability::of(io::stderr().is_terminal(), |name| std::env::var_os(name));
        if !ability.bars {
            return Self::plain(io::stderr());
        }
        let target = Target::Screen {
            sheet: Sheet::on(Box::new(Term::buffered_stderr())),
            colors: ability.colors,
        };
        Self::of(target, Taskbar::detect())
    }

    /// Plain lines on this writer, each written whole, whatever the environment says. Never an escape code.
    #[must_use]
    pub fn plain(writer: impl Write + Send + 'static) -> Self {
        Self::of(Target::Log(Box::new(writer)), None)
    }

    /// Bars on this terminal, without colours, whatever the environment says: for tests, with `indicatif`'s `InMemoryTerm`, and for
    /// programs with a terminal of their own.
    #[must_use]
    pub fn on(terminal: impl TermLike + 'static) -> Self {
        let target = Target::Screen {
            sheet: Sheet::on(Box::new(terminal)),
            colors: false,
        };
        Self::of(target, None)
    }

    /// Shows nothing of calls. What is written through it is not lost, but goes to standard error.
    #[must_use]
    pub fn hidden() -> Self {
        Self::of(Target::Nowhere, None)
    }

    fn of(target: Target, taskbar: Option<Taskbar>) -> Self {
        Self {
            stage: Arc::new(Stage::new(target, taskbar)),
            stalled_after: None,
        }
    }

    /// How long nothing may come of a call before its bar says so: for the bars that are added from here on, through this handle. Default 10
    /// seconds; zero for never.
    #[must_use]
    pub const fn stalled_after(mut self, limit: Duration) -> Self {
        self.stalled_after = Some(limit);
        self
    }

    /// Nothing is drawn between calls of [`paint`](Self::paint) but ends and printed lines, and the time is what was said there
    /// last, at first `now`: for tests, and for programs that draw in a loop of their own. To be called before a bar is added.
    #[must_use]
    pub fn by_hand(self, now: Instant) -> Self {
        self.stage.take_hand(now);
        self
    }

    /// Draws now. Only [bars drawn by hand](Self::by_hand) need it, and take `now` for the time.
    pub fn paint(&self, now: Instant) {
        self.stage.set_time(now);
        self.stage.paint(self.stage.now());
    }

    /// How progress is shown here.
    #[must_use]
    pub fn style(&self) -> BarsStyle {
        match self.stage.kind() {
            Kind::Screen => BarsStyle::Bars,
            Kind::Log => BarsStyle::Plain,
            Kind::Nowhere => BarsStyle::Hidden,
        }
    }

    /// A bar for a call, below the others. `name` is what people know the call by.
    pub fn add(&self, name: impl Into<String>) -> CallBar {
        let view = CallView::new(name, self.stage.now());
        let view = match self.stalled_after {
            Some(limit) => view.stalled_after(limit),
            None => view,
        };
        let entry = self.enter(Entry::call(view));
        CallBar::new(self.stage.clone(), entry)
    }

    /// A bar for a whole group, which stays below those of calls.
    pub fn group(&self, group: &ProgressGroup, name: impl Into<String>) -> GroupBar {
        let name = printable_line(&name.into());
        let entry = self.enter(Entry::group(name, group.clone()));
        GroupBar::new(self.stage.clone(), entry, group.clone())
    }

    fn enter(&self, entry: Entry) -> Arc<Entry> {
        let entry = Arc::new(entry);
        if self.stage.kind() != Kind::Nowhere {
            self.stage.add(&entry);
            painter::watch(&self.stage);
        }
        entry
    }

    /// Writes a line above the bars, or several.
    ///
    /// It is the program's own text, and is not cleaned: text of a server has to go through
    /// [`printable_line`](crate::ui::printable_line) or [`printable_block`](crate::ui::printable_block) first.
    pub fn println(&self, text: &str) {
        self.stage.print(text.to_owned());
    }

    /// Does `write`, which may write to the terminal, while no bar is on the screen. Lines that are printed meanwhile wait.
    pub fn suspend<R>(&self, write: impl FnOnce() -> R) -> R {
        let _hold = self.hold();
        match self.stage.foreign() {
            // What else is drawn there goes too.
            Some(multi) => self.stage.suspension().around(&multi, write),
            None => write(),
        }
    }

    /// Takes the bars off the screen until the guard is dropped: as [`suspend`](Self::suspend), for what takes longer than a
    /// closure, a question to the user for instance. Of the lines that are printed meanwhile the last thousand wait.
    #[must_use = "the bars come back when it is dropped"]
    pub fn hold(&self) -> Hold {
        self.stage.hold();
        Hold(self.stage.clone())
    }

    /// A writer of whole lines above the bars: for logs.
    ///
    /// ```
    /// use mcp_progress::ui::indicatif::Bars;
    ///
    /// # let bars = Bars::plain(std::io::sink());
    /// let writer = bars.log_writer();
    /// // tracing_subscriber::fmt().with_writer(move || writer.clone()).init();
    /// # let _ = move || writer.clone();
    /// ```
    #[must_use]
    pub fn log_writer(&self) -> LogWriter {
        LogWriter::new(self.stage.clone())
    }
}

/// Keeps [`Bars`] off the screen; made by [`Bars::hold`].
#[derive(Debug)]
pub struct Hold(Arc<Stage>);

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// The same bars.
impl From<&Self> for Bars {
    fn from(bars: &Self) -> Self {
        bars.clone()
    }
}

/// Bars among those that the program draws itself. Made once and cloned, they are drawn together.
///
/// Where the `MultiProgress` is hidden, since it draws on a stream that is no terminal, nothing of calls is shown: [`Bars::stderr`] has plain
/// lines for that.
impl From<&MultiProgress> for Bars {
    fn from(multi: &MultiProgress) -> Self {
        if multi.is_hidden() {
            return Self::hidden();
        }
        let target = Target::Screen {
            sheet: Sheet::within(multi.clone()),
            colors: false,
        };
        Self::of(target, None)
    }
}
