//! How far one call is, on standard error: a bar, plain lines, JSON lines, or nothing.
//!
//! Owns which of them. It must not know calls.

use mcp_progress::Progress;
use mcp_progress::ui::indicatif::CallBar;
use mcp_progress::ui::{Mark, json};

use crate::show::event::{self, Log, Start};
use crate::show::printable;
use crate::show::screen::{Screen, Style};

/// The meter of one call.
#[derive(Debug)]
pub(crate) struct Meter {
    screen: Screen,
    bar: Option<CallBar>,
    /// Whether there is progress to speak of.
    moved: bool,
}

impl Meter {
    pub(crate) fn new(screen: &Screen, tool: &str) -> Self {
        let bars = matches!(screen.style(), Style::Bar | Style::Plain);
        Self {
            bar: bars.then(|| screen.add_bar(tool)),
            screen: screen.clone(),
            moved: false,
        }
    }

    pub(crate) fn start(&self, start: &Start<'_>) {
        if self.screen.style() == Style::Json {
            self.screen.write(&event::line(start));
        }
    }

    pub(crate) fn update(&mut self, update: &Progress) {
        self.moved = true;
        if let Some(bar) = &self.bar {
            bar.update(update);
        } else if self.screen.style() == Style::Json {
            self.screen.write(&json::line(update));
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

    /// Says how it ended. Of what showed no progress that is worth no line: there is the result, or an error.
    pub(crate) fn settle(&self, mark: Mark) {
        if let Some(bar) = self.bar.as_ref().filter(|_| self.moved) {
            bar.settle(mark);
        }
    }

    /// Takes the bar off the screen. Without [`settle`](Self::settle) nothing of it stays.
    pub(crate) fn end(self) {
        if let Some(bar) = self.bar {
            bar.clear();
        }
    }
}

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
