//! Real children of `sh`: every test starts some and looks at what is left of them.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use nix::sys::signal::kill;
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{ChildStdin, ChildStdout};
use tokio::runtime::{Builder, Runtime};

use super::command::{RunningServer, ServerCommand};
use super::guard::ChildGuard;
use super::lookup;
use super::stderr::{ExitReport, Stderr};

/// Long enough for the slowest machine; no test waits for it to pass.
const AGES: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(30);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn sh(script: &str) -> ServerCommand {
    ServerCommand::new("sh").args(["-c", script])
}

/// A child whose standard output is read by lines.
struct Started {
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    child: ChildGuard,
}

impl Started {
    fn new(command: &ServerCommand) -> Self {
        let RunningServer {
            stdin,
            stdout,
            child,
        } = command.spawn().unwrap();
        Self {
            stdin,
            lines: BufReader::new(stdout).lines(),
            child,
        }
    }

    async fn line(&mut self) -> String {
        self.lines.next_line().await.unwrap().unwrap()
    }

    async fn pid(&mut self) -> i32 {
        self.line().await.parse().unwrap()
    }

    /// Closes the pipes and ends the process.
    async fn shut_down(self) -> ExitReport {
        drop((self.stdin, self.lines));
        self.child.shut_down().await
    }
}

/// The state letter of a process on Linux; elsewhere `R` for whatever answers a signal.
fn state(pid: i32) -> Option<char> {
    if cfg!(target_os = "linux") {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.chars().next()
    } else {
        kill(Pid::from_raw(pid), None).ok().map(|()| 'R')
    }
}

/// Neither running nor, as a child of ours must not be, a zombie.
fn reaped(pid: i32) -> bool {
    state(pid).is_none()
}

/// Runs no more. An orphan may stay a zombie where the first process of a container reaps nobody.
fn dead(pid: i32) -> bool {
    matches!(state(pid), None | Some('Z'))
}

fn eventually(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        thread::sleep(Duration::from_millis(5));
    }
    panic!("never: {what}");
}

/// As [`eventually`], with the runtime running on.
async fn soon(what: &str, condition: impl Fn() -> bool) {
    for _ in 0..6_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never: {what}");
}

/// A wrapper that waits for its child, as `npx` does: prints its own number, then the child's.
const WRAPPER: &str = "echo $$; sleep 1000 & echo $!; wait";
/// As [`WRAPPER`], and nobody in the group minds SIGTERM.
const STUBBORN_WRAPPER: &str = "trap '' TERM; echo $$; sleep 1000 & echo $!; wait";
/// A wrapper that ends at once and leaves its child in the group, with none of our pipes.
const LEAVING_WRAPPER: &str =
    "echo $$; sleep 1000 </dev/null >/dev/null 2>&1 & echo $!; exec >&-; exit 5";

#[test]
fn the_report_has_exit_status_and_last_lines() {
    runtime().block_on(async {
        let command = sh("echo one >&2; printf 'two\\r\\n\\033[31mthree' >&2; exit 3");
        let mut started = Started::new(&command.stderr(Stderr::Discard));
        assert_eq!(started.lines.next_line().await.unwrap(), None);
        let report = started.child.exit_report(AGES).await;
        assert_eq!(report.status.unwrap().code(), Some(3));
        assert_eq!(report.stderr_tail, ["one", "two", "\u{1b}[31mthree"]);
        assert_eq!(report.to_string(), "exited with code 3");
        assert_eq!(
            report.last_lines().as_deref(),
            Some("its standard error ended with:\n  one\n  two\n  \u{fffd}[31mthree"),
        );
        let again = started.shut_down().await;
        assert_eq!(again.to_string(), report.to_string());
    });
}

#[test]
fn the_report_names_a_signal() {
    runtime().block_on(async {
        let mut started = Started::new(&sh("kill -SEGV $$"));
        let report = started.child.exit_report(AGES).await;
        assert_eq!(report.to_string(), "was ended by SIGSEGV");
    });
}

#[test]
fn the_report_on_a_living_process_says_so() {
    runtime().block_on(async {
        let mut started = Started::new(&sh("echo up; exec cat"));
        assert_eq!(started.line().await, "up");
        let report = started.child.exit_report(Duration::ZERO).await;
        assert!(report.status.is_none() && !report.ended);
        assert_eq!(report.to_string(), "is still running");
        let report = started.shut_down().await;
        assert_eq!(report.to_string(), "exited with code 0");
    });
}

