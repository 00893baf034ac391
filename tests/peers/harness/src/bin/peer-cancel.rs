//! Ends calls early in several ways and proves, from what passed on the wire and from the server's
//! own signal, that the server was told once and in the right words.

use std::{
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
    roster::{self, Peer},
    scenario::Scenario,
    verdict, wire,
};

const USAGE: &str =
    "usage: peer-cancel --peers-dir DIR [--cli PATH] [--probe PATH MODE]… [--only SERVER]…";

/// The call itself would take twice as long.
const DEADLINE: Duration = Duration::from_secs(30);

/// How long the server may take to end after the client has.
const AFTERMATH: Duration = Duration::from_secs(5);

/// The interrupt comes after this many updates: the call is then certainly under way.
const UPDATES_BEFORE_INTERRUPT: u32 = 3;

struct Settings {
    peers_dir: PathBuf,
    scenarios: Vec<Scenario>,
    only: Vec<String>,
}

fn settings() -> Result<Settings, String> {
    let mut options = Options::of_process();
    let (mut peers_dir, mut scenarios, mut only) = (None, Vec::new(), Vec::new());
    while let Some(name) = options.name()? {
        match name.as_str() {
            "--peers-dir" => peers_dir = Some(options.path(&name)?),
            "--cli" => scenarios.extend(Scenario::of_cli(options.path(&name)?)),
            "--probe" => {
                scenarios.push(Scenario::of_probe(
                    options.path(&name)?,
                    options.text(&name)?,
                ));
            }
            "--only" => only.push(options.text(&name)?),
            _ => return Err(format!("unknown argument {name}\n{USAGE}")),
        }
    }
    let peers_dir = peers_dir.ok_or(USAGE)?;
    Ok(Settings {
        peers_dir,
        scenarios,
        only,
    })
}

/// Where one run leaves its two logs.
struct Logs {
    wire: PathBuf,
    server: PathBuf,
}

impl Logs {
    fn new(directory: &Path, name: &str) -> Result<Self, String> {
        let logs = Self {
            wire: directory.join(format!("{name}.wire.jsonl")),
            server: directory.join(format!("{name}.server.jsonl")),
        };
        // Both are appended to, so what an earlier run left must go.
        for path in [&logs.wire, &logs.server] {
            fs::write(path, "").map_err(|error| format!("{}: {error}", path.display()))?;
        }
        Ok(logs)
    }

    fn read(&self) -> Result<(String, String), String> {
        let text = |path: &Path| {
            fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
        };
        Ok((text(&self.wire)?, text(&self.server)?))
    }

    /// The logs once the server has ended, or what there is of them after `AFTERMATH`.
    fn settled(&self) -> Result<(String, String), String> {
        let end = Instant::now() + AFTERMATH;
        loop {
            let (wire, server) = self.read()?;
            if wire::is_complete(&wire) || Instant::now() >= end {
                return Ok((wire, server));
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What must exist, with what makes it exist.
fn check(path: PathBuf, remedy: &str) -> Result<PathBuf, String> {
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{} is missing: {remedy}", path.display()))
    }
}

/// The server's command: the proxy, the variable for the server (the client need not pass its own
/// environment on), and the launcher.
fn server_command(settings: &Settings, peer: Peer, logs: &Logs) -> Result<Vec<OsString>, String> {
    let me = std::env::current_exe().map_err(|error| format!("where am I? {error}"))?;
    let mut variable = OsString::from("PEER_LOG=");
    variable.push(&logs.server);
    let tee = me.with_file_name(format!("wire-tee{}", std::env::consts::EXE_SUFFIX));
    let launcher = settings.peers_dir.join("bin").join(peer.name);
    Ok(vec![
        check(tee, "build all binaries of the harness")?.into_os_string(),
        logs.wire.clone().into_os_string(),
        "--".into(),
        "env".into(),
        variable,
        check(launcher, "run tests/peers/install")?.into_os_string(),
    ])
}

fn play(
    settings: &Settings,
    scenario: &Scenario,
    peer: Peer,
    revision: &str,
    logs: &Logs,
) -> Result<Outcome, String> {
    let server = server_command(settings, peer, logs)?;
    let mut updates = 0;
    process::run(
        &scenario.program(),
        &scenario.arguments(revision, &server),
        DEADLINE,
        |line| {
            updates += u32::from(verdict::is_update(line));
            scenario.interrupt && updates >= UPDATES_BEFORE_INTERRUPT
        },
    )
}

fn judge(
    scenario: &Scenario,
    peer: Peer,
    outcome: &Outcome,
    wire: &str,
    server: &str,
) -> Vec<String> {
    let mut faults = Vec::new();
    if outcome.overdue {
        faults.push("the client was killed at the deadline".to_owned());
    }
    if outcome.code != Some(scenario.code) {
        faults.push(format!(
            "exit code {:?} instead of {}",
            outcome.code, scenario.code
        ));
    }
    if scenario.speaks_jsonl() {
        let words = verdict::last_words(&outcome.lines);
        if words != ["error"] {
            faults.push(format!("the last words are {words:?} instead of one error"));
        }
    }
    // A client that closes at once is told nothing by a server that then ends before it has acted on its last line.
    let must_note = scenario.name != "close" || peer.acts_before_end;
    faults.extend(wire::judge_cancellation(wire, server, must_note));
    faults
}

fn show(faults: &[String], outcome: &Outcome, wire: &str, server: &str) {
    for fault in faults {
        println!("     {fault}");
    }
    let shown = |title: &str, text: &str| {
        let lines: Vec<_> = text.lines().collect();
        for line in &lines[lines.len().saturating_sub(8)..] {
            println!("     {title}: {line}");
        }
    };
    shown("wire", wire);
    shown("server", server);
    shown("stdout", &outcome.lines.join("\n"));
    shown("stderr", &outcome.stderr);
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let directory = settings.peers_dir.join("cancel-logs");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let (mut played, mut failed) = (0, 0);
    for peer in roster::chosen(&settings.only)?
        .into_iter()
        .filter(|peer| peer.ours)
    {
        for revision in peer.eras() {
            for scenario in &settings.scenarios {
                let title = format!("{} {revision} {}", peer.name, scenario.name);
                let logs = Logs::new(&directory, &title.replace(' ', "."))?;
                let outcome = play(&settings, scenario, peer, revision, &logs)?;
                let (wire, server) = logs.settled()?;
                let faults = judge(scenario, peer, &outcome, &wire, &server);
                println!(
                    "{} {title}",
                    if faults.is_empty() { "ok  " } else { "FAIL" }
                );
                if !faults.is_empty() {
                    show(&faults, &outcome, &wire, &server);
                    failed += 1;
                }
                played += 1;
            }
        }
    }
    println!("{played} played, {failed} failed");
    Ok(played > 0 && failed == 0)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-cancel: {error}");
            ExitCode::FAILURE
        }
    }
}
