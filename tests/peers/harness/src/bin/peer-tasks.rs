//! Kills a program in the middle of a task, and lets another one, which knows nothing but the file with the task's handle,
//! finish the call. The server serves HTTP, so that it lives on; its notes say how often the tool ran.

use std::{
    ffi::OsString,
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, ExitCode, ExitStatus, Stdio},
    sync::mpsc::channel,
    thread,
    time::{Duration, Instant},
};

use peers_harness::{
    options::Options,
    process::{self, Outcome},
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
    /// What the second program must say: of the result, or of the error where this server does not show its tasks to
    /// another session.
    says: Result<&'static str, &'static str>,
}

const CASES: [Case; 6] = [
    Case {
        server: "rmcp-http",
        revision: "2026-07-28",
        call: r#"job {"steps":40}"#,
        says: Ok(r#""steps":40"#),
    },
    // Two rounds of questions before, and one more for the second program.
    Case {
        server: "rmcp-http",
        revision: "2026-07-28",
        call: r#"job {"steps":40,"questions":2,"ask":true}"#,
        says: Ok(r#""number":2.5}}],"steps":40"#),
    },
    Case {
        server: "rmcp-stateless",
        revision: "2026-07-28",
        call: r#"job {"steps":40}"#,
        says: Ok(r#""steps":40"#),
    },
    Case {
        server: "ts1-stateless",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40}"#,
        says: Ok(r#""steps":40"#),
    },
    Case {
        server: "ts1-http",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40}"#,
        says: Err("does not know the task any more"),
    },
    Case {
        server: "py1-http",
        revision: "2025-11-25",
        call: r#"task:job {"steps":40}"#,
        says: Err("does not know the task any more"),
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
    let member = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
    let squeezed: String = member("text").split_whitespace().collect();
    match case.says {
        Ok(says) => {
            if !squeezed.contains(says) || line["failed"] != false {
                faults.push(format!("the result is {last}"));
            }
            let updates = line["updates"].as_array().into_iter().flatten();
            let kinds: Vec<_> = updates
                .filter_map(|update| update["kind"].as_str())
                .collect();
            if kinds.last() != Some(&"completed") || !kinds.contains(&"working") {
                faults.push(format!("the second program saw {kinds:?}"));
            }
        }
        Err(says) => {
            if !member("error").contains(says) {
                faults.push(format!("no error about {says:?}, but {last}"));
            }
        }
    }
    if outcome.code != Some(0) || outcome.overdue {
        faults.push(format!("exit code {:?}: {}", outcome.code, outcome.stderr));
    }
    // The task ends by itself, whoever is there to see it.
    let end = Instant::now() + DEADLINE;
    while noted(server, "job finished") == 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(20));
    }
    for (event, wanted) in [
        ("job started", 1),
        ("job finished", 1),
        ("job cancelled", 0),
    ] {
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

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let only = &settings.only;
    let wanted = |case: &&Case| only.is_empty() || only.iter().any(|name| name == case.server);
    let (mut all, mut bad) = (0, 0);
    for case in CASES.iter().filter(wanted) {
        let faults = played(&settings, case)?;
        let title = format!("{} {} {}", case.server, case.revision, case.call);
        all += 1;
        if faults.is_empty() {
            let how = if case.says.is_ok() {
                "finished by another program"
            } else {
                "refused to another session"
            };
            println!("ok   {title}: {how}");
        } else {
            bad += 1;
            println!("FAIL {title}\n     {}", faults.join("\n     "));
        }
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