#[test]
fn the_end_of_standard_input_is_enough_for_a_good_server() {
    runtime().block_on(async {
        let command = sh("echo $$; cat; exit 4");
        let mut started = Started::new(&command.close_grace(AGES));
        let pid = started.pid().await;
        started.stdin.write_all(b"hello\n").await.unwrap();
        assert_eq!(started.line().await, "hello");
        // A grandchild is given the same time as its parent.
        let report = started.shut_down().await;
        assert_eq!(report.status.unwrap().code(), Some(4));
        assert!(reaped(pid));
    });
}

#[test]
fn sigterm_comes_before_the_kill() {
    runtime().block_on(async {
        let script = "trap 'exit 7' TERM; echo $$; while :; do sleep 0.01; done";
        let command = sh(script).close_grace(SHORT).kill_grace(AGES);
        let mut started = Started::new(&command);
        let pid = started.pid().await;
        let report = started.shut_down().await;
        assert_eq!(report.status.unwrap().code(), Some(7));
        assert!(reaped(pid));
    });
}

#[test]
fn a_child_that_ignores_everything_is_killed() {
    runtime().block_on(async {
        let command = sh(STUBBORN_WRAPPER).close_grace(SHORT).kill_grace(SHORT);
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        let report = started.shut_down().await;
        assert_eq!(report.to_string(), "was ended by SIGKILL");
        assert!(reaped(pid));
        assert!(dead(grandchild));
    });
}

#[test]
fn a_grandchild_is_gone_after_shut_down() {
    runtime().block_on(async {
        let command = sh(WRAPPER).close_grace(SHORT);
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        assert!(!dead(grandchild));
        let report = started.shut_down().await;
        assert_eq!(report.to_string(), "was ended by SIGTERM");
        assert!(reaped(pid));
        assert!(dead(grandchild));
    });
}

#[test]
fn a_grandchild_whose_parent_has_left_is_gone_after_shut_down() {
    runtime().block_on(async {
        let command = sh(LEAVING_WRAPPER).close_grace(SHORT).kill_grace(SHORT);
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        let report = started.child.exit_report(AGES).await;
        assert_eq!(report.status.unwrap().code(), Some(5));
        assert!(reaped(pid));
        assert!(!dead(grandchild));
        let report = started.shut_down().await;
        assert_eq!(report.status.unwrap().code(), Some(5));
        assert!(dead(grandchild));
    });
}

/// As process 1 of a container would: orphans become our children, and zombies unless reaped.
#[cfg(target_os = "linux")]
#[test]
fn adopted_grandchildren_are_reaped() {
    nix::sys::prctl::set_child_subreaper(true).unwrap();
    runtime().block_on(async {
        let command = sh(LEAVING_WRAPPER).close_grace(SHORT).kill_grace(AGES);
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        started.child.exit_report(AGES).await;
        assert!(reaped(pid) && !dead(grandchild));
        started.shut_down().await;
        assert!(reaped(grandchild));
    });
    nix::sys::prctl::set_child_subreaper(false).unwrap();
}

#[test]
fn a_drop_ends_child_and_grandchild() {
    for script in [WRAPPER, STUBBORN_WRAPPER, LEAVING_WRAPPER] {
        runtime().block_on(async {
            let mut started = Started::new(&sh(script).kill_grace(SHORT));
            let (pid, grandchild) = (started.pid().await, started.pid().await);
            drop(started);
            soon("the grandchild ends", || dead(grandchild)).await;
            soon("the child is reaped", || reaped(pid)).await;
        });
    }
}

#[test]
fn a_drop_after_the_leader_was_reaped_ends_the_grandchild() {
    runtime().block_on(async {
        let mut started = Started::new(&sh(LEAVING_WRAPPER).kill_grace(SHORT));
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        started.child.exit_report(AGES).await;
        assert!(reaped(pid) && !dead(grandchild));
        drop(started);
        soon("the grandchild ends", || dead(grandchild)).await;
    });
}

#[test]
fn unwinding_ends_child_and_grandchild() {
    runtime().block_on(async {
        let mut started = Started::new(&sh(STUBBORN_WRAPPER).kill_grace(SHORT));
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        let unwound = catch_unwind(AssertUnwindSafe(move || {
            let _started = started;
            panic!("on purpose");
        }));
        assert!(unwound.is_err());
        soon("the grandchild ends", || dead(grandchild)).await;
        soon("the child is reaped", || reaped(pid)).await;
    });
}

