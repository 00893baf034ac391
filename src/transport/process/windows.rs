//! A job object. The system ends it with its last handle, so not even an abort of this program
//! leaves a process behind. There is no polite signal: what outlives the leader is ended with it.

use std::io;
use std::process::ExitStatus;

use process_wrap::tokio::{ChildWrapper, CommandWrap, JobObject, KillOnDrop};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};

/// Standard input, output and error of a process just started.
pub(super) type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);

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
