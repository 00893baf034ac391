//! Owns the running of one command: its lines, its exit code, a deadline, an interrupt.
//! Must not know what the lines mean.

use std::{
    ffi::OsString,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// What a command said and how it ended.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Standard output, line by line.
    pub lines: Vec<String>,
    /// Standard error.
    pub stderr: String,
    /// The exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Whether the deadline passed and the command was killed.
    pub overdue: bool,
}

/// How long the rest of standard error may take once the command is gone: somebody who outlives
/// the command may hold the pipe open.
const STDERR_GRACE: Duration = Duration::from_secs(2);

/// Runs `program`, and sends it an interrupt (as Ctrl-C does) after the first line for which
/// `interrupt_at` says so.
///
/// # Errors
///
/// The command cannot be started or interrupted.
pub fn run(
    program: &OsString,
    arguments: &[OsString],
    deadline: Duration,
    mut interrupt_at: impl FnMut(&str) -> bool,
) -> Result<Outcome, String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let lines = lines_of(child.stdout.take());
    let stderr = rest_of(child.stderr.take());

    let end = Instant::now() + deadline;
    let mut outcome = Outcome::default();
    let mut interrupted = false;
    loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => {
                if !interrupted && interrupt_at(&line) {
                    interrupt(&child)?;
                    interrupted = true;
                }
                outcome.lines.push(line);
            }
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {
                outcome.overdue = true;
                break;
            }
        }
    }
    outcome.code = wait(&mut child, end, &mut outcome.overdue)?;
    outcome.stderr = stderr.recv_timeout(STDERR_GRACE).unwrap_or_default();
    Ok(outcome)
}

fn lines_of(stdout: Option<ChildStdout>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(stdout) = stdout {
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

fn rest_of(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
            let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
        });
    }
    receiver
}

/// The standard library cannot send signals, so the `kill` command does.
fn interrupt(child: &Child) -> Result<(), String> {
    let status = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .map_err(|error| format!("cannot run kill: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("kill ended with {status}"))
    }
}

/// Standard output may close a moment before the process ends, so the deadline counts here too.
fn wait(child: &mut Child, end: Instant, overdue: &mut bool) -> Result<Option<i32>, String> {
    loop {
        let ended = child
            .try_wait()
            .map_err(|error| format!("cannot wait: {error}"))?;
        if let Some(status) = ended {
            return Ok(status.code());
        }
        if *overdue || Instant::now() >= end {
            *overdue = true;
            child
                .kill()
                .map_err(|error| format!("cannot kill: {error}"))?;
            return child
                .wait()
                .map(|status| status.code())
                .map_err(|error| format!("cannot wait: {error}"));
        }
        thread::sleep(Duration::from_millis(5));
    }
}