#[test]
fn cancelling_the_shut_down_still_ends_the_group() {
    runtime().block_on(async {
        let command = sh(STUBBORN_WRAPPER).close_grace(AGES).kill_grace(SHORT);
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        let cancelled = tokio::time::timeout(SHORT, started.shut_down()).await;
        assert!(cancelled.is_err());
        soon("the grandchild ends", || dead(grandchild)).await;
        soon("the child is reaped", || reaped(pid)).await;
    });
}

#[test]
fn without_a_runtime_a_drop_kills_at_once() {
    let runtime = runtime();
    // With a grace so long only a kill without one ends them in time.
    let command = sh(STUBBORN_WRAPPER).kill_grace(Duration::from_secs(3_600));
    let (started, pid, grandchild) = runtime.block_on(async {
        let mut started = Started::new(&command);
        let (pid, grandchild) = (started.pid().await, started.pid().await);
        (started, pid, grandchild)
    });
    drop(runtime);
    drop(started);
    eventually("the grandchild ends", || dead(grandchild));
    eventually("the child is reaped", || reaped(pid));
}

#[test]
fn a_runtime_that_ends_during_the_grace_kills() {
    let runtime = runtime();
    let command = sh(STUBBORN_WRAPPER).kill_grace(Duration::from_secs(3_600));
    let (pid, grandchild) = runtime.block_on(async {
        let mut started = Started::new(&command);
        let pids = (started.pid().await, started.pid().await);
        drop(started);
        tokio::task::yield_now().await;
        pids
    });
    assert!(!dead(pid) && !dead(grandchild));
    drop(runtime);
    eventually("the grandchild ends", || dead(grandchild));
    eventually("the child is reaped", || reaped(pid));
}

/// 10 MB on the standard error, then a line on the standard output. Nobody reads the latter before.
const FLOOD: &str = "yes 0123456789abcde | head -c 10000000 >&2; echo last words >&2; echo done";

#[test]
fn a_flood_on_standard_error_does_not_block_the_child() {
    runtime().block_on(async {
        let mut started = Started::new(&sh(FLOOD).stderr(Stderr::Discard));
        assert_eq!(started.line().await, "done");
        let report = started.child.exit_report(AGES).await;
        assert_eq!(report.status.unwrap().code(), Some(0));
        assert_eq!(report.stderr_tail.len(), 20);
        assert_eq!(report.stderr_tail[19], "last words");
        assert_eq!(report.stderr_tail[18], "0123456789abcde");
    });
}

#[test]
fn a_callback_gets_every_line() {
    runtime().block_on(async {
        let lines = Arc::new(AtomicUsize::new(0));
        let last = Arc::new(Mutex::new(String::new()));
        let (count, keep) = (Arc::clone(&lines), Arc::clone(&last));
        let mut started = Started::new(&sh(FLOOD).stderr(Stderr::callback(move |line| {
            count.fetch_add(1, Ordering::Relaxed);
            line.clone_into(&mut keep.lock().unwrap());
        })));
        assert_eq!(started.line().await, "done");
        started.child.exit_report(AGES).await;
        assert_eq!(lines.load(Ordering::Relaxed), 10_000_000 / 16 + 1);
        assert_eq!(*last.lock().unwrap(), "last words");
    });
}

#[test]
fn a_panicking_callback_is_not_called_again_and_the_pipe_stays_empty() {
    runtime().block_on(async {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&calls);
        let mut started = Started::new(&sh(FLOOD).stderr(Stderr::callback(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            panic!("on purpose");
        })));
        assert_eq!(started.line().await, "done");
        let report = started.child.exit_report(AGES).await;
        assert_eq!(calls.load(Ordering::Relaxed), 1);
        assert_eq!(report.stderr_tail[19], "last words");
    });
}

