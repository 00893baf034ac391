//! What a server says beside its results: log messages, its standard error, its last word; and what it is given.

use serde_json::json;

use crate::program::{Run, on_shell, run};

fn talk(further: &[&str]) -> Run {
    let call = [
        "call",
        "talk",
        "--protocol",
        "2025-11-25",
        "--log-level",
        "debug",
    ];
    let run = run(&on_shell(&[&call, further].concat()));
    assert_eq!(run.code, Some(0), "{run:?}");
    run
}

#[test]
fn log_messages_are_events() {
    let run = talk(&["--output", "jsonl"]);
    let names = run.names();
    assert_eq!(
        (names[0].as_str(), names[names.len() - 1].as_str()),
        ("start", "result")
    );
    let events = run.events();
    let logs: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "log")
        .collect();
    let said = json!({"event": "log", "level": "info", "logger": "sh", "data": "level debug"});
    assert_eq!(
        logs,
        [
            &said,
            &json!({"event": "log", "level": "warning", "data": {"z": 1, "a": 2}})
        ]
    );
    assert_eq!(names.len(), 6, "{run:?}");
    assert!(!run.stderr.contains("level debug"), "{run:?}");
}

#[test]
fn log_messages_are_lines_on_standard_error() {
    let run = talk(&[]);
    // Data that the text does not say comes behind it, as the server wrote it.
    let data = "{\n  \"z\": 18446744073709551616,\n  \"a\": 1.50\n}\n";
    assert_eq!(run.stdout, format!("said\n{data}"));
    assert!(run.stderr.contains("\n[info sh] level debug\n"), "{run:?}");
    assert!(
        run.stderr.contains("\n[warning] {\"a\":2,\"z\":1}\n"),
        "{run:?}"
    );
}

#[test]
fn a_message_cannot_steer_the_terminal() {
    let run = talk(&["--progress", "plain"]);
    assert!(run.stderr.contains("  -  0.5  red second\n"), "{run:?}");
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
    assert!(
        talk(&["--output", "jsonl"])
            .stdout
            .contains(r#""message":"\u001b[31mred\u001b[0m\nsecond","seq":1"#)
    );
}

#[test]
fn the_result_is_passed_on_as_it_was_written() {
    let data = r#"{"structuredContent":{"z":18446744073709551616,"a":1.50},"content":"#;
    assert!(talk(&["--output", "json"]).stdout.starts_with(data));
    assert!(talk(&["--output", "jsonl"]).stdout.contains(data));
}

#[test]
fn the_servers_standard_error_goes_where_it_is_told() {
    const LINE: &str = "shell server starts\n";
    for (mode, expected) in [
        ("inherit", Some(LINE)),
        ("discard", None),
        ("prefix", Some("server: shell server starts\n")),
    ] {
        let run = talk(&[
            "--server-stderr",
            mode,
            "--output",
            "json",
            "--progress",
            "none",
        ]);
        let found = run
            .stderr
            .lines()
            .find(|line| line.contains("shell"))
            .map(|line| format!("{line}\n"));
        assert_eq!(found.as_deref(), expected, "{run:?}");
    }
    assert!(talk(&[]).stderr.contains(LINE), "inherited with text");
    assert!(
        !talk(&["--output", "jsonl"]).stderr.contains(LINE),
        "discarded where programs read"
    );
}

#[test]
fn a_server_that_dies_is_quoted() {
    let run = run(&on_shell(&[
        "call",
        "die",
        "--output",
        "jsonl",
        "--protocol",
        "2025-11-25",
    ]));
    assert_eq!(
        (run.code, run.names()),
        (Some(4), vec!["start".to_owned(), "error".to_owned()])
    );
    let error = run.last();
    assert_eq!(error["kind"], "connection_lost");
    let message = error["message"].as_str().unwrap();
    assert!(
        message.contains("code 9") && message.contains("last word"),
        "{message}"
    );
}

#[test]
fn data_of_an_error_is_passed_on() {
    let error = run(&on_shell(&[
        "call",
        "other",
        "--output",
        "jsonl",
        "--protocol",
        "2025-11-25",
    ]))
    .last();
    assert_eq!(
        (&error["code"], &error["data"]),
        (&json!(-32601), &json!({"why": "shell"}))
    );
}

#[test]
fn environment_and_directory_are_the_servers() {
    let dir = std::fs::canonicalize(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let dir = dir.to_str().unwrap();
    let call = [
        "call",
        "place",
        "--protocol",
        "2025-11-25",
        "--env",
        "PEER_WORD=a=b",
        "--cwd",
        dir,
    ];
    assert_eq!(run(&on_shell(&call)).stdout, format!("a=b {dir}\n"));
}

#[test]
fn the_era_is_found_without_being_told() {
    let run = run(&on_shell(&["call", "talk", "--output", "jsonl"]));
    let start = &run.events()[0];
    assert_eq!(
        (&start["protocol"], &start["server"]),
        (&json!("2025-11-25"), &json!("shell"))
    );
}
