//! A process group.

use std::io;
use std::process::ExitStatus;

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};

/// Standard input, output and error of a process just started.
pub(super) type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

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
