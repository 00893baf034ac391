//! The child process behind the stdio transport: how it is started, what is said about its end, and
//! how it is ended together with everything that it started.
//!
//! Owns the process, its process group (a job object on Windows) and its grace periods. Must not
//! know: frames, requests, sessions, and when a server ought to be restarted.
//!
//! A server is seldom one process: `npx` and `uvx` are wrappers, and ending only the wrapper leaves
//! the server behind. So every signal goes to the whole group. A process that moves to a group or
//! session of its own leaves our reach on Unix; closing the standard input is all that it sees.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::stderr::{ExitReport, Stderr, StderrTail};

/// Default of [`ServerCommand::close_grace`] and [`ServerCommand::kill_grace`].
const GRACE: Duration = Duration::from_secs(2);
/// How long a killed group is awaited. Only a process stuck in the kernel takes longer.
const REAP_LIMIT: Duration = Duration::from_secs(1);
/// Pauses between two looks at whether a group is empty: the system does not tell by itself.
const LOOK_FIRST: Duration = Duration::from_millis(1);
const LOOK_LAST: Duration = Duration::from_millis(50);

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

fn has_directory(program: &OsStr) -> bool {
    Path::new(program).components().nth(1).is_some()
}

/// A started server: the pipes for the transport, and the guard that ends the process.
#[derive(Debug)]
pub(crate) struct RunningServer {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) child: ChildGuard,
}

/// Answers for the process: while it lives the process may, once it is gone so is the whole group.
///
/// Dropped before [`shut_down`](Self::shut_down) has finished (also by cancelling that future, and
/// while unwinding) it sends SIGTERM and leaves the rest to a task of the runtime that started the
/// process; where that runtime has ended or ends, the group is killed at once. Nothing blocks. A
/// runtime that is neither driven nor dropped never comes to the kill.
///
/// A group keeps its number for as long as it has a member, the unreaped leader included. Only
/// after we have reaped the leader *and* the last other member has ended may the system give the
/// number to a stranger, whom a late signal would hit. The group is looked at immediately after the
/// leader is reaped, and never signalled again once it was seen empty; what is left of the race is
/// a group that empties and whose number is reused between two looks.
#[derive(Debug)]
pub(crate) struct ChildGuard {
    /// Empty only while being dropped.
    process: Option<Process>,
    /// Where the end of a dropped guard goes on; empty if it already is there.
    runtime: Option<Handle>,
}

impl ChildGuard {
    /// Waits up to `limit` for the process to end, and tells how it ended and what it wrote last to
    /// its standard error. Meant for the end of the standard output, where the exit is a matter of
    /// moments. Ends nothing itself (on Windows what has outlived its leader).
    ///
    /// Needs the context of a runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing; a later call still has the report.
    pub(crate) async fn exit_report(&mut self, limit: Duration) -> ExitReport {
        let Some(process) = &mut self.process else {
            return ExitReport::default();
        };
        // On time-out the report says that the process is still running.
        let _ = timeout(limit, process.tree.leader()).await;
        // Without a pause after the reaping, see the race above.
        process.tree.is_gone();
        process.report().await
    }

    /// Ends the process and its group and reaps it. The caller has dropped the standard input.
    ///
    /// Waits `close_grace` for a voluntary end of the whole group, sends SIGTERM, waits
    /// `kill_grace`, kills. Takes at most both graces and about one second more. Needs the context
    /// of a runtime with time enabled.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops the guard: the group is ended all the same, in the background.
    pub(crate) async fn shut_down(mut self) -> ExitReport {
        let Some(process) = &mut self.process else {
            return ExitReport::default();
        };
        if !process.gone_within(process.close_grace).await {
            process.tree.terminate();
            process.kill_after_grace().await;
            // No second round for what is stuck in the kernel.
            self.runtime = None;
        }
        process.report().await
    }
}

impl Drop for ChildGuard {
    fn drop(&mut self) {
        let Some(mut process) = self.process.take() else {
            return;
        };
        if process.tree.look() {
            return;
        }
        if let Some(runtime) = self.runtime.take() {
            process.tree.terminate();
            // A runtime that has ended or ends drops the future, and with it this second guard,
            // which has no runtime and so kills at once.
            let mut rest = Self {
                process: Some(process),
                runtime: None,
            };
            runtime.spawn(async move {
                if let Some(process) = &mut rest.process {
                    process.kill_after_grace().await;
                }
            });
        } else {
            process.tree.kill();
            // A killed process takes a moment to end and there is no runtime to wait on, so a thread
            // reaps it. Without a thread the next runtime in this program does, if there is one.
            let _ = thread::Builder::new()
                .name("mcp-progress-reap".to_owned())
                .spawn(move || {
                    (0..1_000).any(|_| {
                        thread::sleep(LOOK_FIRST);
                        process.tree.look()
                    })
                });
        }
    }
}

