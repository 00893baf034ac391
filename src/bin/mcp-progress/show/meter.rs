//! How far one call is, on standard error: a bar, plain lines, JSON lines, or nothing.
//!
//! Owns the look of each. It must not know calls.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use mcp_progress::{Progress, UpdateKind};

use crate::show::event::{self, Log, Start};
use crate::show::printable;
use crate::show::screen::{Screen, Style};
use mcp_progress::ui::json;
use mcp_progress::ui::{Figure, percent};

/// The bar is this fine.
const FULL: u64 = 10_000;
/// Between two turns of the spinner.
const TICK: Duration = Duration::from_millis(120);

/// ASCII only: a bar is no reason to need a font.
const WITH_BAR: &str = "[{bar:24}] {prefix:>4} {elapsed} {wide_msg}";
const WITHOUT_BAR: &str = "{spinner} {elapsed} {wide_msg}";

/// The meter of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    screen: Screen,
    bar: Option<Bar>,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    tool: String,
    last: Option<Progress>,
    /// Whether the template with the bar is in use.
    measured: bool,
}

impl Meter {
    pub(crate) fn new(screen: &Screen, tool: &str) -> Self {
        let tool = printable::line(tool);
        let bar = (screen.style() == Style::Bar).then(|| Bar::new(screen.add_bar(), tool));
        Self {
            screen: screen.clone(),
            bar,
        }
    }

    pub(crate) fn start(&self, start: &Start<'_>) {
        if self.screen.style() == Style::Json {
            self.screen.write(&event::line(start));
        }
    }

    pub(crate) fn update(&mut self, update: &Progress) {
        match self.screen.style() {
            Style::Bar => {
                if let Some(bar) = &mut self.bar {
                    bar.update(update);
                }
            }
            Style::Plain => self.screen.write(&plain(update)),
            Style::Json => self.screen.write(&json::line(update)),
            Style::None => {}
        }
    }

    /// A log message of the server; shown in every style, for it was asked for.
    pub(crate) fn log(&self, log: &Log) {
        if self.screen.style() == Style::Json {
            self.screen.write(&event::line(log));
        } else {
            self.screen.write(&described(log));
        }
    }

    /// Leaves the last state of the bar as a line: that all is done is for the server to say.
    pub(crate) fn end(self) {
        if let Some(line) = self.bar.and_then(Bar::end) {
            self.screen.write(&line);
        }
    }
}

impl Bar {
    fn new(bar: ProgressBar, tool: String) -> Self {
        bar.set_style(style(WITHOUT_BAR));
        bar.set_message(tool.clone());
        bar.enable_steady_tick(TICK);
        Self {
            bar,
            tool,
            last: None,
            measured: false,
        }
    }

    fn update(&mut self, update: &Progress) {
        let fraction = update.fraction();
        if self.measured != fraction.is_some() {
            self.measured = fraction.is_some();
            self.bar.set_length(FULL);
            self.bar
                .set_style(style(if self.measured { WITH_BAR } else { WITHOUT_BAR }));
        }
        if let Some(fraction) = fraction {
            // Between 0 and 10,000, so the cast only cuts the fraction off.
            self.bar.set_position((fraction * FULL as f64) as u64);
            self.bar.set_prefix(percentage(update));
        }
        let figures = figures(update);
        self.bar
            .set_message(format!("{}: {figures}{}", self.tool, message(update)));
        self.last = Some(update.clone());
    }

    /// Takes the bar off the screen. A bar that is left there would be swept away by the next line.
    fn end(self) -> Option<String> {
        self.bar.finish_and_clear();
        let update = self.last?;
        Some(format!("{}  {}", plain(&update), self.tool))
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .tick_chars("|/-\\ ")
}

/// ` 1.2s   40%  2/5  step 2`
fn plain(update: &Progress) -> String {
    let percent = percentage(update);
    if let UpdateKind::Status(status) = update.kind {
        let seconds = update.elapsed.as_secs_f64();
        return format!("{seconds:>5.1}s  {percent:>4}  {status}{}", message(update));
    }
    format!(
        "{:>5.1}s  {percent:>4}  {}{}",
        update.elapsed.as_secs_f64(),
        figures(update),
        message(update)
    )
}

/// Cut, not rounded: 99.9 is not 100.
fn percentage(update: &Progress) -> String {
    update.percent().map_or_else(
        || "-".to_owned(),
        |exact| format!("{:.0}%", percent(exact).floor()),
    )
}

fn figures(update: &Progress) -> String {
    let done = Figure::new(update.progress).to_string();
    update.total.map_or_else(
        || done.clone(),
        |total| format!("{done}/{}", Figure::new(total)),
    )
}

fn message(update: &Progress) -> String {
    let mut text = update
        .message
        .as_deref()
        .map(|message| format!("  {}", printable::line(message)))
        .unwrap_or_default();
    if update.merged > 0 {
        text += &format!("  (and {} before it)", update.merged);
    }
    text
}

/// A log message in words.
pub(crate) fn described(log: &Log) -> String {
    let data = match log.data.as_str() {
        Some(text) => text.to_owned(),
        None => log.data.to_string(),
    };
    let logger = log
        .logger
        .as_deref()
        .map(|name| format!(" {name}"))
        .unwrap_or_default();
    let text = format!("[{}{logger}] {data}", log.level.as_deref().unwrap_or("log"));
    printable::line(&text)
}
