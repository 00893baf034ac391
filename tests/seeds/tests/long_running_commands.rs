//! Row 3, *context-aware long-running tasks*: what a user of the command has of it. A task that one run leaves and another takes
//! up, and work that waits for other work.

use seeds::{Ended, Peer, Program};
use serde_json::{Value, json};

async fn run(words: &[&str], peer: Option<&Peer>) -> Ended {
    Program::start(words, peer).ended().await
}

/// A file of this test, beside the binary that it is in.
fn scratch(name: &str, content: &str) -> String {
    let path = format!(
        "{}/{}-{name}",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    std::fs::write(&path, content).unwrap();
    path
}

/// In both forms of tasks: the first run prints the handle and ends, the second shows how far it is and prints the result.
#[tokio::test]
async fn a_task_is_left_and_taken_up_by_another_run() {
    for (name, revision) in [("ts1-http", "2025-11-25"), ("rmcp-http", "2026-07-28")] {
        let peer = Peer::installed(name);
        let serving = peer.serve();
        let words = "call job steps:=15 delay_ms:=200 --leave --protocol";
        let words: Vec<&str> = words
            .split(' ')
            .chain([revision, "--url", serving.url()])
            .collect();
        let left = run(&words, None).await;
        assert_eq!(left.code, Some(0), "{name}: {left:?}");
        let handle: Value = serde_json::from_str(&left.stdout.concat()).unwrap();
        assert_eq!(handle["protocolVersion"], revision);
        assert_eq!(
            peer.notes().of("job finished").len(),
            0,
            "{name}: it works on"
        );

        let file = format!("@{}", scratch(&format!("{name}.json"), &handle.to_string()));
        let words = [
            "resume",
            &file,
            "--progress",
            "plain",
            "--url",
            serving.url(),
        ];
        let done = run(&words, None).await;
        assert_eq!(done.code, Some(0), "{name}: {done:?}");
        let result: Value = serde_json::from_str(&done.stdout.concat()).unwrap();
        assert_eq!(result["steps"], 15, "{name}");
        // Steps may pass between two looks at the task.
        let steps = done.stderr.iter().filter(|line| line.contains(" of 15"));
        assert!(steps.count() >= 3, "{name}: {done:?}");
        let last = done.stderr.last().unwrap();
        assert!(last.contains(" done "), "{name}: {last}");
        assert_eq!(
            peer.notes().of("job finished").len(),
            1,
            "{name}: it ran once"
        );
    }
}

/// Of four pieces of work three depend on each other; the second fails, so the third is not begun, and told to be skipped.
#[tokio::test]
async fn what_waits_for_failed_work_is_skipped() {
    let delete = |id: &str, args: Value, after: &[&str]| {
        json!({"id": id, "tool": "delete", "args": args, "after": after}).to_string()
    };
    let lines = [
        delete("setup", json!({"items": 5}), &[]),
        delete("work", json!({"items": 5, "fail_at": 3}), &["setup"]),
        delete("clean-up", json!({"items": 5}), &["work"]),
        delete("other", json!({"items": 7}), &[]),
    ];
    let file = scratch("batch.jsonl", &(lines.join("\n") + "\n"));
    let peer = Peer::python("py1", "long_running.py");
    let words = [
        "run",
        &file,
        "--keep-going",
        "--concurrency",
        "2",
        "--progress",
        "none",
    ];
    let ended = run(&words, Some(&peer)).await;
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let results = ended.stdout.iter().map(|line| serde_json::from_str(line));
    let results: Vec<Value> = results.collect::<Result<_, _>>().unwrap();
    let told: Vec<_> = results
        .iter()
        .map(|result| {
            (
                result["id"].as_str().unwrap(),
                result["status"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("setup", "ok"),
            ("work", "tool_error"),
            ("clean-up", "skipped"),
            ("other", "ok"),
        ]
    );
    assert_eq!(
        peer.notes().of("finished").len(),
        2,
        "the third was never begun"
    );
}