/// A process with its grace periods and the tail of its standard error.
#[derive(Debug)]
struct Process {
    tree: Tree,
    stderr: Option<StderrTail>,
    close_grace: Duration,
    kill_grace: Duration,
}

impl Process {
    /// Waits until the leader is reaped and its group empty; false when `limit` came first.
    async fn gone_within(&mut self, limit: Duration) -> bool {
        let gone = async {
            self.tree.leader().await;
            let mut pause = LOOK_FIRST;
            while !self.tree.is_gone() {
                sleep(pause).await;
                pause = (pause * 2).min(LOOK_LAST);
            }
        };
        timeout(limit, gone).await.is_ok()
    }

    /// The second half of the end, after SIGTERM.
    async fn kill_after_grace(&mut self) {
        if !self.gone_within(self.kill_grace).await {
            self.tree.kill();
            self.gone_within(REAP_LIMIT).await;
        }
    }

    async fn report(&mut self) -> ExitReport {
        let ended = self.tree.leader.is_some();
        let stderr_tail = match &mut self.stderr {
            Some(tail) => tail.last_lines(ended).await,
            None => Vec::new(),
        };
        ExitReport {
            ended,
            status: self.tree.leader.flatten(),
            stderr_tail,
        }
    }
}

/// Standard input, output and error of a process just started.
type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

#[cfg(unix)]
use unix::Tree;
#[cfg(windows)]
use windows::Tree;

#[cfg(unix)]
mod unix {
    //! A process group.

    use super::{Command, ExitStatus, Pipes, io};
    use nix::sys::signal::{Signal, killpg};
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    use nix::unistd::Pid;
    use tokio::process::Child;

    #[derive(Debug)]
    pub(super) struct Tree {
        child: Child,
        group: Pid,
        /// Set once the leader has ended and is reaped; its status, if nobody else took it.
        pub(super) leader: Option<Option<ExitStatus>>,
        /// The group was seen empty: never signal it again.
        empty: bool,
    }

    impl Tree {
        pub(super) fn spawn(mut command: Command) -> io::Result<(Self, Pipes)> {
            let mut child = command.process_group(0).spawn()?;
            let number = child.id().and_then(|id| i32::try_from(id).ok());
            let number = number.ok_or_else(|| io::Error::other("a process without a number"))?;
            let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
            let pipes = (stdin, stdout, child.stderr.take());
            let tree = Self {
                child,
                group: Pid::from_raw(number),
                leader: None,
                empty: false,
            };
            Ok((tree, pipes))
        }

        /// Waits for the leader and reaps it. Nothing is lost when the future is dropped.
        pub(super) async fn leader(&mut self) {
            if self.leader.is_none() {
                // It fails only if the status was taken by someone who reaps every child of this
                // program; gone it is all the same.
                self.leader = Some(self.child.wait().await.ok());
            }
        }

        /// Whether the leader is reaped and nobody else is in the group, without waiting.
        pub(super) fn look(&mut self) -> bool {
            if self.leader.is_none() {
                self.leader = self.child.try_wait().transpose().map(Result::ok);
            }
            self.is_gone()
        }

        /// As [`look`](Self::look), but does not reap the leader.
        pub(super) fn is_gone(&mut self) -> bool {
            if self.leader.is_some() && !self.empty {
                // Orphans come to us if this program is process 1 of a container or a subreaper.
                // Left unreaped they would stay in the group for ever.
                let any_of_group = Pid::from_raw(-self.group.as_raw());
                while let Ok(status) = waitpid(any_of_group, Some(WaitPidFlag::WNOHANG))
                    && status != WaitStatus::StillAlive
                {}
                // ESRCH: nobody is left. EPERM: nobody whom we could signal.
                self.empty = killpg(self.group, None).is_err();
            }
            self.empty
        }

        /// Asks the group to end.
        pub(super) fn terminate(&mut self) {
            self.signal(Signal::SIGTERM);
        }

