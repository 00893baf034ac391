//! Tasks that one run leaves to its server, and another takes up.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Run, demo, run, start_with};
use crate::serving::{end, serve};

const BOTH: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// Leaves a task of 300 ms to the server, and gives its handle.
fn left(url: &str, further: &[&str]) -> Run {
    let call = [
        "call",
        "job",
        "steps:=3",
        "delay_ms:=100",
        "--leave",
        "--url",
        url,
    ];
    let run = run(&[&call, further].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    run
}

fn finished(run: &Run) {
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "did 3 steps\n"),
        "{run:?}"
    );
}

#[test]
fn a_task_is_finished_by_another_run() {
    let (server, [url, _]) = serve();
    for revision in BOTH {
        let handle = left(&url, &["--protocol", revision]).stdout;
        let parsed: Value = serde_json::from_str(&handle).expect("JSON");
        assert_eq!(parsed["protocolVersion"], revision);
        // It works on meanwhile, and its result may be asked for more than once.
        let file =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("handle-{revision}.json"));
        std::fs::write(&file, &handle).expect("written");
        let name = format!("@{}", file.display());
        let run = run(&["resume", &name, "--url", &url]);
        finished(&run);
        assert!(run.stderr.contains("completed"), "{run:?}");
        finished(&start_with(&["resume", "-", "--url", &url], &handle).finish());
        finished(&crate::program::run(&[
            "resume",
            handle.trim(),
            "--url",
            &url,
        ]));
    }
    end(server);
}

#[test]
fn a_bare_id_will_do_where_tasks_belong_to_no_session() {
    let (server, [url, _]) = serve();
    let event = left(&url, &["--output", "jsonl"]).last();
    assert_eq!(event["event"], "task");
    let id = event["handle"]["taskId"].as_str().expect("an id");
    let run = run(&["resume", id, "--url", &url, "--output", "jsonl"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(run.last()["event"], "result");
    assert_eq!(run.last()["result"]["content"][0]["text"], "did 3 steps");
    let unknown = crate::program::run(&["resume", "nothing", "--url", &url]);
    assert_eq!(
        (unknown.code, unknown.stdout.as_str()),
        (Some(3), ""),
        "{unknown:?}"
    );
    end(server);
}

#[test]
fn what_becomes_no_task_gives_its_result() {
    let run = demo(&["call", "burst", "--leave", "--protocol", "2026-07-28"]);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(0), "10 updates in one write\n"),
        "{run:?}"
    );
    assert!(run.stderr.contains("no task"), "{run:?}");
}

#[test]
fn a_handle_that_is_none_is_wrong_usage() {
    for wrong in ["{}", "@/no/such/file", ""] {
        let run = demo(&["resume", wrong]);
        assert_eq!(run.code, Some(2), "{wrong}: {run:?}");
        assert!(run.stderr.contains("the task"), "{run:?}");
    }
}
