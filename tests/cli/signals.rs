//! Ctrl-C, and readers that go away.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{COMMAND, Run, objects, on_demo, run, start};

/// A server command that writes all that the client sends to a file before the demo server reads it.
fn recorded(name: &str) -> (PathBuf, String) {
    let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&log);
    let script = format!("tee '{}' | '{COMMAND}' serve-demo", log.display());
    (log, script)
}

/// Exactly one cancel, and its id is the call's.
fn one_cancel(log: &Path, run: &Run, start: &str) {
    let sent = objects(&fs::read_to_string(log).expect("the server ran"));
    let cancels: Vec<&Value> = sent
        .iter()
        .filter(|message| message["method"] == "notifications/cancelled")
        .collect();
    assert_eq!(cancels.len(), 1, "{sent:#?}");
    let start: Value = serde_json::from_str(start).expect("a start event");
    assert_eq!(cancels[0]["params"]["requestId"], start["id"]);
    assert_eq!(
        run.names().iter().filter(|name| *name == "error").count(),
        1,
        "{run:?}"
    );
    assert_eq!(run.last()["event"], "error");
}

#[test]
fn ctrl_c_cancels_on_the_wire() {
    let (log, script) = recorded("ctrl-c.jsonl");
    let call = [
        "call",
        "count",
        "steps:=10000",
        "delay_ms:=20",
        "--output",
        "jsonl",
    ];
    let mut running = start(&[&call, &["--", "sh", "-c", script.as_str()][..]].concat());
    let first = running.line();
    assert!(running.line().contains(r#""event":"progress""#));
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(run.last()["kind"], "cancelled");
    let said = run
        .stderr
        .find("interrupted: the call is cancelled")
        .expect("it says so");
    assert!(
        run.stderr.find("error: ").is_some_and(|error| said < error),
        "{run:?}"
    );
    one_cancel(&log, &run, &first);
}

#[test]
fn a_time_out_cancels_on_the_wire() {
    let (log, script) = recorded("time-out.jsonl");
    let call = ["call", "hang", "--timeout", "100ms", "--output", "jsonl"];
    let mut running = start(&[&call, &["--", "sh", "-c", script.as_str()][..]].concat());
    let first = running.line();
    let run = running.finish();
    assert_eq!(run.code, Some(5), "{run:?}");
    one_cancel(&log, &run, &first);
}

#[test]
fn ctrl_c_before_the_call_ends_the_server() {
    // The server never answers, and presses the key itself.
    let script = "kill -INT $PPID; exec sleep 600";
    let info = ["info", "--output", "jsonl", "--server-stderr", "inherit"];
    // Standard error, which the server holds open, is read to its end: that this returns shows that the server is gone.
    let run = run(&[&info, &["--", "sh", "-c", script][..]].concat());
    assert_eq!(
        (run.code, run.names()),
        (Some(130), vec!["error".to_owned()])
    );
    assert_eq!(run.last()["kind"], "cancelled");
    assert_eq!(run.stderr, "mcp-progress: interrupted\n");
}

#[test]
fn a_server_that_does_not_end_is_not_waited_for() {
    // The shell outlives the demo server, takes no notice of SIGTERM, and holds standard error open.
    let script = format!("trap '' TERM; '{COMMAND}' serve-demo; sleep 600");
    let call = [
        "call",
        "hang",
        "--output",
        "jsonl",
        "--server-stderr",
        "inherit",
    ];
    let mut running = start(&[&call, &["--", "sh", "-c", script.as_str()][..]].concat());
    running.line();
    running.interrupt();
    let run = running.finish();
    assert_eq!(
        (run.code, run.names()),
        (Some(130), vec!["error".to_owned()])
    );
}

#[test]
fn ctrl_c_is_heard_while_nobody_reads_the_output() {
    let mut running = start(&on_demo(&[
        "call",
        "burst",
        "n:=10000",
        "--output",
        "jsonl",
        "--progress",
        "none",
    ]));
    running.line();
    running.interrupt();
    running.interrupt();
    assert_eq!(running.finish_unread(), Some(130));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let call = [
        "call",
        "count",
        "steps:=10000",
        "delay_ms:=5",
        "--output",
        "jsonl",
        "--progress",
        "none",
    ];
    let mut running = start(&on_demo(&call));
    running.line();
    drop(running.stdout.take());
    let run = running.finish();
    assert_eq!((run.code, run.stderr.as_str()), (Some(141), ""));
}
