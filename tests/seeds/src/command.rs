//! Owns the running of the `mcp-progress` command. Must not know what it is asked to do.

use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;

use crate::peers::Peer;

/// The command: `MCP_PROGRESS`, or the one in the target directory of this test.
///
/// # Panics
///
/// If there is none.
fn program() -> PathBuf {
    if let Some(named) = std::env::var_os("MCP_PROGRESS") {
        return PathBuf::from(named);
    }
    let test = std::env::current_exe().expect("a program knows its own name");
    let name = format!("mcp-progress{}", std::env::consts::EXE_SUFFIX);
    let built = test.ancestors().nth(2).map(|target| target.join(name));
    let built = built.filter(|path| path.is_file());
    built.expect(
        "the command is missing: run `cargo build --features cli --bin mcp-progress` with the same target directory, \
         or name it by MCP_PROGRESS",
    )
}

/// A run of the command.
#[derive(Debug)]
pub struct Program {
    child: Child,
    stdout: JoinHandle<Vec<String>>,
    stderr: UnboundedReceiver<String>,
    shown: Vec<String>,
}

/// How it ended, and what it wrote.
#[derive(Debug)]
pub struct Ended {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: Vec<String>,
    /// Standard error: the progress.
    pub stderr: Vec<String>,
}

impl Program {
    /// Starts it with these words; where there is a `peer`, with that as the server.
    #[must_use]
    pub fn start(words: &[&str], peer: Option<&Peer>) -> Self {
        let mut command = Command::new(program());
        command.args(words);
        if let Some(peer) = peer {
            let (server, variables) = peer.words();
            for variable in variables {
                command.args(["--env", &variable]);
            }
            command.arg("--").args(server);
        }
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the command starts");
        let stdout = tokio::spawn(collected(child.stdout.take().expect("piped")));
        let (sender, stderr) = unbounded_channel();
        let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                // Whoever does not listen any more has seen enough.
                let _ = sender.send(line);
            }
        });
        Self {
            child,
            stdout,
            stderr,
            shown: Vec::new(),
        }
    }

    /// Waits until it shows a line with this text.
    ///
    /// # Panics
    ///
    /// If it ends without.
    pub async fn shows(&mut self, text: &str) {
        while let Some(line) = self.stderr.recv().await {
            let found = line.contains(text);
            self.shown.push(line);
            if found {
                return;
            }
        }
        panic!("never shown: {text:?} in {:?}", self.shown);
    }

    /// Sends it SIGINT, as Ctrl-C does.
    ///
    /// # Panics
    ///
    /// If it has ended.
    pub async fn interrupt(&self) {
        let id = self.child.id().expect("it runs").to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status().await;
        assert!(kill.expect("kill runs").success());
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// If it cannot be waited for.
    pub async fn ended(mut self) -> Ended {
        let status = self.child.wait().await.expect("ours to wait for");
        let mut stderr = self.shown;
        while let Some(line) = self.stderr.recv().await {
            stderr.push(line);
        }
        Ended {
            code: status.code(),
            stdout: self.stdout.await.expect("reads to the end"),
            stderr,
        }
    }
}

async fn collected(stream: impl AsyncRead + Unpin) -> Vec<String> {
    let mut lines = BufReader::new(stream).lines();
    let mut all = Vec::new();
    while let Ok(Some(line)) = lines.next_line().await {
        all.push(line);
    }
    all
}
