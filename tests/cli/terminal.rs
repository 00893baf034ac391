//! Owns a terminal for the command: what is written there, and what is typed. It must not know what either means.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use nix::pty::openpty;

use crate::program::{COMMAND, wait};

/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);

/// A run of the command with a terminal for standard input and standard error.
pub(crate) struct AtTerminal {
    child: Child,
    keys: File,
    written: Receiver<String>,
    /// All that was written so far, and how much of it was expected.
    screen: String,
    seen: usize,
    stdout: Receiver<String>,
}

/// Starts the command.
pub(crate) fn start(args: &[&str]) -> AtTerminal {
    begin(Command::new(COMMAND).args(args))
}

/// Starts the command with its standard output at the terminal, too.
pub(crate) fn start_whole(args: &[&str]) -> AtTerminal {
    let mut shell = Command::new("sh");
    begin(
        shell
            .args(["-c", r#"exec "$0" "$@" >&2"#, COMMAND])
            .args(args),
    )
}

fn begin(command: &mut Command) -> AtTerminal {
    let pair = openpty(None, None).expect("the system has terminals");
    let keys = File::from(pair.master);
    let slave = |file: &OwnedFd| Stdio::from(file.try_clone().expect("a handle more"));
    let mut child = command
        .env("TERM", "xterm")
        .stdin(slave(&pair.slave))
        .stderr(slave(&pair.slave))
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // Else the terminal never ends.
    drop(pair.slave);
    let mut screen = keys.try_clone().expect("a handle more");
    let (sender, written) = channel();
    thread::spawn(move || {
        let mut chunk = [0; 4096];
        // A terminal that nobody writes to any more ends with an error on some systems.
        while let Ok(n @ 1..) = screen.read(&mut chunk) {
            let text = String::from_utf8_lossy(&chunk[..n]).into_owned();
            if sender.send(text).is_err() {
                return;
            }
        }
    });
    let mut stdout = child.stdout.take().expect("piped");
    let (sender, rest) = channel();
    thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).expect("UTF-8");
        let _ = sender.send(text);
    });
    AtTerminal {
        child,
        keys,
        written,
        screen: String::new(),
        seen: 0,
        stdout: rest,
    }
}

impl AtTerminal {
    /// Waits until `text` is written, behind what was expected before.
    pub(crate) fn expect(&mut self, text: &str) {
        loop {
            if let Some(at) = self.screen[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            match self.written.recv_timeout(DEADLINE) {
                Ok(more) => self.screen.push_str(&more),
                Err(error) => panic!(
                    "{error}: {text:?} is not in {:?}",
                    &self.screen[self.seen..]
                ),
            }
        }
    }

    pub(crate) fn keys(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal is there");
    }

    /// Waits for `prompt`, and types a line.
    pub(crate) fn answer(&mut self, prompt: &str, line: &str) {
        self.expect(prompt);
        self.keys(&format!("{line}\n"));
    }

    /// Waits until the file is there.
    pub(crate) fn wait_for(&self, file: &Path) {
        let pause = Duration::from_millis(5);
        for _ in 0..DEADLINE.as_millis() / pause.as_millis() {
            if file.exists() {
                return;
            }
            thread::sleep(pause);
        }
        panic!("{} does not come", file.display());
    }

    /// Sends SIGINT, as the terminal does on Ctrl-C to those for whom it is the controlling one.
    pub(crate) fn interrupt(&self) {
        let id = self.child.id().to_string();
        let status = Command::new("kill").args(["-INT", &id]).status();
        assert!(status.expect("kill runs").success());
    }

    /// The exit code, standard output, and all that was written to the terminal.
    pub(crate) fn finish(mut self) -> (Option<i32>, String, String) {
        let code = wait(&mut self.child);
        let stdout = self.stdout.recv_timeout(DEADLINE).expect("the stream ends");
        while let Ok(more) = self.written.recv_timeout(DEADLINE) {
            self.screen.push_str(&more);
        }
        (code, stdout, self.screen)
    }
}
