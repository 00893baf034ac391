//! Runs batches of calls with `mcp-progress run`, through a proxy that writes down what passes: one in which a line fails
//! and another hangs, and one that is interrupted. What the command says must fit together with what the server was told.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    thread,
    time::{Duration, Instant},
};

use peers_harness::{
    options::Options,
    process::{self, Outcome},
    wire,
};
use serde_json::{Value, json};

const USAGE: &str = "usage: peer-batch --cli PATH --peers-dir DIR";

/// A batch takes a few seconds, and an operation that is not ended early longer than this.
const DEADLINE: Duration = Duration::from_secs(90);
const NEVER_MS: u64 = 600_000;

/// How long the server may take to end after the client has.
const AFTERMATH: Duration = Duration::from_secs(5);

const LINES: usize = 200;
const AT_ONCE: usize = 16;
const FAILING: usize = 57;
const HANGING: usize = 120;

/// Lines of the batch that is interrupted: the first is over at once, and most of the others never begin.
const INTERRUPTED_LINES: usize = 40;

/// The folder of all files, and the two programs.
struct Place {
    cli: OsString,
    peers_dir: PathBuf,
    directory: PathBuf,
}

/// The files of one batch.
struct Files {
    lines: PathBuf,
    wire: PathBuf,
    notes: PathBuf,
}

fn at(path: &Path, error: &std::io::Error) -> String {
    format!("{}: {error}", path.display())
}

impl Place {
    fn of_process() -> Result<Self, String> {
        let mut options = Options::of_process();
        let (mut cli, mut peers_dir) = (None, None);
        while let Some(name) = options.name()? {
            match name.as_str() {
                "--cli" => cli = Some(options.path(&name)?),
                "--peers-dir" => peers_dir = Some(options.path(&name)?),
                _ => return Err(format!("unknown argument {name}\n{USAGE}")),
            }
        }
        let peers_dir: PathBuf = peers_dir.ok_or(USAGE)?;
        let directory = peers_dir.join("batch-logs");
        fs::create_dir_all(&directory).map_err(|error| at(&directory, &error))?;
        Ok(Self {
            cli: cli.ok_or(USAGE)?.into_os_string(),
            peers_dir,
            directory,
        })
    }

    fn files(&self, name: &str, lines: &[Value]) -> Result<Files, String> {
        let file = |ending: &str| self.directory.join(format!("{name}.{ending}.jsonl"));
        let files = Files {
            lines: file("lines"),
            wire: file("wire"),
            notes: file("server"),
        };
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        // The last two are appended to, so what an earlier run left must go.
        for (path, text) in [
            (&files.lines, text.as_str()),
            (&files.wire, ""),
            (&files.notes, ""),
        ] {
            fs::write(path, text).map_err(|error| at(path, &error))?;
        }
        Ok(files)
    }

    /// `run` on this server, through the proxy.
    fn arguments(
        &self,
        files: &Files,
        more: &[&str],
        server: &str,
    ) -> Result<Vec<OsString>, String> {
        let me = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
        let tee = me.with_file_name(format!("wire-tee{}", std::env::consts::EXE_SUFFIX));
        let launcher = self.peers_dir.join("bin").join(server);
        for (path, remedy) in [
            (&tee, "build all binaries"),
            (&launcher, "run tests/peers/install"),
        ] {
            if !path.exists() {
                return Err(format!("{} is missing: {remedy}", path.display()));
            }
        }
        let mut notes = OsString::from("PEER_LOG=");
        notes.push(&files.notes);
        let mut arguments: Vec<OsString> = vec!["run".into(), files.lines.clone().into()];
        arguments.extend(more.iter().map(OsString::from));
        arguments.extend(["--progress".into(), "plain".into()]);
        arguments.extend([
            "--".into(),
            tee.into(),
            files.wire.clone().into(),
            "--".into(),
        ]);
        arguments.extend(["env".into(), notes, launcher.into()]);
        Ok(arguments)
    }
}

