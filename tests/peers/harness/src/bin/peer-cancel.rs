//! Ends calls early in several ways and proves, from what passed on the wire and from the server's
//! own signal, that the server was told once and in the right words: those of the revision, or by
//! the closing of the call's own stream.

use std::{
    ffi::OsString,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use peers_harness::{
    exchanges::{self, Recorder, Telling},
    options::Options,
    pairs::in_pairs,
    process::{self, Outcome},
    proxy::Proxy,
    roster::{self, Notices, Peer, Wire},
    scenario::{Place, Scenario},
    server::Server,
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

fn play(scenario: &Scenario, revision: &str, place: &Place) -> Result<Outcome, String> {
    let mut updates = 0;
    process::run(
        &scenario.program(),
        &scenario.arguments(revision, place),
        DEADLINE,
        |line| {
            updates += u32::from(verdict::is_update(line));
            scenario.interrupt && updates >= UPDATES_BEFORE_INTERRUPT
        },
    )
}

/// What is wrong with how the client ended, whatever the server was told.
fn judge_client(scenario: &Scenario, outcome: &Outcome) -> Vec<String> {
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
    faults
}

/// One scenario, played and judged.
struct Played {
    faults: Vec<String>,
    outcome: Outcome,
    wire: String,
    server: String,
}

fn over_stdio(
    settings: &Settings,
    scenario: &Scenario,
    peer: Peer,
    revision: &str,
    logs: &Logs,
) -> Result<Played, String> {
    let place = Place::Command(server_command(settings, peer, logs)?);
    let outcome = play(scenario, revision, &place)?;
    let (wire, server) = logs.settled()?;
    let mut faults = judge_client(scenario, &outcome);
    // A client that ends with its call is told nothing by a server that then ends before it has acted on its last line.
    let must_note = scenario.outlives_the_call() || peer.acts_before_end;
    faults.extend(wire::judge_cancellation(&wire, &server, must_note));
    Ok(Played {
        faults,
        outcome,
        wire,
        server,
    })
}

/// A program that goes on after the call must close the stream at once, not by its own end.
const CLOSED_BEFORE_END: Duration = Duration::from_millis(100);

fn over_http(
    server: &Server,
    scenario: &Scenario,
    peer: Peer,
    revision: &str,
    logs: &Logs,
) -> Result<Played, String> {
    let record = Arc::new(Recorder::default());
    let proxy = Proxy::start(server.address(), Arc::clone(&record))?;
    let noted = server.notes(0).len();
    let place = Place::Url(server.url(Some(proxy.address())));
    let outcome = play(scenario, revision, &place)?;
    let ended = record.now();

    let notices = peer.era(revision).notices;
    let must_note = match notices {
        Notices::Word => scenario.outlives_the_call() || peer.acts_before_end,
        Notices::Closing => true,
        Notices::Nothing => false,
    };
    let (exchanges, notes) = settled(&record, || server.notes(noted), must_note);
    let lines: Vec<_> = exchanges
        .iter()
        .map(|exchange| exchange.line() + "\n")
        .collect();
    let wire = lines.concat();
    fs::write(&logs.wire, &wire).map_err(|error| format!("{}: {error}", logs.wire.display()))?;
    fs::write(&logs.server, &notes)
        .map_err(|error| format!("{}: {error}", logs.server.display()))?;

    let mut faults = judge_client(scenario, &outcome);
    let telling = if peer.is_modern(revision) {
        Telling::Closing(scenario.outlives_the_call().then_some(CLOSED_BEFORE_END))
    } else {
        Telling::Notification
    };
    faults.extend(exchanges::judge_cancellation(&exchanges, telling, ended));
    let id = exchanges::id_of_call(&exchanges);
    match notices {
        Notices::Nothing => {}
        Notices::Word => faults.extend(wire::judge_notes(&notes, &id, must_note)),
        Notices::Closing => faults.extend(wire::judge_closing_notes(&notes, &id)),
    }
    Ok(Played {
        faults,
        outcome,
        wire,
        server: notes,
    })
}

/// How long a server that need not note anything gets for it, so that the next call is not taken for
/// what it notes.
const AFTERTHOUGHT: Duration = Duration::from_millis(150);

/// What passed and what the server noted, once all exchanges are over and it has noted something, or
/// what there is after `AFTERMATH`.
fn settled(
    record: &Recorder,
    notes: impl Fn() -> String,
    must_note: bool,
) -> (Vec<exchanges::Exchange>, String) {
    let end = Instant::now() + AFTERMATH;
    if !must_note {
        thread::sleep(AFTERTHOUGHT);
    }
    loop {
        let (exchanges, notes) = (record.exchanges(), notes());
        let over = exchanges.iter().all(|exchange| exchange.end.is_some());
        let noted = !must_note || !notes.is_empty();
        if over && noted || Instant::now() >= end {
            return (exchanges, notes);
        }
        thread::sleep(Duration::from_millis(20));
    }
}

fn shown(played: &Played) -> String {
    let mut text = String::new();
    for fault in &played.faults {
        let _ = writeln!(text, "     {fault}");
    }
    let said = [
        ("wire", &played.wire),
        ("server", &played.server),
        ("stdout", &played.outcome.lines.join("\n")),
        ("stderr", &played.outcome.stderr),
    ];
    for (title, said) in said {
        let lines: Vec<_> = said.lines().collect();
        for line in &lines[lines.len().saturating_sub(8)..] {
            let _ = writeln!(text, "     {title}: {line}");
        }
    }
    text
}

/// All scenarios with one server: how many were played, how many failed.
fn with_peer(settings: &Settings, directory: &Path, peer: Peer) -> Result<(u32, u32), String> {
    let server = match peer.wire {
        Wire::Stdio => None,
        Wire::Http | Wire::HttpSse => {
            let launcher = settings.peers_dir.join("bin").join(peer.name);
            let launcher = check(launcher, "run tests/peers/install")?;
            Some(Server::start(&launcher, directory)?)
        }
    };
    let (mut played, mut failed) = (0, 0);
    for revision in peer.eras() {
        let suiting = |scenario: &&Scenario| scenario.suits(peer.era(revision));
        for scenario in settings.scenarios.iter().filter(suiting) {
            let title = format!("{} {revision} {}", peer.name, scenario.name);
            let logs = Logs::new(directory, &title.replace(' ', "."))?;
            let done = match &server {
                None => over_stdio(settings, scenario, peer, revision, &logs)?,
                Some(server) => over_http(server, scenario, peer, revision, &logs)?,
            };
            played += 1;
            if done.faults.is_empty() {
                println!("ok   {title}");
            } else {
                // In one go: servers are tried two at a time.
                print!("FAIL {title}\n{}", shown(&done));
                failed += 1;
            }
        }
    }
    Ok((played, failed))
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let directory = settings.peers_dir.join("cancel-logs");
    fs::create_dir_all(&directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let peers = roster::chosen(&settings.only)?;
    let peers: Vec<_> = peers.into_iter().filter(|peer| peer.ours).collect();
    let done = in_pairs(&peers, |&peer| with_peer(&settings, &directory, peer));
    let (mut played, mut failed) = (0, 0);
    for done in done {
        let (p, f) = done?;
        played += p;
        failed += f;
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
