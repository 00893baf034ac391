//! Kills a program in the middle of a task, and lets another one, which knows nothing but the file with the task's handle,
//! finish the call; breaks a connection in the middle of a task; and has tasks stopped. The server serves HTTP, so that it lives on; its notes
//! say how often the tool ran.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::{Arc, mpsc::channel},
    thread,
    time::{Duration, Instant},
};

use peers_harness::{
    breaker::Breaker,
    options::Options,
    process::{self, Outcome},
    proxy::Proxy,
    scenario::Place,
    server::Server,
};
use serde_json::Value;

const USAGE: &str = "usage: peer-tasks --probe PATH --peers-dir DIR [--only SERVER]…";

/// For either program.
const DEADLINE: Duration = Duration::from_secs(30);

/// A call that becomes a task of two seconds.
#[derive(Clone, Copy)]
struct Case {
    server: &'static str,
    revision: &'static str,
    call: &'static str,
    /// What the second program must say of the result.
    says: &'static str,
}

const CASES: [Case; 9] = [
    Case {
        server: "rmcp-http",
        revision: "2026-07-28",
        call: r#"job {"steps":40}"#,
        says: r#""steps":40"#,
    },
    // Two rounds of questions before, and one more for the second program.
    Case {
        server: "rmcp-http",
        revision: "2026-07-28",
        call: r#"job {"steps":40,"questions":2,"ask":true}"#,
        says: r#""number":2.5}}],"steps":40"#,
    },
    Case {
        server: "rmcp-stateless",
        revision: "2026-07-28",
        call: r#"job {"steps":40}"#,
        says: r#""steps":40"#,
    },
    Case {
        server: "fm4-http",
        revision: "2026-07-28",
        call: r#"job {"steps":40,"ask":true}"#,
        says: r#""steps":40,"answers":[{"action":"accept""#,
    },
    Case {
        server: "tower-http",
        revision: "2026-07-28",
        call: r#"job {"steps":80}"#,
        says: r#""steps":80"#,
    },
    // In the session that the first program began.
    Case {
        server: "ts1-http",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40}"#,
        says: r#""steps":40"#,
    },
    Case {
        server: "ts1-http",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40,"ask":true}"#,
        says: r#""steps":40,"answers":[{"action":"accept""#,
    },
    Case {
        server: "py1-http",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40,"ask":true}"#,
        says: r#""steps":40,"answers":[{"action":"accept""#,
    },
    // Without a session.
    Case {
        server: "ts1-stateless",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40}"#,
        says: r#""steps":40"#,
    },
];

struct Settings {
    probe: PathBuf,
    peers_dir: PathBuf,
    only: Vec<String>,
}

fn settings() -> Result<Settings, String> {
    let mut options = Options::of_process();
    let (mut probe, mut peers_dir, mut only) = (None, None, Vec::new());
    while let Some(name) = options.name()? {
        match name.as_str() {
            "--probe" => probe = Some(options.path(&name)?),
            "--peers-dir" => peers_dir = Some(options.path(&name)?),
            "--only" => only.push(options.text(&name)?),
            _ => return Err(format!("unknown argument {name}\n{USAGE}")),
        }
    }
    let (Some(probe), Some(peers_dir)) = (probe, peers_dir) else {
        return Err(USAGE.to_owned());
    };
    Ok(Settings {
        probe,
        peers_dir,
        only,
    })
}

fn arguments(mode: &str, words: &[OsString], revision: &str, url: &str) -> Vec<OsString> {
    let mut arguments = vec![OsString::from(mode)];
    arguments.extend_from_slice(words);
    arguments.extend(["--protocol", revision].map(OsString::from));
    arguments.extend(Place::Url(url.to_owned()).arguments());
    arguments
}

/// Whether this line of the first program is from the middle of the task, with the handle saved.
fn is_mid_task(line: &str) -> bool {
    let line: Value = serde_json::from_str(line).unwrap_or_default();
    let message = line["message"].as_str().unwrap_or_default();
    line["saved"] == true && line["kind"] == "working" && message.starts_with("step")
}

/// Runs the first program and kills it, with a signal that it cannot see, in the middle of the task.
fn killed(probe: &Path, arguments: &[OsString]) -> Result<ExitStatus, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", probe.display());
    let mut child = Command::new(probe)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (sender, lines) = channel();
    if let Some(stdout) = child.stdout.take() {
        thread::spawn(move || {
            let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line))
        });
    }
    let (end, mut seen) = (Instant::now() + DEADLINE, Vec::new());
    let in_time = loop {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) if is_mid_task(&line) => break true,
            Ok(line) => seen.push(line),
            Err(_) => break false,
        }
    };
    child.kill().map_err(failed)?;
    let status = child.wait().map_err(failed)?;
    if in_time {
        Ok(status)
    } else {
        Err(format!("it was never in the middle of a task: {seen:?}"))
    }
}