/// What passed between the two, in order.
#[derive(Default)]
struct Passed {
    /// By their ids.
    calls: BTreeMap<i64, Call>,
    /// The ids of the cancels, as often as they came.
    cancelled: Vec<i64>,
    /// Those that came after the response.
    late: Vec<i64>,
    /// The most calls that were open at once.
    most: usize,
}

#[derive(Default)]
struct Call {
    token: Value,
    answered: bool,
    cancelled: bool,
    updates: usize,
}

impl Passed {
    fn read(path: &Path) -> Result<Self, String> {
        let log = fs::read_to_string(path).map_err(|error| at(path, &error))?;
        let mut passed = Self::default();
        let mut open = 0_usize;
        for entry in log
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        {
            let line = entry["line"].as_str().unwrap_or_default();
            let Ok(message) = serde_json::from_str::<Value>(line) else {
                continue;
            };
            let id = message["id"].as_i64();
            match (message["method"].as_str(), id) {
                (Some("tools/call"), Some(id)) => {
                    open += 1;
                    passed.most = passed.most.max(open);
                    let call = Call {
                        token: message["params"]["_meta"]["progressToken"].clone(),
                        ..Call::default()
                    };
                    passed.calls.insert(id, call);
                }
                (Some("notifications/cancelled"), _) => {
                    let id = message["params"]["requestId"].as_i64().unwrap_or(-1);
                    passed.cancelled.push(id);
                    if let Some(call) = passed.calls.get_mut(&id) {
                        open -= usize::from(!call.answered && !call.cancelled);
                        call.cancelled = true;
                        if call.answered {
                            passed.late.push(id);
                        }
                    }
                }
                (Some("notifications/progress"), _) => {
                    let token = &message["params"]["progressToken"];
                    for call in passed
                        .calls
                        .values_mut()
                        .filter(|call| call.token == *token)
                    {
                        call.updates += 1;
                    }
                }
                (None, Some(id)) if entry["from"] == "server" => {
                    if let Some(call) = passed.calls.get_mut(&id) {
                        open -= usize::from(!call.answered && !call.cancelled);
                        call.answered = true;
                    }
                }
                _ => {}
            }
        }
        Ok(passed)
    }

    /// The ids of the calls that the server works at and has said so.
    fn under_way(&self) -> BTreeSet<i64> {
        let working = self
            .calls
            .iter()
            .filter(|(_, call)| !call.answered && call.updates > 0);
        working.map(|(id, _)| *id).collect()
    }

    /// Exactly these calls were cancelled, once each, and before they were answered.
    fn judge_cancels(&self, expected: &BTreeSet<i64>, faults: &mut Vec<String>) {
        let told: BTreeSet<i64> = self.cancelled.iter().copied().collect();
        if told != *expected || self.cancelled.len() != expected.len() {
            faults.push(format!(
                "{:?} were cancelled on the wire instead of {expected:?}",
                self.cancelled
            ));
        }
        if !self.late.is_empty() {
            faults.push(format!(
                "{:?} were cancelled after their responses",
                self.late
            ));
        }
    }
}

fn results(outcome: &Outcome, faults: &mut Vec<String>) -> Vec<Value> {
    if outcome.overdue {
        faults.push("the command was killed at the deadline".to_owned());
    }
    let lines = outcome.lines.iter();
    lines
        .filter_map(|line| match serde_json::from_str(line) {
            Ok(result) => Some(result),
            Err(error) => {
                faults.push(format!("no JSON ({error}): {line}"));
                None
            }
        })
        .collect()
}

fn check(holds: bool, fault: impl FnOnce() -> String, faults: &mut Vec<String>) {
    if !holds {
        faults.push(fault());
    }
}

/// A line of the great batch, and what its result must say.
fn call(index: usize) -> (Value, String) {
    match index {
        FAILING => (json!({"tool": "no-such-tool"}), "no-such-tool".to_owned()),
        HANGING => {
            let args = json!({"duration": NEVER_MS / 1_000, "steps": NEVER_MS / 100});
            let line =
                json!({"tool": "trigger-long-running-operation", "args": args, "timeout": "700ms"});
            (line, "700ms".to_owned())
        }
        index if index % 10 == 0 => {
            let args = json!({"duration": 0.4, "steps": 4});
            (
                json!({"tool": "trigger-long-running-operation", "args": args}),
                "Steps: 4".to_owned(),
            )
        }
        index if index % 2 == 0 => {
            let line = json!({"tool": "get-sum", "args": {"a": index, "b": 1_000}});
            (line, format!("is {}.", index + 1_000))
        }
        index => {
            let line = json!({"tool": "echo", "args": {"message": format!("number {index}")}});
            (line, format!("Echo: number {index}"))
        }
    }
}