        /// Ends the group.
        pub(super) fn kill(&mut self) {
            self.signal(Signal::SIGKILL);
        }

        fn signal(&mut self, signal: Signal) {
            if !self.is_gone() {
                // It fails if the group has ended since.
                let _ = killpg(self.group, signal);
            }
        }
    }
}

#[cfg(windows)]
mod windows {
    //! A job object. The system ends it with its last handle, so not even an abort of this program
    //! leaves a process behind. There is no polite signal: what outlives the leader is ended with it.

    use super::{Command, ExitStatus, Pipes, io};
    use process_wrap::tokio::{ChildWrapper, CommandWrap, JobObject, KillOnDrop};

    #[derive(Debug)]
    pub(super) struct Tree {
        child: Box<dyn ChildWrapper>,
        /// Set once the leader has ended; its status, if there is one.
        pub(super) leader: Option<Option<ExitStatus>>,
        ended: bool,
    }

    impl Tree {
        pub(super) fn spawn(command: Command) -> io::Result<(Self, Pipes)> {
            let mut command = CommandWrap::from(command);
            let mut child = command.wrap(KillOnDrop).wrap(JobObject).spawn()?;
            let (stdin, stdout) = (child.stdin().take(), child.stdout().take());
            let pipes = (stdin, stdout, child.stderr().take());
            let tree = Self {
                child,
                leader: None,
                ended: false,
            };
            Ok((tree, pipes))
        }

        /// Waits for the leader; the job's own wait would block a thread for as long as any process
        /// of the job lives.
        pub(super) async fn leader(&mut self) {
            if self.leader.is_none() {
                self.leader = Some(self.child.inner_mut().wait().await.ok());
            }
        }

        pub(super) fn look(&mut self) -> bool {
            if self.leader.is_none() {
                let child = self.child.inner_mut();
                self.leader = child.try_wait().transpose().map(Result::ok);
            }
            self.is_gone()
        }

        pub(super) fn is_gone(&mut self) -> bool {
            if self.leader.is_some() && !self.ended {
                self.kill();
                self.ended = true;
            }
            self.ended
        }

        #[expect(clippy::needless_pass_by_ref_mut, reason = "as on Unix")]
        pub(super) fn terminate(&mut self) {}

        pub(super) fn kill(&mut self) {
            // It fails if the job has ended since.
            let _ = self.child.start_kill();
        }
    }
}

/// The standard library looks only for `.exe` files; the launchers of Node.js are `.cmd` files.
#[cfg(any(windows, test))]
pub(crate) mod lookup {
    use super::{OsStr, Path, PathBuf, has_directory};
    #[cfg(windows)]
    use std::ffi::OsString;

    /// The file that `program` stands for, or `program` as it is.
    #[cfg(windows)]
    pub(crate) fn program(program: &OsStr, env: &[(OsString, OsString)]) -> OsString {
        let var = |wanted: &str| {
            let mut set = env.iter().rev();
            set.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.clone())
                .or_else(|| std::env::var_os(wanted))
        };
        let path = var("PATH").unwrap_or_default();
        let extensions = var("PATHEXT").unwrap_or_else(|| ".COM;.EXE;.BAT;.CMD".into());
        find(program, &path, &extensions, |file| file.is_file())
            .map_or_else(|| program.to_owned(), PathBuf::into_os_string)
    }

    /// Walks `path` and, in each directory, `extensions` (separated by semicolons). A name with an
    /// extension is left to the system. The working directory is not searched: it may not be
    /// trusted.
    pub(crate) fn find(
        program: &OsStr,
        path: &OsStr,
        extensions: &OsStr,
        is_file: impl Fn(&Path) -> bool,
    ) -> Option<PathBuf> {
        if Path::new(program).extension().is_some() {
            return None;
        }
        let mut dirs: Vec<PathBuf> = std::env::split_paths(path).collect();
        dirs.retain(|dir| !dir.as_os_str().is_empty());
        if has_directory(program) {
            dirs = vec![PathBuf::new()];
        }
        let extensions = extensions.to_string_lossy();
        let extensions = extensions.split(';').filter(|text| !text.is_empty());
        dirs.iter()
            .flat_map(|dir| extensions.clone().map(move |text| (dir, text)))
            .map(|(dir, extension)| {
                let mut file = dir.join(program).into_os_string();
                file.push(extension);
                PathBuf::from(file)
            })
            .find(|file| is_file(file))
    }
}
