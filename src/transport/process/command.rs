//! How a server process is started.
//!
//! Owns the command and its clear errors. It must not know how the process is ended.

use std::ffi::OsString;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;

use super::guard::{ChildGuard, Process, Tree};
use super::lookup::has_directory;
use super::stderr::{Stderr, StderrTail};

/// Default of [`ServerCommand::close_grace`] and [`ServerCommand::kill_grace`].
const GRACE: Duration = Duration::from_secs(2);
/// How to start a server that speaks MCP over its standard input and output.
///
/// The process runs in a process group of its own (in a job object on Windows), so that Ctrl-C in a
/// terminal reaches your program only and the server is ended by the client: standard input closes,
/// after [`close_grace`](Self::close_grace) the group gets SIGTERM, after
/// [`kill_grace`](Self::kill_grace) SIGKILL (2026-07-28, transport stdio, "Shutdown").
///
/// `Debug` shows neither the arguments nor the values of environment variables, which often are
/// secrets.
#[derive(Clone)]
pub struct ServerCommand {
    program: OsString,
    args: Vec<OsString>,
    env: Vec<(OsString, OsString)>,
    env_clear: bool,
    current_dir: Option<PathBuf>,
    stderr: Stderr,
    close_grace: Duration,
    kill_grace: Duration,
}

impl ServerCommand {
    /// A command for `program`, a path or a name that is looked up in `PATH`.
    ///
    /// On Windows a name without an extension is looked up with every extension of `PATHEXT`, so
    /// that `npx` finds `npx.cmd`.
    pub fn new(program: impl Into<OsString>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            env_clear: false,
            current_dir: None,
            stderr: Stderr::default(),
            close_grace: GRACE,
            kill_grace: GRACE,
        }
    }

    /// Adds an argument. No shell is involved, so nothing needs quotes.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable; all others are those of this program.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Lets the server have only the variables set by [`env`](Self::env), before or after this.
    /// Windows programs rarely run without `SystemRoot`.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.env_clear = true;
        self
    }

    /// The working directory of the server; this program's own by default. Whether a relative path
    /// of a program starts there depends on the platform, so give an absolute one.
    #[must_use]
    pub fn current_dir(mut self, dir: impl Into<PathBuf>) -> Self {
        self.current_dir = Some(dir.into());
        self
    }

    /// Where the standard error goes; [`Stderr::Inherit`] by default.
    #[must_use]
    pub fn stderr(mut self, stderr: Stderr) -> Self {
        self.stderr = stderr;
        self
    }

    /// How long the server may take to end by itself once its standard input is closed; 2 s by
    /// default. Then its process group gets SIGTERM. Windows has no such signal.
    #[must_use]
    pub fn close_grace(mut self, grace: Duration) -> Self {
        self.close_grace = grace;
        self
    }

    /// How long the process group may take to end after SIGTERM until it is killed; 2 s by default.
    #[must_use]
    pub fn kill_grace(mut self, grace: Duration) -> Self {
        self.kill_grace = grace;
        self
    }

    /// Starts the process. Needs the context of a runtime with I/O and time enabled: the process is
    /// watched, and ended after a drop, by that runtime.
    ///
    /// # Errors
    ///
    /// There is no runtime, the working directory does not exist, or the program cannot be started;
    /// the message names the program or the directory, the kind is the one of the system.
    pub(crate) fn spawn(&self) -> io::Result<RunningServer> {
        let runtime = Handle::try_current().map_err(io::Error::other)?;
        self.check_dir()?;
        let (tree, pipes) = Tree::spawn(self.command()).map_err(|e| self.explain(&e))?;
        let (stdin, stdout, stderr) = pipes;
        let stderr = stderr.map(|pipe| StderrTail::start(pipe, &self.stderr, &runtime));
        // From here on the guard ends the process, whatever comes.
        let child = ChildGuard {
            process: Some(Process {
                tree,
                stderr,
                close_grace: self.close_grace,
                kill_grace: self.kill_grace,
            }),
            runtime: Some(runtime),
        };
        let (Some(stdin), Some(stdout)) = (stdin, stdout) else {
            return Err(io::Error::other("the server process has no pipes"));
        };
        Ok(RunningServer {
            stdin,
            stdout,
            child,
        })
    }

    fn command(&self) -> Command {
        #[cfg(windows)]
        let mut command = Command::new(lookup::program(&self.program, &self.env));
        #[cfg(not(windows))]
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        if self.env_clear {
            command.env_clear();
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        if let Some(dir) = &self.current_dir {
            command.current_dir(dir);
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command.stderr(match self.stderr {
            Stderr::Inherit => Stdio::inherit(),
            Stderr::Discard | Stderr::Callback(_) => Stdio::piped(),
        });
        command
    }

    /// Looked at before the start, because the system reports a missing directory and a missing
    /// program by the same code. (If it disappears in between, the message is the vaguer one.)
    fn check_dir(&self) -> io::Result<()> {
        let Some(dir) = &self.current_dir else {
            return Ok(());
        };
        let problem = match std::fs::metadata(dir) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => io::Error::from(io::ErrorKind::NotADirectory),
            Err(error) => error,
        };
        let dir = dir.display();
        let text = format!("cannot start the server in the directory `{dir}`: {problem}");
        Err(io::Error::new(problem.kind(), text))
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        let hint = match error.kind() {
            io::ErrorKind::NotFound if has_directory(&self.program) => {
                "; is the path right, and is the interpreter of a script there?"
            }
            io::ErrorKind::NotFound => "; is it installed, and is its directory in PATH?",
            io::ErrorKind::PermissionDenied => "; is it an executable file?",
            _ => "",
        };
        let program = self.program.display();
        let text = format!("cannot start the server `{program}`: {error}{hint}");
        io::Error::new(error.kind(), text)
    }
}

impl fmt::Debug for ServerCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&OsString> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("ServerCommand")
            .field("program", &self.program)
            .field("args", &format_args!("{} hidden", self.args.len()))
            .field("env", &names)
            .field("env_clear", &self.env_clear)
            .field("current_dir", &self.current_dir)
            .field("stderr", &self.stderr)
            .field("close_grace", &self.close_grace)
            .field("kill_grace", &self.kill_grace)
            .finish()
    }
}

/// A started server: the pipes for the transport, and the guard that ends the process.
#[derive(Debug)]
pub(crate) struct RunningServer {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) child: ChildGuard,
}