/// 200 lines, one of which fails and one of which hangs: the others have their own results, in order.
fn great(place: &Place) -> Result<(Vec<String>, Outcome), String> {
    let calls: Vec<_> = (1..=LINES).map(call).collect();
    let lines: Vec<Value> = calls.iter().map(|(line, _)| line.clone()).collect();
    let files = place.files("great", &lines)?;
    let more = ["--keep-going", "--concurrency", &AT_ONCE.to_string()];
    let arguments = place.arguments(&files, &more, "everything")?;
    let outcome = process::run(&place.cli, &arguments, DEADLINE, |_| false)?;
    settle(&files)?;
    let passed = Passed::read(&files.wire)?;

    let mut faults = Vec::new();
    let results = results(&outcome, &mut faults);
    check(
        outcome.code == Some(5),
        || format!("exit code {:?} instead of 5", outcome.code),
        &mut faults,
    );
    check(
        results.len() == LINES,
        || format!("{} results", results.len()),
        &mut faults,
    );
    for ((index, result), (line, says)) in (1..).zip(&results).zip(&calls) {
        let expected = match index {
            FAILING => "tool_error",
            HANGING => "timeout",
            _ => "ok",
        };
        let said = result["error"]["message"].as_str();
        let said = said.or_else(|| result["result"]["content"][0]["text"].as_str());
        let holds = result["index"] == index
            && result["tool"] == line["tool"]
            && result["status"] == expected
            && result["attempts"] == 1
            && said.is_some_and(|said| said.contains(says.as_str()));
        check(holds, || format!("line {index} gave {result}"), &mut faults);
    }
    let summary = outcome.stderr.lines().last().unwrap_or_default();
    let counts = format!(": {} ok, 1 tool error, 1 timed out", LINES - 2);
    check(
        summary.ends_with(&counts),
        || format!("the last words are {summary:?}"),
        &mut faults,
    );
    check(
        passed.calls.len() == LINES,
        || format!("{} calls on the wire", passed.calls.len()),
        &mut faults,
    );
    check(
        passed.most == AT_ONCE,
        || format!("up to {} calls at once", passed.most),
        &mut faults,
    );
    let unanswered = passed.calls.iter().filter(|(_, call)| !call.answered);
    passed.judge_cancels(&unanswered.map(|(id, _)| *id).collect(), &mut faults);
    check(
        passed.cancelled.len() == 1,
        || "not one time-out".to_owned(),
        &mut faults,
    );
    Ok((faults, outcome))
}

