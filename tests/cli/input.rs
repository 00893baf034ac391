//! Where the tool's arguments and the server's command come from.

use crate::program::{COMMAND, demo, on_demo, run, start_with};

#[test]
fn text_and_json_are_two_things() {
    // The demo's tool takes a number; a string that looks like one is none, so that its default holds.
    let steps =
        |pair: &str| demo(&["call", "count", pair, "delay_ms:=1", "--progress", "none"]).stdout;
    assert_eq!(steps("steps:=2"), "counted to 2\n");
    assert_eq!(steps("steps=2"), "counted to 5\n");
}

#[test]
fn arguments_come_from_a_value_a_file_or_a_stream() {
    let object = r#"{"steps": 4, "delay_ms": 1}"#;
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("arguments.json");
    std::fs::write(&file, object).unwrap();
    let reference = format!("@{}", file.display());
    for args in [object, &reference, "-"] {
        let run = start_with(&on_demo(&["call", "count", "--args", args]), object).finish();
        assert_eq!(run.stdout, "counted to 4\n", "{run:?}");
    }
}

#[test]
fn pairs_replace_members() {
    let run = demo(&[
        "call",
        "count",
        "steps:=1",
        "--args",
        r#"{"steps": 4, "delay_ms": 1}"#,
    ]);
    assert_eq!(run.stdout, "counted to 1\n");
}

#[test]
fn the_server_may_be_one_string() {
    let server = format!("'{COMMAND}' \"serve-demo\"");
    let run = run(&["call", "burst", "n:=1", "--stdio", &server]);
    assert_eq!(run.stdout, "1 updates in one write\n", "{run:?}");
}
