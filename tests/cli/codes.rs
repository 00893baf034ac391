//! Every exit code, and what is said on the way out.

use crate::program::{COMMAND, Run, demo, run};

fn usage(args: &[&str], told: &str) {
    let run = run(args);
    assert_eq!(run.code, Some(2), "{args:?}: {run:?}");
    assert!(
        run.stderr.starts_with("error: ") && run.stderr.contains(told),
        "{run:?}"
    );
    assert_eq!(run.stdout, "");
}

fn last_error(run: &Run, code: i32, kind: &str) {
    assert_eq!(run.code, Some(code), "{run:?}");
    let names = run.names();
    let finals: Vec<_> = names
        .iter()
        .filter(|name| ["result", "error"].contains(&name.as_str()))
        .collect();
    assert_eq!(finals, ["error"], "{run:?}");
    assert_eq!(
        (&run.last()["event"], &run.last()["kind"]),
        (&"error".into(), &kind.into()),
        "{run:?}"
    );
    let message = run.last()["message"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    assert!(
        run.stderr.contains(&message) && !message.is_empty(),
        "{run:?}"
    );
}

#[test]
fn zero_for_a_result() {
    let run = demo(&["call", "burst"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "10 updates in one write\n")
    );
}

#[test]
fn one_for_a_tool_that_failed() {
    let run = demo(&[
        "call",
        "fail",
        "after:=1",
        "delay_ms:=1",
        "--output",
        "jsonl",
    ]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.names(), ["start", "progress", "result"]);
    assert_eq!(run.last()["is_error"], true);
    let run = demo(&[
        "call",
        "fail",
        "after:=1",
        "delay_ms:=1",
        "--progress",
        "none",
    ]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(1), "failed after 1 steps\n")
    );
}

#[test]
fn two_for_wrong_usage() {
    let server = ["--", COMMAND, "serve-demo"];
    let with_server = |args: &[&'static str]| [args, &server].concat();
    usage(&["nonsense"], "unrecognized subcommand");
    usage(&["call", "count"], "COMMAND");
    usage(&["tools", "--stdio", "a 'b"], "the quote ' is not closed");
    usage(&["tools", "--stdio", "a", "--", "b"], "cannot be used with");
    usage(
        &with_server(&["call", "count", "steps"]),
        "KEY=VALUE or KEY:=JSON",
    );
    usage(&with_server(&["call", "count", "steps:=x"]), "not JSON");
    usage(
        &with_server(&["call", "count", "a=1", "a:=1"]),
        "`a` is given twice",
    );
    usage(&with_server(&["call", "count", "--timeout", "5"]), "30s");
    usage(
        &with_server(&["call", "count", "--protocol", "2025-01-01"]),
        "2025-11-25",
    );
    usage(&with_server(&["call", "count", "--env", "A"]), "NAME=VALUE");
    usage(
        &with_server(&["call", "count", "--args", "[1]"]),
        "not an object",
    );
    usage(
        &with_server(&["call", "count", "--args", "@/no/such/file"]),
        "/no/such/file",
    );
}

#[test]
fn two_is_told_to_programs_where_the_syntax_was_right() {
    last_error(
        &demo(&["call", "count", "--args", "{", "--output", "jsonl"]),
        2,
        "usage",
    );
}

#[test]
fn three_for_an_error_of_the_protocol() {
    let run = demo(&["call", "nothing", "--output", "jsonl"]);
    last_error(&run, 3, "rpc");
    assert_eq!(run.names(), ["start", "error"]);
    assert_eq!(run.last()["code"], -32602);
    let run = demo(&["call", "nothing", "--output", "json"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
}

#[test]
fn four_for_a_server_that_is_not_there() {
    let missing = [
        "call",
        "x",
        "--output",
        "jsonl",
        "--",
        "no-such-program-anywhere",
    ];
    let run = run(&missing);
    last_error(&run, 4, "connection_lost");
    assert_eq!(run.names(), ["error"]);
    assert!(
        run.stderr.contains("\n  caused by: ") && run.stderr.contains("no-such-program-anywhere")
    );
}

#[test]
fn five_for_each_clock() {
    for (option, clock) in [("--timeout", "total"), ("--idle-timeout", "idle")] {
        let run = demo(&["call", "hang", option, "50ms", "--output", "jsonl"]);
        last_error(&run, 5, "timeout");
        assert_eq!(run.last()["clock"], clock);
        assert_eq!(run.names(), ["start", "error"]);
    }
}

#[test]
fn zero_turns_a_clock_off() {
    let off = ["--timeout", "0", "--idle-timeout", "0s"];
    let run = demo(&[&["call", "count", "steps:=1", "delay_ms:=1"], &off[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
}

#[test]
fn help_has_examples() {
    for args in [&["--help"][..], &["call", "--help"]] {
        let run = run(args);
        assert_eq!(run.code, Some(0));
        assert!(run.stdout.contains("Examples:") && run.stdout.contains("serve-demo"));
    }
}
