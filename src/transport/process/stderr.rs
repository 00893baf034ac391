//! What a server process writes to its standard error: where it goes, and the report on the end of
//! the process that quotes its last lines.
//!
//! Owns [`Stderr`] and the task that keeps the pipe empty, because a server whose standard error is
//! full blocks in the middle of a call. Must not know: how the process behind the pipe is ended,
//! frames, sessions.

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStderr;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Lines kept for error messages.
const KEPT_LINES: usize = 20;
/// Bytes kept for error messages, all lines together.
const KEPT_BYTES: usize = 4 * 1024;
/// Bytes kept of one line.
const KEPT_LINE: usize = 512;
/// Bytes of one line that a callback is given; the rest of the line is dropped.
const CALLBACK_LINE: usize = 16 * 1024;
/// Bytes read at once.
const CHUNK: usize = 8 * 1024;
/// How long the end of the pipe is awaited once the process is gone. A grandchild that left the
/// process group may hold the pipe open for ever.
const LAST_LINES: Duration = Duration::from_millis(250);

type Callback = Arc<dyn Fn(&str) + Send + Sync>;

/// Where the standard error of a server process goes.
///
/// Servers log there as they like; output does not mean that something is wrong (2026-07-28,
/// transport stdio).
#[derive(Clone, Default)]
#[non_exhaustive]
pub enum Stderr {
    /// The server shares this program's standard error. Nothing is read, so that error messages
    /// cannot quote the server's last lines. This is the default.
    #[default]
    Inherit,
    /// The output is read and thrown away but for its last lines (20 lines and 4 KiB at most, 512
    /// bytes of each line), which error messages quote when the server dies.
    Discard,
    /// As [`Discard`](Self::Discard), and each line is handed to this function, without its line
    /// end, invalid UTF-8 replaced, and cut after 16 KiB.
    ///
    /// It is called on a thread of the runtime and should return soon: while it runs nothing is
    /// read, and a server whose standard error is full waits. After a panic it is not called again.
    Callback(Arc<dyn Fn(&str) + Send + Sync>),
}

impl Stderr {
    /// [`Stderr::Callback`] from a closure.
    pub fn callback(f: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self::Callback(Arc::new(f))
    }
}

impl fmt::Debug for Stderr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Inherit => "Inherit",
            Self::Discard => "Discard",
            Self::Callback(_) => "Callback(..)",
        })
    }
}

/// How a server process ended. `Display` continues a sentence whose subject is the server.
#[derive(Clone, Debug, Default)]
pub(crate) struct ExitReport {
    /// Whether the process has ended and is reaped.
    pub(crate) ended: bool,
    /// Empty while the process runs, and when another part of the program took its status.
    pub(crate) status: Option<ExitStatus>,
    /// The last lines of the standard error, oldest first; empty with [`Stderr::Inherit`].
    pub(crate) stderr_tail: Vec<String>,
}

/// The end alone; the last lines are in [`ExitReport::last_lines`].
impl fmt::Display for ExitReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => match (status.code(), signal_name(status)) {
                (Some(code), _) => write!(f, "exited with code {code}"),
                (None, Some(signal)) => write!(f, "was ended by {signal}"),
                (None, None) => write!(f, "ended ({status})"),
            },
            None if self.ended => f.write_str("ended, its exit status is unknown"),
            None => f.write_str("is still running"),
        }
    }
}

impl ExitReport {
    /// What the process wrote last to its standard error, for the end of an error message.
    pub(crate) fn last_lines(&self) -> Option<String> {
        if self.stderr_tail.is_empty() {
            return None;
        }
        let mut text = "its standard error ended with:".to_owned();
        for line in &self.stderr_tail {
            text.push_str("\n  ");
            // Colours and cursor movements of a server's log do not belong in our error message.
            let odd = |char: char| char.is_control() && char != '\t';
            text.extend(line.chars().map(|char| {
                if odd(char) {
                    char::REPLACEMENT_CHARACTER
                } else {
                    char
                }
            }));
        }
        Some(text)
    }
}

#[cfg(unix)]
fn signal_name(status: ExitStatus) -> Option<String> {
    use std::os::unix::process::ExitStatusExt as _;
    let number = status.signal()?;
    Some(match nix::sys::signal::Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    })
}

#[cfg(not(unix))]
fn signal_name(_: ExitStatus) -> Option<String> {
    None
}

/// The task that empties the pipe, and what it has kept. Dropping it ends the task.
#[derive(Debug)]
pub(crate) struct StderrTail {
    kept: Arc<Mutex<Kept>>,
    reader: JoinHandle<()>,
}

impl StderrTail {
    /// Starts to read `pipe` on `runtime`.
    pub(crate) fn start(pipe: ChildStderr, mode: &Stderr, runtime: &Handle) -> Self {
        let callback = match mode {
            Stderr::Callback(f) => Some(Arc::clone(f)),
            Stderr::Inherit | Stderr::Discard => None,
        };
        let kept = Arc::new(Mutex::new(Kept::default()));
        let reader = runtime.spawn(drain(pipe, Arc::clone(&kept), callback));
        Self { kept, reader }
    }

    /// The last lines. Once the process is gone this waits a moment for what is still in the pipe.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn last_lines(&mut self, gone: bool) -> Vec<String> {
        if gone && !self.reader.is_finished() {
            // Late or failed reading only means fewer lines.
            let _ = timeout(LAST_LINES, &mut self.reader).await;
        }
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.lines.iter().cloned().collect()
    }
}

impl Drop for StderrTail {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

/// Reads to the end. A read error ends it too: there is nothing left to drain then.
async fn drain(mut pipe: ChildStderr, kept: Arc<Mutex<Kept>>, mut callback: Option<Callback>) {
    let mut line = Vec::new();
    let mut emit = |line: &mut Vec<u8>| {
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        let text = String::from_utf8_lossy(line);
        kept.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(&text);
        if let Some(f) = &callback
            && catch_unwind(AssertUnwindSafe(|| f(&text))).is_err()
        {
            callback = None;
        }
        line.clear();
    };
    let mut chunk = vec![0; CHUNK];
    while let Ok(read) = pipe.read(&mut chunk).await
        && read > 0
    {
        for piece in chunk[..read].split_inclusive(|&byte| byte == b'\n') {
            let (text, ended) = match piece {
                [text @ .., b'\n'] => (text, true),
                text => (text, false),
            };
            let room = CALLBACK_LINE.saturating_sub(line.len());
            line.extend_from_slice(&text[..text.len().min(room)]);
            if ended {
                emit(&mut line);
            }
        }
    }
    if !line.is_empty() {
        emit(&mut line);
    }
}

/// The last lines within the limits.
#[derive(Debug, Default)]
struct Kept {
    lines: VecDeque<String>,
    bytes: usize,
}

impl Kept {
    fn push(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        let mut end = line.len().min(KEPT_LINE);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes += end;
        self.lines.push_back(line[..end].to_owned());
        while self.lines.len() > KEPT_LINES || self.bytes > KEPT_BYTES {
            let Some(oldest) = self.lines.pop_front() else {
                break;
            };
            self.bytes -= oldest.len();
        }
    }
}
