//! Owns the finding and starting of servers. Must not know what they serve.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::time::Duration;

use mcp_progress::transport::ServerCommand;
use mcp_progress::{Client, Connect};

use crate::notes::Notes;

/// How long a server may take until it listens: a cold Python on a busy machine takes several seconds.
const START: Duration = Duration::from_secs(60);

/// Where `tests/peers/install` has put the SDKs: `MCP_PEERS_DIR`, or `target/peers`.
///
/// # Panics
///
/// If nothing is installed there: a test without its peer has failed.
fn installed() -> PathBuf {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = std::env::var_os("MCP_PEERS_DIR").map(PathBuf::from);
    let path = named.unwrap_or_else(|| repository.join("target/peers"));
    assert!(
        path.join("versions").is_file(),
        "no peers are installed in {}: run tests/peers/install, or name their directory by MCP_PEERS_DIR",
        path.display()
    );
    path.canonicalize().expect("it is there")
}

/// A server to be started, with its own notes.
#[derive(Debug)]
pub struct Peer {
    program: PathBuf,
    arguments: Vec<PathBuf>,
    variables: Vec<(&'static str, String)>,
    notes: Notes,
}

impl Peer {
    /// One of the servers of `tests/peers`, by the name of its launcher.
    #[must_use]
    pub fn installed(name: &str) -> Self {
        Self::of(installed().join("bin").join(name), name)
    }

    /// A server of this package, on the first TypeScript SDK.
    #[must_use]
    pub fn node(script: &str) -> Self {
        // Node looks for packages upwards from the importing file, so the servers lie beside them.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let there = installed().join("npm/seeds");
        let guard = ONE_AT_A_TIME.lock().expect("nobody panicked");
        fs::create_dir_all(&there).expect("writable");
        for entry in fs::read_dir(servers()).expect("the servers are there") {
            let source = entry.expect("readable").path();
            if source.extension().is_some_and(|kind| kind == "mjs") {
                place(&source, &there);
            }
        }
        drop(guard);
        Self::of(PathBuf::from("node"), script).argument(there.join(script))
    }

    /// A server of this package, on the Python SDK that is installed as `sdk`.
    #[must_use]
    pub fn python(sdk: &str, script: &str) -> Self {
        let root = installed().join(sdk);
        let own = root.join("bin/python");
        let python = if own.is_file() {
            own
        } else {
            PathBuf::from("python3")
        };
        // `listen.py` lies in the root, and the SDK in `site` where there is no virtual environment.
        let modules = format!("{}:{}", root.display(), root.join("site").display());
        Self::of(python, script)
            .argument(servers().join(script))
            .variable("PYTHONPATH", modules)
            .variable("PYTHONDONTWRITEBYTECODE", "1")
    }

    fn of(program: PathBuf, name: &str) -> Self {
        let notes = Notes::new(&installed().join("seeds-notes"), name);
        let peer = Self {
            program,
            arguments: Vec::new(),
            variables: Vec::new(),
            notes,
        };
        let path = peer.notes.path().display().to_string();
        peer.variable("PEER_LOG", path)
    }

    fn argument(mut self, argument: PathBuf) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    /// What it notes.
    #[must_use]
    pub fn notes(&self) -> Notes {
        self.notes.clone()
    }

    /// A connection to it over its standard input and output, to be made.
    pub fn connect(&self) -> Connect {
        let mut command = ServerCommand::new(&self.program).args(&self.arguments);
        for (name, value) in &self.variables {
            command = command.env(name, value);
        }
        Client::connect(command)
    }

    /// Its command line and environment, for whoever starts it: program and arguments, and `NAME=VALUE`.
    #[must_use]
    pub fn words(&self) -> (Vec<String>, Vec<String>) {
        let program = [&self.program].into_iter().chain(&self.arguments);
        let program = program.map(|word| word.display().to_string());
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| format!("{name}={value}"));
        (program.collect(), variables.collect())
    }

    /// Starts it as a server over HTTP, and waits until it listens.
    ///
    /// # Panics
    ///
    /// If it does not listen in time.
    #[must_use]
    pub fn serve(&self) -> Serving {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("PEER_PORT", "0")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(self.notes.beside("stderr.txt"))
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.program.display()));
        let stdout = child.stdout.take().expect("piped");
        let (sender, receiver) = channel();
        // Reads to the end, so that the server never waits for its output.
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(url) = line.strip_prefix("listening ") {
                    // Nobody waits for a second one.
                    let _ = sender.send(url.to_owned());
                }
            }
        });
        let Ok(url) = receiver.recv_timeout(START) else {
            // What matters is that it does not listen.
            let _ = child.kill();
            panic!("{self:?} does not listen");
        };
        Serving { child, url }
    }
}

/// Another name first: a test that runs beside this one in another process never sees half a file.
fn place(source: &Path, there: &Path) {
    let name = source.file_name().expect("a file").to_string_lossy();
    let part = there.join(format!("{name}.{}", std::process::id()));
    fs::copy(source, &part).expect("writable");
    fs::rename(&part, there.join(&*name)).expect("writable");
}

fn servers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("servers")
}

/// A server that serves HTTP. Dropping it ends it; it also ends with this process, since it watches its standard input.
#[derive(Debug)]
pub struct Serving {
    child: Child,
    url: String,
}

impl Serving {
    /// Where it serves.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