/// How often the server noted this event.
fn noted(server: &Server, event: &str) -> usize {
    let notes = server.notes(0);
    let notes = notes
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap_or_default());
    notes.filter(|note| note["event"] == event).count()
}

/// What is wrong with how the second program ended, and with what the server did.
fn judge(case: &Case, outcome: &Outcome, server: &Server) -> Vec<String> {
    let mut faults = Vec::new();
    let last = outcome.lines.last().map(String::as_str).unwrap_or_default();
    let line: Value = serde_json::from_str(last).unwrap_or_default();
    let text = line["text"].as_str().unwrap_or_default();
    let squeezed: String = text.split_whitespace().collect();
    if !squeezed.contains(case.says) || line["failed"] != false {
        faults.push(format!("the result is {last}"));
    }
    let updates = line["updates"].as_array().into_iter().flatten();
    let kinds: Vec<_> = updates
        .filter_map(|update| update["kind"].as_str())
        .collect();
    if kinds.last() != Some(&"completed") || !kinds.contains(&"working") {
        faults.push(format!("the second program saw {kinds:?}"));
    }
    if outcome.code != Some(0) || outcome.overdue {
        faults.push(format!("exit code {:?}: {}", outcome.code, outcome.stderr));
    }
    // The task ends by itself, whoever is there to see it.
    let end = Instant::now() + DEADLINE;
    while noted(server, "job finished") == 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    faults.extend(judge_notes(server, [1, 1, 0]));
    faults
}

/// What is wrong if jobs should have begun, finished and been cancelled so often.
fn judge_notes(server: &Server, wanted: [usize; 3]) -> Vec<String> {
    let events = ["job started", "job finished", "job cancelled"];
    let mut faults = Vec::new();
    for (event, wanted) in events.into_iter().zip(wanted) {
        let seen = noted(server, event);
        if seen != wanted {
            faults.push(format!("{seen} times {event:?}, not {wanted}"));
        }
    }
    faults
}

fn played(settings: &Settings, case: &Case) -> Result<Vec<String>, String> {
    let launcher = settings.peers_dir.join("bin").join(case.server);
    let directory = settings.peers_dir.join("tasks-logs");
    let server = Server::start(&launcher, &directory)?;
    let url = server.url(None);
    let handle = directory.join(format!("{}.handle.json", case.server));
    if handle.exists() {
        fs::remove_file(&handle).map_err(|error| format!("{}: {error}", handle.display()))?;
    }
    let words = [handle.clone().into_os_string(), case.call.into()];
    let first = arguments("begin", &words, case.revision, &url);
    let status = killed(&settings.probe, &first)?;
    let mut faults = Vec::new();
    if status.code().is_some() {
        faults.push(format!(
            "the first program was not killed, but ended: {status}"
        ));
    }
    let words = [handle.into_os_string()];
    let second = arguments("resume", &words, case.revision, &url);
    let program = settings.probe.as_os_str().to_owned();
    let outcome = process::run(&program, &second, DEADLINE, |_| false)?;
    faults.extend(judge(case, &outcome, &server));
    Ok(faults)
}

