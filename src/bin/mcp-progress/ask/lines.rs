//! Lines that somebody types at the terminal.
//!
//! Owns the one thread that reads them, which may hang in its read until the program ends. It must not know what is
//! asked.

use std::io::{self, BufRead as _};
use std::sync::{OnceLock, mpsc};
use std::thread;

use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// What came: a line without its end, or none for Ctrl-D.
type Line = Option<String>;

/// Standard input, line by line.
#[derive(Debug)]
pub(crate) struct Lines {
    wanted: mpsc::Sender<()>,
    lines: UnboundedReceiver<Line>,
    /// Whether the thread is in a read that was asked for. It may be one that nobody waits for any more.
    reading: bool,
}

impl Lines {
    /// The one reader of standard input, for one dialog at a time: two would take each other's lines. None where its
    /// thread cannot be started.
    pub(crate) fn of_this_process() -> Option<&'static Mutex<Self>> {
        static LINES: OnceLock<Option<Mutex<Lines>>> = OnceLock::new();
        let lines = LINES.get_or_init(|| Self::start().ok().map(Mutex::new));
        lines.as_ref()
    }

    /// Starts the thread, which reads nothing until it is asked to.
    fn start() -> io::Result<Self> {
        let (wanted, requests) = mpsc::channel();
        let (sender, lines) = unbounded_channel();
        thread::Builder::new()
            .name("terminal".to_owned())
            .spawn(move || {
                // One line for one request, so that an input that is at its end is not read in a circle.
                while requests.recv().is_ok() && sender.send(read()).is_ok() {}
            })?;
        Ok(Self {
            wanted,
            lines,
            reading: false,
        })
    }

    /// Forgets what was typed before this: nobody had been asked then.
    pub(crate) fn forget(&mut self) {
        forget_typed();
        while self.lines.try_recv().is_ok() {
            self.reading = false;
        }
    }

    /// The next line; none for Ctrl-D, or where standard input is gone.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Line {
        if !self.reading {
            self.wanted.send(()).ok()?;
            self.reading = true;
        }
        let line = self.lines.recv().await;
        self.reading = false;
        line.flatten()
    }
}

/// Throws away what was typed and not read.
pub(crate) fn forget_typed() {
    #[cfg(unix)]
    {
        use nix::sys::termios::{FlushArg, tcflush};
        // Best effort; standard input was a terminal when this began.
        let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
    }
}

fn read() -> Line {
    let mut bytes = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut bytes) {
        Ok(1..) => {
            let line = String::from_utf8_lossy(&bytes);
            Some(line.trim_end_matches(['\r', '\n']).to_owned())
        }
        Ok(0) | Err(_) => None,
    }
}
