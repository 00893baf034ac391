//! What every subcommand works with: both streams and the interrupt.
//!
//! Owns the beginning and the end that they share: connecting, reporting a failure, closing in good order. It must not
//! know what they do in between.

use std::io;
use std::time::Duration;

use mcp_progress::{Client, Connect};
use tokio::time::timeout;

use crate::args::cli::Command;
use crate::failure::{Failure, code};
use crate::interrupt::Interrupt;
use crate::show::output::Output;
use crate::show::save::Saver;
use crate::show::screen::{Screen, Style, WITHDRAWN};

/// How long the server may take to hear of a cancel and to end.
const FLUSH: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) output: Output,
    pub(crate) screen: Screen,
    pub(crate) interrupt: Interrupt,
    /// Whether questions of the server are events of the output: not where each line is the result of a call.
    pub(crate) tells_questions: bool,
}

impl Context {
    /// Opens the streams and listens for signals. It must be called within a runtime.
    pub(crate) fn new(command: &Command) -> io::Result<Self> {
        let (format, mode) = command.streams();
        let screen = Screen::new(Style::choose(mode));
        let saver = command.save().map(|dir| Saver::new(dir.clone()));
        Ok(Self {
            output: Output::new(format, screen.clone(), saver),
            interrupt: Interrupt::listen(screen.clone())?,
            screen,
            tells_questions: !matches!(command, Command::Run(_)),
        })
    }

    /// Connects, does `work`, and ends in good order.
    pub(crate) async fn with(
        &self,
        connect: Result<Connect, Failure>,
        work: impl AsyncFnOnce(&Client) -> Result<u8, Failure>,
    ) -> u8 {
        let connect = self.output.prepare().and(connect);
        match self.open(connect).await {
            Ok(client) => {
                let done = work(&client).await;
                self.finish(&client, done).await
            }
            Err(failure) => self.report(&failure),
        }
    }

    /// Connects, unless interrupted; the server is ended then.
    async fn open(&self, connect: Result<Connect, Failure>) -> Result<Client, Failure> {
        self.unless_interrupted(async { Ok(connect?.await?) }).await
    }

    /// Does `work`, which is dropped at an interrupt.
    pub(crate) async fn unless_interrupted<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            done = work => done,
            () = self.interrupt.happened() => Err(Failure::Interrupted),
        }
    }

    /// Says on both streams what went wrong, and gives the exit code for it.
    pub(crate) fn report(&self, failure: &Failure) -> u8 {
        self.interrupt.disarm();
        if !failure.is_silent() {
            // Where standard output is gone the other stream still says it.
            let _ = self.output.failure(failure);
            self.screen.failure(failure);
        }
        failure.code()
    }

    /// The end of a run that has no server: what went wrong is said.
    pub(crate) fn ended(&self, done: Result<u8, Failure>) -> u8 {
        done.unwrap_or_else(|failure| self.report(&failure))
    }

    /// The end of every run with a server: what went wrong is said, what is queued is written, the server is given time to end.
    async fn finish(&self, client: &Client, done: Result<u8, Failure>) -> u8 {
        let word = (!self.interrupt.is_set()).then_some(WITHDRAWN);
        self.screen.release(word);
        let code = done.unwrap_or_else(|failure| self.report(&failure));
        if self.interrupt.is_set() {
            // Writes the cancel and closes the server's input before anything is killed. Whatever takes longer is
            // killed with the runtime.
            let _ = timeout(FLUSH, client.close()).await;
        } else {
            tokio::select! {
                () = client.close() => {}
                // The outcome stands; only the patience with the server's end is over.
                () = self.interrupt.happened() => {}
            }
        }
        code
    }
}

/// The exit code of a result.
pub(crate) const fn code_of(is_error: bool) -> u8 {
    if is_error { code::TOOL_ERROR } else { code::OK }
}