/// Calls that become tasks of ten seconds.
const STOPPED: [(&str, &str, &str); 5] = [
    ("rmcp-http", "2026-07-28", r#"job {"steps":200}"#),
    ("fm4-http", "2026-07-28", r#"job {"steps":200}"#),
    ("tower-http", "2026-07-28", r#"job {"steps":200}"#),
    ("ts1-http", "2025-11-25", r#"task:job {"steps":200}"#),
    ("py1-http", "2025-11-25", r#"task:job {"steps":200}"#),
];

/// What is wrong when such a call is stopped in this way.
fn stopped(settings: &Settings, case: &Case, how: &str) -> Result<Vec<String>, String> {
    let launcher = settings.peers_dir.join("bin").join(case.server);
    let server = Server::start(&launcher, &settings.peers_dir.join("tasks-logs"))?;
    let words = [how, case.call].map(OsString::from);
    let words = arguments("stop", &words, case.revision, &server.url(None));
    let program = settings.probe.as_os_str().to_owned();
    let outcome = process::run(&program, &words, DEADLINE, |_| false)?;
    let mut faults = Vec::new();
    if outcome.code != Some(0) || outcome.overdue {
        faults.push(format!("exit code {:?}: {}", outcome.code, outcome.stderr));
    }
    // Much sooner than the task would end by itself.
    let end = Instant::now() + Duration::from_secs(3);
    while noted(&server, "job cancelled") == 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    faults.extend(judge_notes(&server, [1, 0, 1]));
    Ok(faults)
}

/// Two rounds of questions, then a task, of which one answer breaks on its way.
const BROKEN: Case = Case {
    server: "rmcp-http",
    revision: "2026-07-28",
    call: r#"job {"steps":20,"questions":2}"#,
    says: r#""number":2.5}}],"steps":20"#,
};

/// What is wrong with the one stream of updates: progress in legs 1, 2 and 3, then statuses of leg 3, with one gap.
fn judge_stream(line: &Value) -> Vec<String> {
    let updates: Vec<&Value> = line["updates"].as_array().into_iter().flatten().collect();
    let (progress, statuses) =
        updates.split_at(updates.partition_point(|update| update["kind"] == "progress"));
    let legs: Vec<_> = updates
        .iter()
        .map(|update| update["leg"].as_u64())
        .collect();
    let gaps = |updates: &[&Value]| {
        updates
            .iter()
            .filter(|update| update["gap"] == true)
            .count()
    };
    let right = legs[..progress.len()] == [1, 2, 3].map(Some)
        && legs[progress.len()..].iter().all(|leg| *leg == Some(3))
        && statuses.iter().all(|update| update["kind"] != "progress")
        && statuses
            .last()
            .is_some_and(|last| last["kind"] == "completed")
        && (gaps(progress), gaps(statuses)) == (0, 1)
        && (1..)
            .zip(&updates)
            .all(|(place, update)| update["seq"] == place);
    if right {
        Vec::new()
    } else {
        updates
            .iter()
            .map(|update| format!("update: {update}"))
            .collect()
    }
}

fn broken(settings: &Settings) -> Result<Vec<String>, String> {
    let launcher = settings.peers_dir.join("bin").join(BROKEN.server);
    let server = Server::start(&launcher, &settings.peers_dir.join("tasks-logs"))?;
    let breaker = Arc::new(Breaker::default());
    let proxy = Proxy::start(server.address(), Arc::clone(&breaker))?;
    let url = server.url(Some(proxy.address()));
    let words = ["--call", BROKEN.call].map(OsString::from);
    let program = settings.probe.as_os_str().to_owned();
    let words = arguments("asks", &words, BROKEN.revision, &url);
    let outcome = process::run(&program, &words, DEADLINE, |_| false)?;
    let mut faults = judge(&BROKEN, &outcome, &server);
    let last = outcome.lines.last().map(String::as_str).unwrap_or_default();
    faults.extend(judge_stream(
        &serde_json::from_str(last).unwrap_or_default(),
    ));
    let (asked, broken) = breaker.counts();
    if asked < 3 || broken != 1 {
        faults.push(format!("{asked} questions, {broken} answers broken"));
    }
    Ok(faults)
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let only = &settings.only;
    let wanted = |case: &&Case| only.is_empty() || only.iter().any(|name| name == case.server);
    let (mut all, mut bad) = (0, 0);
    let mut tell = |case: &Case, how: &str, faults: Vec<String>| {
        let title = format!("{} {} {}: {how}", case.server, case.revision, case.call);
        all += 1;
        if faults.is_empty() {
            println!("ok   {title}");
        } else {
            bad += 1;
            println!("FAIL {title}\n     {}", faults.join("\n     "));
        }
    };
    for case in CASES.iter().filter(wanted) {
        tell(
            case,
            "finished by another program",
            played(&settings, case)?,
        );
    }
    for (server, revision, call) in STOPPED {
        let case = Case {
            server,
            revision,
            call,
            says: "",
        };
        for how in ["drop", "cancel"].into_iter().filter(|_| wanted(&&case)) {
            let faults = stopped(&settings, &case, how)?;
            tell(&case, &format!("stopped by {how}"), faults);
        }
    }
    if wanted(&&BROKEN) {
        tell(&BROKEN, "went on after a break", broken(&settings)?);
    }
    println!("{all} played, {bad} failed");
    Ok(all > 0 && bad == 0)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-tasks: {error}");
            ExitCode::FAILURE
        }
    }
}
