//! The child process behind the stdio transport: how it is started, what is said about its end, and
//! how it is ended together with everything that it started.
//!
//! Owns the process, its process group (a job object on Windows) and its grace periods. Must not
//! know: frames, requests, sessions, and when a server ought to be restarted.
//!
//! A server is seldom one process: `npx` and `uvx` are wrappers, and ending only the wrapper leaves
//! the server behind. So every signal goes to the whole group. A process that moves to a group or
//! session of its own leaves our reach on Unix; closing the standard input is all that it sees.

use std::thread;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

use super::stderr::{ExitReport, StderrTail};
#[cfg(unix)]
pub(super) use super::unix::Tree;
#[cfg(windows)]
pub(super) use super::windows::Tree;

/// How long a killed group is awaited. Only a process stuck in the kernel takes longer.
const REAP_LIMIT: Duration = Duration::from_secs(1);
/// Pauses between two looks at whether a group is empty: the system does not tell by itself.
const LOOK_FIRST: Duration = Duration::from_millis(1);
const LOOK_LAST: Duration = Duration::from_millis(50);

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
    pub(super) process: Option<Process>,
    /// Where the end of a dropped guard goes on; empty if it already is there.
    pub(super) runtime: Option<Handle>,
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
pub(super) struct Process {
    pub(super) tree: Tree,
    pub(super) stderr: Option<StderrTail>,
    pub(super) close_grace: Duration,
    pub(super) kill_grace: Duration,
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