/// Ctrl-C with 16 calls in flight: each is cancelled once, and the rest never begins.
fn interrupted(
    place: &Place,
    server: &str,
    first: Value,
    slow: &Value,
) -> Result<(Vec<String>, Outcome), String> {
    let mut lines = vec![first];
    lines.resize(INTERRUPTED_LINES, slow.clone());
    let files = place.files(&format!("interrupted-{server}"), &lines)?;
    let more = ["--concurrency", &AT_ONCE.to_string()];
    let arguments = place.arguments(&files, &more, server)?;
    // The first result frees a place. The interrupt comes once all places are taken again, and all calls under way.
    let end = Instant::now() + DEADLINE / 2;
    let mut in_flight = BTreeSet::new();
    let outcome = process::run(&place.cli, &arguments, DEADLINE, |_| {
        while in_flight.len() < AT_ONCE && Instant::now() < end {
            thread::sleep(Duration::from_millis(20));
            in_flight = Passed::read(&files.wire)
                .map(|passed| passed.under_way())
                .unwrap_or_default();
        }
        true
    })?;
    settle(&files)?;
    let passed = Passed::read(&files.wire)?;
    let notes = fs::read_to_string(&files.notes).map_err(|error| at(&files.notes, &error))?;

    let mut faults = Vec::new();
    let results = results(&outcome, &mut faults);
    check(
        in_flight.len() == AT_ONCE,
        || format!("{} calls in flight", in_flight.len()),
        &mut faults,
    );
    check(
        outcome.code == Some(130),
        || format!("exit code {:?} instead of 130", outcome.code),
        &mut faults,
    );
    check(
        results.len() == INTERRUPTED_LINES,
        || format!("{} results", results.len()),
        &mut faults,
    );
    for (index, result) in (1..).zip(&results) {
        let (expected, why) = match index {
            1 => ("ok", Value::Null),
            2..=17 => ("cancelled", Value::Null),
            _ => ("skipped", json!("interrupted")),
        };
        let holds = result["index"] == index
            && result["status"] == expected
            && result["skipped"]["reason"] == why;
        check(holds, || format!("line {index} gave {result}"), &mut faults);
    }
    check(
        passed.calls.len() == AT_ONCE + 1,
        || format!("{} calls on the wire", passed.calls.len()),
        &mut faults,
    );
    passed.judge_cancels(&in_flight, &mut faults);
    if server != "everything" {
        judge_notes(&notes, &in_flight, &mut faults);
    }
    Ok((faults, outcome))
}

/// The server's own signal was fired for each of these calls, once, and not by the end of the connection.
fn judge_notes(notes: &str, expected: &BTreeSet<i64>, faults: &mut Vec<String>) {
    let notes = notes
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    // The call that is over has a line for each of its updates.
    let ends: Vec<Value> = notes.filter(|note| note["event"] != "sent").collect();
    let mut noted = BTreeSet::new();
    for note in &ends {
        let reason = note["reason"].as_str().unwrap_or_default();
        let by_us = note["event"] == "aborted" && !reason.contains("onnection closed");
        check(by_us, || format!("the server noted {note}"), faults);
        noted.extend(note["request"].as_i64());
    }
    check(
        noted == *expected && ends.len() == expected.len(),
        || {
            format!(
                "the server noted {} ends, of {noted:?} instead of {expected:?}",
                ends.len()
            )
        },
        faults,
    );
}

/// Waits until the proxy has written its last line.
fn settle(files: &Files) -> Result<(), String> {
    let end = Instant::now() + AFTERMATH;
    loop {
        let log = fs::read_to_string(&files.wire).map_err(|error| at(&files.wire, &error))?;
        if wire::is_complete(&log) || Instant::now() >= end {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn tell(title: &str, (faults, outcome): &(Vec<String>, Outcome)) -> bool {
    if faults.is_empty() {
        println!("ok   {title}");
        return true;
    }
    println!("FAIL {title}");
    for fault in faults {
        println!("     {fault}");
    }
    for line in outcome
        .stderr
        .lines()
        .rev()
        .take(8)
        .collect::<Vec<_>>()
        .iter()
        .rev()
    {
        println!("     stderr: {line}");
    }
    false
}

fn run() -> Result<bool, String> {
    let place = Place::of_process()?;
    let operation = |duration: f64, steps: u64| {
        let args = json!({"duration": duration, "steps": steps});
        json!({"tool": "trigger-long-running-operation", "args": args})
    };
    let mut fine = tell(
        &format!("everything: {LINES} lines, one fails, one hangs"),
        &great(&place)?,
    );
    let never = operation(600.0, 2_400);
    let done = interrupted(&place, "everything", operation(0.1, 1), &never)?;
    fine &= tell("everything: interrupted", &done);
    let first = json!({"tool": "count", "args": {"steps": 1}});
    let slow = json!({"tool": "slow", "args": {"ms": NEVER_MS}});
    for server in ["ts1", "ts2", "py1", "py2"] {
        let done = interrupted(&place, server, first.clone(), &slow)?;
        fine &= tell(
            &format!("{server}: interrupted, by the server's own signal"),
            &done,
        );
    }
    Ok(fine)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-batch: {error}");
            ExitCode::FAILURE
        }
    }
}
