//! Standard output: the result, or every event of a run.
//!
//! Owns the stream and its formats. Its errors are the caller's business, since without a reader the work is in vain.

use std::io::{self, IsTerminal as _, Write as _};

use console::Term;
use mcp_progress::model::CallToolResult;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::output::Format;
use crate::failure::Failure;
use crate::show::content::{self, Body, File, Piece};
use crate::show::event::{self, Done, Failed, Saved};
use crate::show::lines::{one_line, visible};
use crate::show::printable;
use crate::show::save::{Saver, Unsaved};
use crate::show::screen::Screen;
use crate::show::table::Table;

/// Standard output.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    format: Format,
    screen: Screen,
    terminal: bool,
    /// Where files go, if they are wanted.
    saver: Option<Saver>,
}

impl Output {
    pub(crate) fn new(format: Format, screen: Screen, saver: Option<Saver>) -> Self {
        Self {
            format,
            screen,
            terminal: io::stdout().is_terminal(),
            saver,
        }
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// How wide the terminal is; None where it is none, and lines may have any length.
    pub(crate) fn width(&self) -> Option<usize> {
        let size = self
            .terminal
            .then(|| Term::stdout().size_checked())
            .flatten();
        size.map(|(_, columns)| usize::from(columns))
    }

    /// Makes the folder to save to.
    pub(crate) fn prepare(&self) -> Result<(), Failure> {
        let prepared = self.saver.as_ref().map_or(Ok(()), Saver::prepare);
        prepared.map_err(Failure::Usage)
    }

    /// Writes an event, where events are what is asked for.
    pub(crate) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        if self.format == Format::Jsonl {
            self.document(&event::line(event))
        } else {
            Ok(())
        }
    }

    /// Writes the result of a call.
    pub(crate) fn result(&self, raw: &RawValue, result: &CallToolResult) -> Result<(), Failure> {
        self.answer(raw, &content::of_call(raw, result), result.is_error)
    }

    /// Writes what a server answered: its pieces for people, all of it for programs. Files are saved first, where they
    /// are wanted; one that cannot be saved takes nothing else with it.
    pub(crate) fn answer(
        &self,
        raw: &RawValue,
        pieces: &[Piece<'_>],
        is_error: bool,
    ) -> Result<(), Failure> {
        let mut full = None;
        let mut texts = Vec::new();
        for piece in pieces {
            texts.push(match piece {
                Piece::Text(text) => text.clone(),
                Piece::File(file) => match self.saved(file)? {
                    Ok(text) => text,
                    Err(failure) => {
                        full.get_or_insert(failure);
                        file.label()
                    }
                },
            });
        }
        match self.format {
            // Without pieces there is nothing to say, not even an empty line.
            Format::Text if texts.is_empty() => {}
            Format::Text => self.text(&texts.join("\n"))?,
            Format::Json => self.json(raw)?,
            Format::Jsonl => self.event(&Done::new(raw, is_error))?,
        }
        full.map_or(Ok(()), Err)
    }

    /// The words for a file, which is saved if that is wanted. The outer error is that of standard output.
    fn saved(&self, file: &File<'_>) -> Result<Result<String, Failure>, Failure> {
        let Some(saver) = &self.saver else {
            return Ok(Ok(match file.body {
                Body::Text(text) => text.to_owned(),
                Body::Base64(_) => file.label(),
            }));
        };
        let label = file.label();
        Ok(match saver.save(file) {
            Ok(path) => {
                self.event(&Saved::new(file, &path))?;
                let path = printable::line(&path.display().to_string());
                if self.format == Format::Json {
                    self.screen.notice(&format!("{label} saved: {path}"));
                }
                Ok(format!("{label} saved: {path}"))
            }
            Err(Unsaved::Broken(problem)) => {
                self.screen
                    .notice(&format!("{label} is not saved: {problem}"));
                Ok(format!("{label} not saved: {problem}"))
            }
            Err(Unsaved::Disk(path, error)) => Err(Failure::Save(path, error)),
        })
    }

    /// Writes a list. One with nothing in it is nothing, which is said beside it.
    pub(crate) fn table(&self, table: &Table) -> io::Result<()> {
        if table.is_empty() {
            return Ok(());
        }
        self.text(&table.text(self.width()))
    }

    /// Writes that there is no result, where programs read.
    pub(crate) fn failure(&self, failure: &Failure) -> io::Result<()> {
        self.event(&Failed::new(failure))
    }

    /// Writes a value on one line; raw parts of it as the server wrote them, digits and order of keys included.
    pub(crate) fn json(&self, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.document(&one_line(serde_json::to_string(value)?))
    }

    /// Writes JSON text. On a terminal what that would obey is escaped, which leaves the value as it is.
    pub(crate) fn document(&self, json: &str) -> io::Result<()> {
        if self.terminal {
            self.write(&visible(json))
        } else {
            self.write(json)
        }
    }

    /// Writes text for people. Nothing but line breaks and tabs reaches a terminal unseen; a pipe gets all as it is.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        if self.terminal {
            self.write(&printable::block(text))
        } else {
            self.write(text)
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let line = if text.is_empty() || text.ends_with('\n') {
            text.to_owned()
        } else {
            format!("{text}\n")
        };
        let write = || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(line.as_bytes())?;
            stdout.flush()
        };
        if self.terminal {
            self.screen.without_bars(write)
        } else {
            write()
        }
    }
}
