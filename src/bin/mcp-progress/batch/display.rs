//! What is seen of a batch while it runs, on standard error.
//!
//! Owns what is said of each line and of all of them, and how often. It must not know results.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use mcp_progress::ui::indicatif::{CallBar, GroupBar};
use mcp_progress::ui::json;
use mcp_progress::ui::{CallView, Figure};
use mcp_progress::{Call, Notification, Progress, ProgressGroup, ProgressToken};
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::time::Instant;

use crate::args::output::Format;
use crate::batch::line::{Id, Line};
use crate::batch::outcome::Status;
use crate::batch::tally::Tally;
use crate::show::event::{self, Log};
use crate::show::meter;
use crate::show::printable;
use crate::show::screen::{Screen, Style};

/// As plain lines, a call says something at most this often, and so does the whole.
const CALL_SAYS: Duration = Duration::from_secs(2);
const ALL_SAY: Duration = Duration::from_secs(5);

/// The progress of a batch.
#[derive(Debug)]
pub(crate) struct Display<'a> {
    screen: &'a Screen,
    group: &'a ProgressGroup,
    lines: usize,
    /// Whether failures are told of here: they are not where the results are read by the same eyes.
    failures: bool,
    began: Instant,
    /// When the whole was last told of, as plain lines.
    told: Mutex<Instant>,
    /// The whole, as a bar.
    total: Option<GroupBar>,
}

/// The progress of one attempt.
#[derive(Debug)]
pub(crate) struct Shown<'a> {
    screen: &'a Screen,
    bar: Option<CallBar>,
    view: CallView,
    /// When it was last told of, as plain lines.
    told: Instant,
}

/// An attempt has begun.
#[derive(Debug, Serialize)]
struct Begun<'a> {
    event: &'static str,
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a Id>,
    tool: &'a str,
    attempt: u32,
    token: &'a ProgressToken,
    id: i64,
}

/// A line is over.
#[derive(Debug, Serialize)]
struct Over<'a> {
    event: &'static str,
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<&'a Id>,
    status: &'static str,
    /// How far the whole is, from 0 to 1.
    fraction: Figure,
}

impl<'a> Display<'a> {
    pub(crate) fn new(
        screen: &'a Screen,
        group: &'a ProgressGroup,
        lines: usize,
        format: Format,
    ) -> Self {
        let began = now();
        Self {
            screen,
            group,
            lines,
            failures: format != Format::Text,
            began,
            told: Mutex::new(began),
            total: (screen.style() == Style::Bar).then(|| screen.add_total(group, "total")),
        }
    }

    pub(crate) fn elapsed(&self) -> Duration {
        now().duration_since(self.began)
    }

    /// An attempt begins.
    pub(crate) fn begin(&self, line: &Line, call: &Call<Box<RawValue>>, attempt: u32) -> Shown<'a> {
        if self.screen.style() == Style::Json
            && let (Some(token), Some(id)) = (call.token(), call.request_id())
        {
            self.screen.write(&event::line(&Begun {
                event: "start",
                index: line.number,
                line: line.id.as_ref(),
                tool: &line.tool,
                attempt,
                token,
                id,
            }));
        }
        let name = format!("{} {}", line.number, line.tool);
        let told = now();
        Shown {
            screen: self.screen,
            bar: (self.screen.style() == Style::Bar).then(|| self.screen.add_bar(&name)),
            view: CallView::new(name, told.into_std()),
            told,
        }
    }

    /// A line failed, and is tried again after this pause.
    pub(crate) fn again(&self, line: &Line, problem: &str, pause: Duration) {
        if self.screen.style() == Style::None {
            return;
        }
        let words = format!(
            "line {}: another attempt in {:.1}s: {problem}",
            line.number,
            pause.as_secs_f64()
        );
        self.screen.notice(&printable::line(&words));
    }

    /// A line is over; `words` say how, where that is news.
    pub(crate) fn over(&self, line: &Line, status: Status, words: Option<&str>, tally: &Tally) {
        match self.screen.style() {
            Style::Json => self.screen.write(&event::line(&Over {
                event: "end",
                index: line.number,
                line: line.id.as_ref(),
                status: status.as_str(),
                fraction: Figure::new(self.group.snapshot().fraction),
            })),
            Style::Bar | Style::Plain => {
                if let Some(words) = words.filter(|_| self.failures && status != Status::Ok) {
                    self.screen.write(words);
                }
                if self.total.is_none() {
                    self.whole(tally);
                }
            }
            Style::None => {}
        }
    }

    /// How far all of it is.
    fn whole(&self, tally: &Tally) {
        let now = now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if now.duration_since(*told) < ALL_SAY {
            return;
        }
        *told = now;
        let group = self.group.snapshot();
        let left = group
            .remaining
            .map(|left| format!(", {:.0}s left", left.as_secs_f64()));
        self.screen.write(&format!(
            "total {:.1}s  {:>3.0}%  {}/{} lines, {} failed{}",
            self.elapsed().as_secs_f64(),
            group.percent().floor(),
            tally.over(),
            self.lines,
            tally.failed(),
            left.unwrap_or_default()
        ));
    }

    /// The server says something beside the calls.
    pub(crate) fn log(&self, notification: &Notification) {
        if let Some(log) = Log::new(notification) {
            self.screen.write(&match self.screen.style() {
                Style::Json => event::line(&log),
                Style::Bar | Style::Plain | Style::None => meter::described(&log),
            });
        }
    }

    /// The end of all.
    pub(crate) fn summary(self, tally: &Tally) {
        let elapsed = self.elapsed();
        if let Some(total) = self.total {
            // The counts say more than its last state.
            total.clear();
        }
        if self.screen.style() == Style::Json {
            self.screen.write(&event::line(&tally.summary(elapsed)));
        } else {
            self.screen.notice(&tally.words(elapsed));
        }
    }
}

impl Shown<'_> {
    pub(crate) fn update(&mut self, update: &Progress) {
        match self.screen.style() {
            Style::Json => self.screen.write(&json::line(update)),
            Style::Bar => {
                if let Some(bar) = &self.bar {
                    bar.update(update);
                }
            }
            Style::Plain => {
                let now = now();
                self.view.update(update, now.into_std());
                if now.duration_since(self.told) >= CALL_SAYS {
                    self.told = now;
                    self.screen.write(&self.words(now));
                }
            }
            Style::None => {}
        }
    }

    /// `  57 echo   1.2s   40%  2/5  step 2`
    fn words(&self, now: Instant) -> String {
        let elapsed = self.view.elapsed(now.into_std()).as_secs_f64();
        let percent = self.view.percentage();
        let percent = percent.as_deref().unwrap_or("-");
        let figures = self.view.figures().unwrap_or_default();
        let message = self.view.message().map(|message| format!("  {message}"));
        format!(
            "{}  {elapsed:.1}s  {percent:>4}  {figures}{}",
            self.view.name(),
            message.unwrap_or_default()
        )
    }

    /// Takes the bar away: how the line ended is said by the line.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.clear();
        }
    }
}

/// The time, for what is measured and for how often something is said.
#[expect(
    clippy::disallowed_methods,
    reason = "the command reads the clock, for the times of its lines"
)]
pub(crate) fn now() -> Instant {
    Instant::now()
}
