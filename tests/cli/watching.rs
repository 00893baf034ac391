//! What a server tells of its own accord.

use serde_json::{Value, json};

use crate::program::{COMMAND, Run, run};

const BOTH: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// A server that tells of a change every 20 ms: tools, the report, prompts, resources.
fn watch(further: &[&str]) -> Run {
    let server = ["--", COMMAND, "serve-demo", "--changes", "20ms"];
    run(&[&["watch"], further, &server].concat())
}

#[test]
fn so_many_changes_are_told_in_each_era() {
    for revision in BOTH {
        let run = watch(&["demo:///report", "--count", "4", "--protocol", revision]);
        assert_eq!(run.code, Some(0), "{run:?}");
        let told: Vec<&str> = run.stdout.lines().map(|line| &line[10..]).collect();
        let all = [
            "the list of tools changed",
            "demo:///report was updated",
            "the list of prompts changed",
            "the list of resources changed",
        ];
        // The first may have come before anybody watched.
        let from = all
            .iter()
            .position(|text| *text == told[0])
            .expect("one of these");
        let expected: Vec<&str> = all.iter().cycle().skip(from).take(4).copied().collect();
        assert_eq!(told, expected);
        assert_eq!(
            run.stderr,
            "mcp-progress: watching the lists of tools, prompts, resources, demo:///report\n"
        );
    }
}

#[test]
fn a_resource_that_nobody_asked_for_is_not_told_of() {
    let run = watch(&["--count", "6", "--output", "jsonl"]);
    assert_eq!(run.names()[0], "watching");
    assert!(
        run.names()[1..].iter().all(|name| name == "changed"),
        "{run:?}"
    );
}

#[test]
fn what_has_changed_is_read_if_wanted() {
    for revision in BOTH {
        let asked = [
            "demo:///report",
            "--count",
            "4",
            "--fetch",
            "--protocol",
            revision,
        ];
        let run = watch(&[&asked[..], &["--output", "jsonl"]].concat());
        assert_eq!(run.code, Some(0), "{run:?}");
        let events = run.events();
        let updated = events.iter().find(|event| event["event"] == "updated");
        let updated = updated.unwrap_or_else(|| panic!("no update: {run:?}"));
        assert_eq!(updated["contents"][0]["text"], "All is well.");
        let changed = events.iter().find(|event| event["list"] == "prompts");
        assert_eq!(changed.expect("prompts")["items"][0]["name"], "summary");
    }
    let run = watch(&["demo:///report", "--count", "4", "--fetch"]);
    assert!(
        run.stdout
            .contains("demo:///report was updated\n          All is well.\n"),
        "{run:?}"
    );
}

#[test]
fn json_is_one_document_at_the_end() {
    let run = watch(&["--count", "2", "--output", "json"]);
    let all: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(all["changes"].as_array().map(Vec::len), Some(2));
    let run = watch(&["--for", "50ms", "--count", "100000", "--output", "json"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let all: Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert!(all["changes"].is_array(), "{run:?}");
}

#[test]
fn to_wait_for_nothing_is_wrong_usage() {
    let run = watch(&["--count", "0"]);
    assert_eq!(run.code, Some(2), "{run:?}");
}

/// Tells of a changed list, logs, says something of its own, and goes away as soon as it is subscribed to.
#[cfg(unix)]
const BRIEF: &str = r#"
field() { printf '%s' "$line" | sed -n "s/.*\"$1\":\"*\([^\",}]*\).*/\1/p"; }
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$(field id)" "$1"; }
notify() { printf '{"jsonrpc":"2.0","method":"notifications/%s","params":%s}\n' "$1" "$2"; }
while IFS= read -r line; do
    case $line in
    *'"method":"initialize"'*)
        answer '{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"resources":{}},"serverInfo":{"name":"brief","version":"1"}}' ;;
    *'"uri":"a:refused"'*) printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32002,"message":"not here"}}\n' "$(field id)" ;;
    *'"method":"resources/subscribe"'*)
        answer '{}'
        notify tools/list_changed '{}'
        notify message '{"level":"info","data":"a\u001b[31mword"}'
        notify own/thing '{"z":1,"a":2}'
        notify resources/updated '{"uri":"a:\u001b[31mb"}'
        exit 3 ;;
    esac
done
"#;

#[cfg(unix)]
fn brief(further: &[&str]) -> Run {
    let server = ["--protocol", "2025-11-25", "--", "sh", "-c", BRIEF];
    run(&[&["watch"], further, &server].concat())
}

#[cfg(unix)]
#[test]
fn a_lost_connection_is_told() {
    let run = brief(&["a:b", "--output", "jsonl"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    let names = [
        "watching",
        "changed",
        "log",
        "notification",
        "updated",
        "error",
    ];
    assert_eq!(run.names(), names);
    let events = run.events();
    assert_eq!(
        events[0],
        json!({"event": "watching", "lists": ["tools"], "resources": ["a:b"]})
    );
    assert_eq!(events[3]["method"], "notifications/own/thing");
    assert!(run.stdout.contains(r#""params":{"z":1,"a":2}"#), "{run:?}");
    assert_eq!(events[5]["kind"], "connection_lost");
    let run = brief(&["a:b"]);
    assert!(
        run.stderr.contains("error: ") && run.stderr.contains("code 3"),
        "{run:?}"
    );
    assert!(run.stdout.contains("s  [info] aword\n"), "{run:?}");
    assert!(run.stdout.contains("s  a:b was updated\n"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_refused_subscription_is_an_error() {
    let run = brief(&["a:refused"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    assert!(run.stderr.contains("not here"), "{run:?}");
}

#[cfg(unix)]
#[test]
fn a_subscription_over_http_that_breaks_off_is_told() {
    let (server, [url, _]) = crate::serving::serve();
    let mut running = crate::program::start(&["watch", "--output", "jsonl", "--url", &url]);
    assert!(running.line().contains(r#""event":"watching""#));
    crate::serving::end(server);
    let run = running.finish();
    assert_eq!(run.code, Some(4), "{run:?}");
    assert_eq!(run.last()["kind"], "connection_lost");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_it() {
    let server = ["--", COMMAND, "serve-demo", "--changes", "20ms"];
    let mut running =
        crate::program::start(&[&["watch", "--output", "jsonl"], &server[..]].concat());
    assert!(running.line().contains(r#""event":"watching""#));
    assert!(running.line().contains(r#""event":"changed""#));
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(run.last()["kind"], "cancelled");
}
