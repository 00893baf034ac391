//! What is written to both streams, in each mode.

use serde_json::{Value, json};

use crate::program::{demo, names, objects, run};

const COUNT: [&str; 4] = ["call", "count", "steps:=3", "delay_ms:=1"];

fn count(further: &[&str]) -> crate::program::Run {
    let run = demo(&[&COUNT, further].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run
}

#[test]
fn text_is_the_result_alone() {
    let run = count(&[]);
    assert_eq!(run.stdout, "counted to 3\n");
    let lines: Vec<&str> = run.stderr.lines().collect();
    // Each new message, and the end.
    assert_eq!(lines.len(), 4, "{run:?}");
    assert!(lines[0].starts_with("count "), "{run:?}");
    assert!(lines[0].ends_with("s   33%  1/3  step 1 of 3"), "{run:?}");
    assert!(lines[2].ends_with("s  100%  3/3  step 3 of 3"), "{run:?}");
    assert!(lines[3].starts_with("count done "), "{run:?}");
    assert!(lines[3].ends_with("s  100%  3/3  step 3 of 3"), "{run:?}");
}

#[test]
fn json_is_the_whole_result() {
    let run = count(&["--output", "json", "--progress", "none"]);
    let result: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(
        result["content"],
        json!([{"type": "text", "text": "counted to 3"}])
    );
    assert_eq!(run.stderr, "");
}

#[test]
fn jsonl_is_every_event_in_order() {
    let run = count(&["--output", "jsonl", "--protocol", "2025-11-25"]);
    assert_eq!(
        run.names(),
        ["start", "progress", "progress", "progress", "result"]
    );
    let events = run.events();
    let token = events[0]["token"].as_str().unwrap();
    let id = events[0]["id"].as_i64().unwrap();
    assert_eq!(
        run.stdout.lines().next().unwrap(),
        format!(
            r#"{{"event":"start","token":"{token}","id":{id},"protocol":"2025-11-25","server":"scripted-server"}}"#
        )
    );
    let elapsed = events[2]["elapsed_ms"].as_u64().unwrap();
    assert_eq!(
        run.stdout.lines().nth(2).unwrap(),
        format!(
            r#"{{"event":"progress","token":"{token}","progress":2,"total":3,"message":"step 2 of 3","percent":66.6667,"seq":2,"elapsed_ms":{elapsed}}}"#
        )
    );
    let expected = json!({"event": "result", "result": {"content": [{"type": "text", "text": "counted to 3"}]}, "is_error": false});
    assert_eq!(events[4], expected);
}

#[test]
fn whole_numbers_have_no_fraction_and_unknown_totals_are_absent() {
    let run = demo(&[
        "call",
        "download",
        "mib:=1",
        "delay_ms:=1",
        "--output",
        "jsonl",
    ]);
    assert!(
        run.stdout.contains(r#""progress":524288,"total":1048576,"#),
        "{run:?}"
    );
    let run = demo(&[
        "call",
        "index",
        "files:=2",
        "delay_ms:=1",
        "--output",
        "jsonl",
    ]);
    let events = run.events();
    assert!(
        events[1].get("total").is_none() && events[1].get("percent").is_none(),
        "{run:?}"
    );
    assert_eq!(events[2]["percent"], 100);
}

#[test]
fn a_burst_is_complete() {
    let run = demo(&[
        "call",
        "burst",
        "n:=2000",
        "--output",
        "jsonl",
        "--progress",
        "none",
    ]);
    let events = run.events();
    assert_eq!(events.len(), 2002);
    for (at, event) in (1u64..).zip(&events[1..2001]) {
        assert_eq!(
            (&event["seq"], &event["progress"]),
            (&json!(at), &json!(at))
        );
        assert!(event.get("merged").is_none());
    }
    assert_eq!(run.stderr, "");
}

#[test]
fn progress_as_json_is_on_standard_error() {
    let run = count(&["--progress", "json"]);
    assert_eq!(
        names(&objects(&run.stderr)),
        ["start", "progress", "progress", "progress"]
    );
    assert_eq!(run.stdout, "counted to 3\n");
    let run = demo(&["call", "nothing", "--progress", "json"]);
    assert_eq!(names(&objects(&run.stderr)), ["start", "error"]);
}

#[test]
fn no_escape_codes_where_there_is_no_terminal() {
    for progress in ["auto", "bar", "plain", "none"] {
        let run = count(&["--progress", progress]);
        let all = run.stdout + &run.stderr;
        assert!(!all.contains(['\u{1b}', '\r']), "{progress}: {all:?}");
        assert_eq!(all.contains("3/3"), progress != "none");
    }
    let run = run(&["call", "count", "wrong"]);
    assert!(!run.stderr.contains('\u{1b}'), "{run:?}");
}

#[test]
fn tools_are_listed() {
    let text = demo(&["tools"]);
    assert_eq!((text.code, text.stderr.as_str()), (Some(0), ""));
    // One line each, for whoever reads lines: how it is called, and what it is for.
    let count = text.stdout.lines().nth(1).unwrap_or_default();
    let words: Vec<&str> = count.split_whitespace().collect();
    let expected = "count delay_ms:=INTEGER steps:=INTEGER Counts step by step";
    assert_eq!(words.join(" "), expected, "{text:?}");
    let one = demo(&["tools", "count"]).stdout;
    assert!(one.starts_with("count\n  Counts step by step\n"), "{one}");
    assert!(one.contains("\nsteps:=INTEGER     How many steps"), "{one}");
    assert!(one.contains("\nInput schema:\n{\n"), "{one}");
    let json: Value = serde_json::from_str(&demo(&["tools", "--output", "json"]).stdout).unwrap();
    assert_eq!(json["tools"][0]["name"], "count");
    let lines = demo(&["tools", "--output", "jsonl"]).events();
    assert_eq!(lines.len(), json["tools"].as_array().unwrap().len());
    assert_eq!(
        (&lines[0]["event"], &lines[0]["tool"]["name"]),
        (&json!("tool"), &json!("count"))
    );
}

#[test]
fn a_server_introduces_itself_in_the_revision_asked_for() {
    for (asked, spoken) in [("auto", "2026-07-28"), ("2024-11-05", "2024-11-05")] {
        let text = demo(&["info", "--protocol", asked]);
        assert!(
            text.stdout.contains(&format!("protocol  {spoken}\n")),
            "{text:?}"
        );
        let info = demo(&["info", "--protocol", asked, "--output", "json"]).last();
        assert_eq!(
            (&info["protocol"], &info["server"]["name"]),
            (&json!(spoken), &json!("scripted-server"))
        );
        assert!(info["capabilities"]["tools"].is_object());
    }
}

#[test]
fn the_demo_needs_no_server() {
    let run = run(&["demo", "--output", "jsonl", "--progress", "none"]);
    assert_eq!(run.code, Some(0));
    let events = run.events();
    let results: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "result")
        .collect();
    assert_eq!(results.len(), 4);
    // Each call is complete before the next begins.
    for call in events.split_inclusive(|event| event["event"] == "result") {
        assert_eq!(call[0]["event"], "start");
        let updates = &call[1..call.len() - 1];
        assert!(
            updates.len() >= 5
                && updates
                    .iter()
                    .all(|update| update["token"] == call[0]["token"])
        );
    }
}
