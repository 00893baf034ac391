//! `wire-tee LOGFILE -- COMMAND…`: runs the command, passes on what goes in and out, and appends
//! each line to the log, with its direction and time, before it passes it on.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions},
    io::{BufRead, BufReader, Read, Write},
    process::{Command, ExitCode, Stdio},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use peers_harness::{
    options::Options,
    wire::{Side, ended, exited, passed},
};

/// One file and one clock for both directions, so that the log's order is the order of passing.
struct Log {
    file: Mutex<File>,
    started: Instant,
}

impl Log {
    fn write(&self, text: impl FnOnce(u128) -> String) {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let line = text(self.started.elapsed().as_micros()) + "\n";
        if let Err(error) = file.write_all(line.as_bytes()) {
            eprintln!("wire-tee: cannot write the log: {error}");
        }
    }
}

/// Passes lines on until the end. If the receiver is gone the rest is still logged.
fn pump(log: &Log, from: Side, source: impl Read, sink: impl Write) {
    let mut source = BufReader::new(source);
    let mut sink = Some(sink);
    let mut line = Vec::new();
    while source
        .read_until(b'\n', &mut line)
        .is_ok_and(|read| read > 0)
    {
        log.write(|t_us| passed(t_us, from, &line));
        sink = sink.and_then(|mut sink| {
            sink.write_all(&line)
                .and_then(|()| sink.flush())
                .is_ok()
                .then_some(sink)
        });
        line.clear();
    }
    log.write(|t_us| ended(t_us, from));
}

fn run() -> Result<i32, String> {
    let mut options = Options::of_process();
    let path = options.path("wire-tee")?;
    let mut command = options.remaining();
    if command.first().is_none_or(|separator| separator != "--") || command.len() < 2 {
        return Err("usage: wire-tee LOGFILE -- COMMAND…".to_owned());
    }
    let program: OsString = command.remove(1);
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.map_err(|error| format!("{}: {error}", path.display()))?;
    let log = Arc::new(Log {
        file: Mutex::new(file),
        started: Instant::now(),
    });

    let mut child = Command::new(&program)
        .args(&command[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {}: {error}", program.display()))?;
    let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err("the command has no pipes".to_owned());
    };
    // Nobody joins this thread: it may wait for a client that never closes its end.
    let inward = Arc::clone(&log);
    thread::spawn(move || pump(&inward, Side::Client, std::io::stdin(), input));
    pump(&log, Side::Server, output, std::io::stdout());

    let status = child
        .wait()
        .map_err(|error| format!("cannot wait: {error}"))?;
    let code = status.code().unwrap_or_else(|| 128 + signal_of(status));
    log.write(|t_us| exited(t_us, code));
    Ok(code)
}

#[cfg(unix)]
fn signal_of(status: std::process::ExitStatus) -> i32 {
    std::os::unix::process::ExitStatusExt::signal(&status).unwrap_or(0)
}

#[cfg(not(unix))]
const fn signal_of(_status: std::process::ExitStatus) -> i32 {
    0
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => std::process::exit(code),
        Err(error) => {
            eprintln!("wire-tee: {error}");
            ExitCode::from(2)
        }
    }
}
