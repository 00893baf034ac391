//! `run`: order, failures, what waits for what, retries, Ctrl-C.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::net::TcpListener;
#[cfg(unix)]
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
#[cfg(unix)]
use std::{collections::BTreeSet, fs, time::Duration};
use std::{iter, thread};

use serde_json::{Value, json};

use crate::program::{COMMAND, Run, objects, on_demo, start_with};
#[cfg(unix)]
use crate::program::{SHELL, start};

/// Runs these lines on the demo server.
fn batch(lines: &[Value], args: &[&str]) -> Run {
    let text = lines.iter().fold(String::new(), |mut text, line| {
        writeln!(text, "{line}").expect("a string grows");
        text
    });
    start_with(&on_demo(&[&["run", "-"], args].concat()), &text).finish()
}

fn statuses(results: &[Value]) -> Vec<(u64, &str)> {
    let status = |result: &Value| result["status"].as_str().expect("a status").to_owned();
    results
        .iter()
        .map(|result| {
            let index = result["index"].as_u64().expect("an index");
            let known = [
                "ok",
                "tool_error",
                "error",
                "timeout",
                "cancelled",
                "skipped",
            ];
            let status = status(result);
            let status = known.into_iter().find(|known| *known == status);
            (index, status.expect("a status that is known"))
        })
        .collect()
}

fn count(steps: u64, delay: u64) -> Value {
    json!({"tool": "count", "args": {"steps": steps, "delay_ms": delay}})
}

/// The last line of standard error.
fn summary(run: &Run) -> &str {
    run.stderr.lines().last().unwrap_or_default()
}