#[test]
fn the_tail_is_bounded_in_lines_and_bytes() {
    runtime().block_on(async {
        // One line of 100,000 bytes without an end, of two-byte letters put off by one.
        let script = "i=0; while [ $i -lt 30 ]; do printf '%0600d\\n' $i >&2; i=$((i+1)); done; \
                      printf x >&2; yes é | tr -d '\\n' | head -c 100000 >&2";
        let seen = Arc::new(AtomicUsize::new(0));
        let longest = Arc::clone(&seen);
        let mut started = Started::new(&sh(script).stderr(Stderr::callback(move |line| {
            longest.fetch_max(line.len(), Ordering::Relaxed);
        })));
        let report = started.child.exit_report(AGES).await;
        let bytes: usize = report.stderr_tail.iter().map(String::len).sum();
        assert!(bytes <= 4096, "{bytes} bytes");
        assert_eq!(report.stderr_tail.len(), 8);
        // The cut falls into a letter, which goes as a whole.
        assert_eq!(report.stderr_tail[7].len(), 511);
        assert!(report.stderr_tail[6].len() == 512);
        let longest = seen.load(Ordering::Relaxed);
        assert!((16 * 1024..16 * 1024 + 3).contains(&longest), "{longest}");
    });
}

#[test]
fn arguments_environment_and_directory_reach_the_child() {
    runtime().block_on(async {
        let dir = std::env::temp_dir().canonicalize().unwrap();
        let command = ServerCommand::new("/bin/sh")
            .arg("-c")
            .arg("echo \"$1|$2|$GREETING|${HOME-none}\"; pwd")
            .args(["name", "a b", "c'$d"])
            .env("GREETING", "hello you")
            .env_clear()
            .current_dir(&dir);
        let mut started = Started::new(&command);
        assert_eq!(started.line().await, "a b|c'$d|hello you|none");
        assert_eq!(Path::new(&started.line().await), dir);
        // Without `env_clear` the rest of the environment is inherited.
        let mut started =
            Started::new(&sh("echo \"$GREETING|${PATH:+path}\"").env("GREETING", "x"));
        assert_eq!(started.line().await, "x|path");
    });
}

#[test]
fn errors_of_the_start_name_the_culprit() {
    runtime().block_on(async {
        let error = ServerCommand::new("no-such-mcp-server")
            .spawn()
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let text = error.to_string();
        assert!(
            text.contains("`no-such-mcp-server`") && text.contains("PATH"),
            "{text}"
        );

        let error = ServerCommand::new("/no/such/server").spawn().unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("`/no/such/server`") && text.contains("path right"),
            "{text}"
        );

        let error = ServerCommand::new("/etc/passwd").spawn().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
        assert!(error.to_string().contains("executable"), "{error}");

        let error = sh("true").current_dir("/no/such/dir").spawn().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        let text = error.to_string();
        assert!(
            text.contains("directory `/no/such/dir`") && !text.contains("`sh`"),
            "{text}"
        );

        let error = sh("true").current_dir("/etc/passwd").spawn().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotADirectory);
    });
    assert!(sh("true").spawn().is_err(), "no runtime, no process");
}

#[test]
fn debug_output_keeps_secrets() {
    let command = ServerCommand::new("server")
        .args(["--key", "hunter2"])
        .env("API_KEY", "hunter3");
    let text = format!("{command:?}");
    assert!(
        text.contains("server") && text.contains("API_KEY"),
        "{text}"
    );
    assert!(!text.contains("hunter"), "{text}");
}

#[cfg(target_os = "linux")]
#[test]
fn inherited_standard_error_is_not_a_pipe() {
    let ours = std::fs::read_link("/proc/self/fd/2").unwrap();
    runtime().block_on(async {
        let mut server = sh("readlink /proc/$$/fd/2").spawn().unwrap();
        let mut text = String::new();
        server.stdout.read_to_string(&mut text).await.unwrap();
        assert_eq!(Path::new(text.trim_end()), ours);
    });
}

#[test]
fn the_windows_lookup_walks_directories_then_extensions() {
    let path = std::env::join_paths(["/one", "", "/two"]).unwrap();
    let find = |name: &str, files: &[&str]| {
        lookup::find(name.as_ref(), &path, ".EXE;;.CMD".as_ref(), |file| {
            files.iter().any(|known| Path::new(known) == file)
        })
    };
    let found = |file: &str| Some(Path::new(file).to_owned());
    let both = ["npx.CMD", "/two/npx.EXE", "/two/npx.CMD", "/one/npx.CMD"];
    assert_eq!(find("npx", &both), found("/one/npx.CMD"));
    assert_eq!(find("npx", &both[..3]), found("/two/npx.EXE"));
    assert_eq!(
        find("npx", &both[..1]),
        None,
        "not in the working directory"
    );
    assert_eq!(find("npx.CMD", &both), None, "left to the system");
    assert_eq!(find("bin/npx", &["bin/npx.CMD"]), found("bin/npx.CMD"));
}