#[test]
fn results_come_in_the_order_of_the_input() {
    let lines = [count(4, 100), count(1, 1), count(2, 1)];
    let run = batch(&lines, &["--concurrency", "3"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    let results = run.events();
    assert_eq!(statuses(&results), [(1, "ok"), (2, "ok"), (3, "ok")]);
    assert_eq!(results[2]["result"]["content"][0]["text"], "counted to 2");
    assert_eq!(
        (&results[0]["attempts"], &results[0]["tool"]),
        (&json!(1), &json!("count"))
    );
    assert!(results[0]["elapsed_ms"].as_u64() >= Some(400), "{run:?}");
    assert!(results[0].get("id").is_none() && results[0].get("error").is_none());
    assert!(
        summary(&run).starts_with("mcp-progress: 3 lines in ")
            && summary(&run).ends_with("s: 3 ok")
    );
    assert!(
        !run.stderr.contains('\u{1b}') && !run.stdout.contains('\u{1b}'),
        "no terminal, no codes"
    );
}

#[test]
fn or_as_they_finish() {
    let lines = [count(4, 100), count(1, 1), count(2, 50)];
    let run = batch(&lines, &["--concurrency", "2", "--as-finished"]);
    assert_eq!(statuses(&run.events()), [(2, "ok"), (3, "ok"), (1, "ok")]);
}

#[test]
fn no_more_run_at_once_than_asked_for() {
    let lines: Vec<Value> = iter::repeat_with(|| count(1, 20)).take(12).collect();
    let run = batch(&lines, &["--concurrency", "3", "--progress", "json"]);
    assert_eq!(run.code, Some(0));
    let (mut at_once, mut most, mut fraction) = (0, 0, 0.0);
    for event in objects(&run.stderr) {
        match event["event"].as_str().expect("a name") {
            "start" => at_once += 1,
            "end" => {
                at_once -= 1;
                let now = event["fraction"].as_f64().expect("a number");
                assert!(now > fraction, "{event}");
                fraction = now;
            }
            "progress" | "summary" => {}
            other => panic!("{other}"),
        }
        most = most.max(at_once);
    }
    assert_eq!((most, at_once, fraction), (3, 0, 1.0));
}

#[test]
fn the_first_failure_stops_and_what_is_in_flight_comes_to_its_end() {
    let lines = [
        count(3, 100),
        json!({"tool": "nothing"}),
        count(1, 1),
        count(1, 1),
    ];
    let run = batch(&lines, &["--concurrency", "2"]);
    assert_eq!(run.code, Some(3), "{run:?}");
    let results = run.events();
    assert_eq!(
        statuses(&results),
        [(1, "ok"), (2, "error"), (3, "skipped"), (4, "skipped")]
    );
    assert_eq!(
        (&results[1]["error"]["kind"], &results[1]["error"]["code"]),
        (&json!("rpc"), &json!(-32602))
    );
    assert_eq!(results[3]["skipped"], json!({"reason": "stopped"}));
    assert_eq!(
        (&results[3]["attempts"], &results[3]["elapsed_ms"]),
        (&json!(0), &json!(0))
    );
    // Told once where it is told to people.
    assert!(
        run.stderr.contains("   2 error nothing") && !run.stderr.contains("another line failed")
    );
    assert!(
        summary(&run).ends_with(": 1 ok, 1 failed, 2 skipped"),
        "{run:?}"
    );
}

#[test]
fn a_failed_parent_takes_its_children_with_it() {
    let lines = [
        json!({"tool": "burst", "id": "fine"}),
        json!({"tool": "fail", "args": {"after": 1, "delay_ms": 1}, "id": 2}),
        json!({"tool": "burst", "id": "child", "after": ["fine", 2]}),
        json!({"tool": "burst", "after": ["child"]}),
        // Ahead of its parent in the file, and behind it in time.
        json!({"tool": "burst", "id": "early", "after": ["late"]}),
        json!({"tool": "count", "args": {"steps": 2, "delay_ms": 20}, "id": "late"}),
    ];
    let run = batch(&lines, &["--keep-going", "--concurrency", "6"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let results = run.events();
    assert_eq!(
        statuses(&results),
        [
            (1, "ok"),
            (2, "tool_error"),
            (3, "skipped"),
            (4, "skipped"),
            (5, "ok"),
            (6, "ok")
        ]
    );
    assert_eq!(results[1]["result"]["isError"], true);
    assert_eq!(
        results[2]["skipped"],
        json!({"reason": "after", "index": 2, "id": 2})
    );
    assert_eq!(
        results[3]["skipped"],
        json!({"reason": "after", "index": 3, "id": "child"})
    );
    assert!(run.stderr.contains("it waits for line 2 (id 2)"), "{run:?}");
    let finished = batch(
        &lines,
        &["--keep-going", "--concurrency", "6", "--as-finished"],
    );
    let finished = finished.events();
    let finished = statuses(&finished);
    let place = |index| finished.iter().position(|(line, _)| *line == index);
    assert!(place(6) < place(5), "{finished:?}");
}

#[test]
fn errors_weigh_more_than_failures_of_tools() {
    let lines = [
        json!({"tool": "fail", "args": {"after": 1, "delay_ms": 1}}),
        json!({"tool": "hang", "timeout": "150ms"}),
        json!({"tool": "nothing"}),
        json!({"tool": "hang", "idle_timeout": "100ms"}),
    ];
    let run = batch(&lines, &["--keep-going"]);
    // The first of the file, not the first in time.
    assert_eq!(run.code, Some(5), "{run:?}");
    let results = run.events();
    assert_eq!(
        statuses(&results),
        [
            (1, "tool_error"),
            (2, "timeout"),
            (3, "error"),
            (4, "timeout")
        ]
    );
    assert_eq!(
        (&results[1]["error"]["clock"], &results[3]["error"]["clock"]),
        (&json!("total"), &json!("idle"))
    );
}

#[test]
fn what_is_wrong_with_the_lines_is_found_before_any_server_is_started() {
    for (text, told) in [
        (
            "{\"tool\": \"a\"}\n\n{\"tool\": 1}\n",
            "line 3: invalid type",
        ),
        ("{\"tool\": \"a\"\n", "line 1: EOF"),
        (
            "{\"tool\": \"a\", \"argument\": {}}\n",
            "line 1: unknown field `argument`",
        ),
        (
            "{\"tool\": \"a\", \"after\": [1]}\n",
            "line 1: no line has the id `1`",
        ),
        (
            "{\"tool\": \"a\", \"id\": 1, \"after\": [\"1\"]}\n",
            "line 1: no line has the id `1`",
        ),
        (
            "{\"tool\": \"a\", \"id\": 1}\n{\"tool\": \"a\", \"id\": 1}\n",
            "line 2: line 1 has the id `1` already",
        ),
        (
            "{\"tool\": \"a\", \"id\": 1, \"after\": [2]}\n{\"tool\": \"a\", \"id\": 2, \"after\": [1]}\n",
            "line 1: it waits for itself: 1 after 2 after 1",
        ),
    ] {
        let run = start_with(&["run", "-", "--", "no-such-program-anywhere"], text).finish();
        assert_eq!(run.code, Some(2), "{text}: {run:?}");
        assert!(
            run.stderr.starts_with("error: standard input, line ") && run.stderr.contains(told),
            "{run:?}"
        );
        assert_eq!(
            (run.names(), &run.last()["kind"]),
            (vec!["error".to_owned()], &json!("usage"))
        );
    }
    let missing = start_with(&["run", "/no/such/file", "--", "x"], "").finish();
    assert!(
        missing.code == Some(2) && missing.stderr.contains("/no/such/file"),
        "{missing:?}"
    );
    for wrong in [["--concurrency", "0"], ["--retry-on", "luck"]] {
        let run = start_with(&on_demo(&[&["run", "-"], &wrong[..]].concat()), "").finish();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{wrong:?}");
    }
}

#[test]
fn nothing_to_do_is_done() {
    let run = batch(&[], &[]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    assert!(summary(&run).ends_with(": 0 ok"));
    assert_eq!(batch(&[], &["--output", "json"]).stdout, "[]\n");
}

#[test]
fn an_array_and_words() {
    let lines = [count(1, 1), json!({"tool": "nothing", "id": "x"})];
    let run = batch(&lines, &["--output", "json", "--keep-going"]);
    let array: Vec<Value> = serde_json::from_str(&run.stdout).expect("one array");
    assert_eq!(
        (run.code, statuses(&array)),
        (Some(3), vec![(1, "ok"), (2, "error")])
    );
    let run = batch(&lines, &["--output", "text", "--keep-going"]);
    let text: Vec<&str> = run.stdout.lines().collect();
    assert!(
        text[0].starts_with("   1 ok count ") && text[0].ends_with("s: counted to 1"),
        "{run:?}"
    );
    assert!(
        text[1].starts_with("   2 error nothing (id x) ") && text.len() == 2,
        "{run:?}"
    );
    // The same eyes read both streams.
    assert!(!run.stderr.contains("nothing"), "{run:?}");
}

#[test]
fn a_clock_that_ran_out_is_another_try_only_where_that_is_wanted() {
    let lines = [
        json!({"tool": "hang", "timeout": "30ms"}),
        json!({"tool": "hang", "timeout": "30ms", "retries": 0}),
        json!({"tool": "fail", "args": {"after": 0}, "retries": 5}),
    ];
    let attempts = |args: &[&str]| {
        let run = batch(
            &lines,
            &[&["--keep-going", "--retries", "1"], args].concat(),
        );
        assert_eq!(run.code, Some(5), "{run:?}");
        let attempts: Vec<Value> = run
            .events()
            .iter()
            .map(|result| result["attempts"].clone())
            .collect();
        (Value::Array(attempts), run.stderr)
    };
    assert_eq!(attempts(&[]).0, json!([1, 1, 1]));
    let (attempts, told) = attempts(&["--retry-on", "timeout,lost"]);
    assert_eq!(attempts, json!([2, 1, 1]));
    assert_eq!(
        told.matches("line 1: another attempt in 0.").count(),
        1,
        "{told}"
    );
}

#[test]
fn a_line_has_its_weight_in_the_whole() {
    let mut lines = [count(1, 1), count(1, 1)];
    lines[0]["weight"] = json!(3);
    let run = batch(&lines, &["--concurrency", "1", "--progress", "json"]);
    let events = objects(&run.stderr);
    let ends = events.iter().filter(|event| event["event"] == "end");
    let fractions: Vec<_> = ends.map(|event| &event["fraction"]).collect();
    assert_eq!(fractions, [&json!(0.75), &json!(1)], "{run:?}");
}

#[cfg(unix)]
#[test]
fn what_a_line_says_is_sent() {
    let log = scratch("batch-sent.jsonl");
    let script = format!("tee '{}' | '{COMMAND}' serve-demo", log.display());
    let args = json!({"steps": 1, "delay_ms": 1, "other": [u64::MAX, null, "é"]});
    let line = json!({"tool": "job", "task": true, "args": args});
    let command = [
        "run",
        "-",
        "--protocol",
        "2025-11-25",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let run = start_with(&command, &format!("{line}\n")).finish();
    assert_eq!(
        (run.code, statuses(&run.events())),
        (Some(0), vec![(1, "ok")])
    );
    let sent = objects(&fs::read_to_string(log).expect("the server ran"));
    let call = sent
        .iter()
        .find(|message| message["method"] == "tools/call");
    let params = &call.expect("one call")["params"];
    assert_eq!(
        (&params["name"], &params["arguments"]),
        (&json!("job"), &args)
    );
    assert!(params["task"].is_object(), "{params}");
}

#[cfg(unix)]
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_file(&path);
    path
}

#[cfg(unix)]
fn written(name: &str, lines: &[Value]) -> PathBuf {
    let path = scratch(name);
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(&path, text).expect("writable");
    path
}

/// A server that dies of the first call of `count`, and is the demo server when it is started again. Each start is a line
/// of the file.
#[cfg(unix)]
fn dying(starts: &Path) -> String {
    let first = SHELL.replace("\"name\":\"die\"", "\"name\":\"count\"");
    format!(
        "echo started >> '{0}'\nif [ \"$(wc -l < '{0}')\" -gt 1 ]; then exec '{COMMAND}' serve-demo; fi\n{first}",
        starts.display()
    )
}

#[cfg(unix)]
#[test]
fn a_server_that_died_is_started_again_once_for_all() {
    let starts = scratch("batch-starts.txt");
    let file = written("batch-lost.jsonl", &[count(1, 1), count(1, 1), count(1, 1)]);
    let file = file.to_str().expect("UTF-8");
    let script = dying(&starts);
    let args = [
        "run",
        file,
        "--concurrency",
        "2",
        "--retries",
        "2",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let run = start(&args).finish();
    assert_eq!(run.code, Some(0), "{run:?}");
    let results = run.events();
    assert_eq!(statuses(&results), [(1, "ok"), (2, "ok"), (3, "ok")]);
    let attempts: Vec<_> = results.iter().map(|result| &result["attempts"]).collect();
    assert_eq!(attempts, [2, 2, 1], "{run:?}");
    let starts = fs::read_to_string(starts).expect("it was started");
    assert_eq!(starts.lines().count(), 2);
}

#[cfg(unix)]
#[test]
fn without_retries_the_rest_fails_clearly() {
    let starts = scratch("batch-gone.txt");
    let file = written("batch-gone.jsonl", &[count(1, 1), count(1, 1), count(1, 1)]);
    let file = file.to_str().expect("UTF-8");
    let script = dying(&starts);
    let args = [
        "run",
        file,
        "--concurrency",
        "2",
        "--keep-going",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let run = start(&args).finish();
    assert_eq!(run.code, Some(4), "{run:?}");
    let results = run.events();
    assert_eq!(
        statuses(&results),
        [(1, "error"), (2, "error"), (3, "error")]
    );
    for result in &results {
        assert_eq!(result["error"]["kind"], "connection_lost", "{run:?}");
    }
}

/// The ids of these messages.
#[cfg(unix)]
fn ids(sent: &[Value], method: &str, id: &str) -> Vec<i64> {
    let of_method = sent.iter().filter(|message| message["method"] == method);
    let id = |message: &Value| message.pointer(id).and_then(Value::as_i64);
    of_method
        .map(|message| id(message).expect("an id"))
        .collect()
}

#[cfg(unix)]
#[test]
fn ctrl_c_cancels_all_that_is_in_flight_once_each() {
    let log = scratch("batch-ctrl-c.jsonl");
    let script = format!("tee '{}' | '{COMMAND}' serve-demo", log.display());
    let hanging = iter::repeat_with(|| json!({"tool": "hang"})).take(7);
    let mut lines: Vec<Value> = iter::once(count(1, 1)).chain(hanging).collect();
    lines.push(json!({"tool": "burst", "id": "parent"}));
    lines.push(json!({"tool": "burst", "after": ["parent"]}));
    let file = written("batch-ctrl-c-lines.jsonl", &lines);
    let file = file.to_str().expect("UTF-8");
    let args = ["run", file, "--concurrency", "5", "--", "sh", "-c", &script];
    let mut running = start(&args);
    assert!(running.line().contains("\"status\":\"ok\""));
    // One is over, so that six have begun once all five places are taken again.
    let sent = || {
        let text = fs::read_to_string(&log).unwrap_or_default();
        // The last line may be half written.
        objects(text.rsplit_once('\n').unwrap_or_default().0)
    };
    let begun = || ids(&sent(), "tools/call", "/id").len() >= 6;
    for _ in 0..6_000 {
        if begun() {
            break;
        }
        thread::sleep(Duration::from_millis(5));
    }
    assert!(begun(), "{:#?}", sent());
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{run:?}");
    let results = run.events();
    let cancelled = (2..=6).map(|line| (line, "cancelled"));
    let skipped = (7..=10).map(|line| (line, "skipped"));
    let expected: Vec<_> = cancelled.chain(skipped).collect();
    assert_eq!(statuses(&results), expected);
    assert_eq!(results[0]["error"]["kind"], "cancelled");
    assert_eq!(results[8]["skipped"], json!({"reason": "interrupted"}));
    assert!(
        run.stderr
            .contains("interrupted: 5 calls are cancelled; once more to leave at once"),
        "{run:?}"
    );
    assert!(
        summary(&run).ends_with(": 1 ok, 5 cancelled, 4 skipped"),
        "{run:?}"
    );
    let sent = sent();
    let calls: BTreeSet<i64> = ids(&sent, "tools/call", "/id")
        .into_iter()
        .skip(1)
        .collect();
    let cancels = ids(&sent, "notifications/cancelled", "/params/requestId");
    assert_eq!(cancels.len(), 5, "{sent:#?}");
    assert_eq!(cancels.into_iter().collect::<BTreeSet<_>>(), calls);
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_pause_between_attempts() {
    let file = written(
        "batch-pause.jsonl",
        &[
            json!({"tool": "burst"}),
            json!({"tool": "fail", "args": {"after": 0, "delay_ms": 50}, "retries": 50}),
        ],
    );
    let file = file.to_str().expect("UTF-8");
    let args = ["run", file, "--retry-on", "tool-error"];
    let mut running = start(&on_demo(&args));
    assert!(running.line().contains("\"status\":\"ok\""));
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{run:?}");
    assert_eq!(statuses(&run.events()), [(2, "cancelled")]);
}

/// One request of HTTP, and its body.
fn read_request(stream: &mut impl BufRead) -> Option<(String, Value)> {
    let mut line = String::new();
    stream.read_line(&mut line).ok().filter(|read| *read > 0)?;
    let mut length = 0;
    loop {
        let mut header = String::new();
        stream.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((line, serde_json::from_slice(&body).unwrap_or_default()))
}

/// A server of 2025-06-18 on this machine that has no time for the first two calls. Gives its URL, and the number of calls.
fn busy_server() -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/mcp", listener.local_addr().expect("bound"));
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.expect("a connection");
            let mut reader = BufReader::new(&stream);
            let Some((line, message)) = read_request(&mut reader) else {
                continue;
            };
            let result = match message["method"].as_str() {
                Some("initialize") => json!({
                    "protocolVersion": "2025-06-18",
                    "capabilities": {"tools": {}},
                    "serverInfo": {"name": "busy", "version": "1"},
                }),
                Some("tools/call") if counted.fetch_add(1, Ordering::Relaxed) < 2 => Value::Null,
                _ => json!({"content": [{"type": "text", "text": "at last"}]}),
            };
            let (status, body) = match (line.starts_with("POST"), message.get("id"), result) {
                (false, ..) => ("405 Method Not Allowed", String::new()),
                (true, None, _) => ("202 Accepted", String::new()),
                (true, Some(_), Value::Null) => ("503 Service Unavailable", String::new()),
                (true, Some(id), result) => {
                    let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
                    ("200 OK", answer.to_string())
                }
            };
            let head = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            // A client that is gone meanwhile is none that is told.
            let _ = (&stream).write_all(head.as_bytes());
        }
    });
    (url, calls)
}

#[test]
fn a_server_without_time_is_asked_again() {
    for (retries, code, attempts) in [("2", 0, 3), ("1", 3, 2)] {
        let (url, calls) = busy_server();
        let args = [
            "run",
            "-",
            "--retries",
            retries,
            "--url",
            &url,
            "--protocol",
            "2025-06-18",
        ];
        let run = start_with(&args, "{\"tool\": \"any\"}\n").finish();
        assert_eq!(run.code, Some(code), "{run:?}");
        assert_eq!(run.last()["attempts"], attempts, "{run:?}");
        assert_eq!(calls.load(Ordering::Relaxed), attempts);
        if code == 3 {
            let error = &run.last()["error"];
            assert_eq!(
                (&error["kind"], &error["status"]),
                (&json!("http"), &json!(503))
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn on_a_terminal_what_is_in_flight_has_a_bar_and_all_of_it_too() {
    let failing = json!({"tool": "fail", "args": {"after": 2, "delay_ms": 100}});
    let file = written("batch-bars.jsonl", &[count(40, 20), failing, count(1, 1)]);
    let file = file.to_str().expect("UTF-8");
    let mut run = crate::terminal::start(&on_demo(&["run", file, "--keep-going"]));
    run.expect("1 count [");
    run.expect("total");
    run.expect("   2 tool_error fail ");
    run.expect("s: failed after 2 steps");
    let (code, stdout, screen) = run.finish();
    assert_eq!(code, Some(1), "{screen:?}");
    assert_eq!(
        statuses(&objects(&stdout)),
        [(1, "ok"), (2, "tool_error"), (3, "ok")]
    );
    // What is over is told in one line, and its bar is gone.
    assert!(!screen.contains("1 count done"), "{screen:?}");
    let (before, summary) = screen
        .rsplit_once("mcp-progress: 3 lines in ")
        .expect("the counts");
    assert!(
        summary.trim_end().ends_with("s: 2 ok, 1 tool error"),
        "{summary:?}"
    );
    assert!(before.contains("/3"), "{before:?}");
}
