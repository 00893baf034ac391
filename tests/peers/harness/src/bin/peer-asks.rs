//! Runs the probe against every server that asks, works as a task or shows what it was sent; prints what came of each
//! call as a table, and fails unless that is the pinned table.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use peers_harness::{
    answers::{self, Answer},
    asks::{self, Call},
    options::Options,
    pairs::in_pairs,
    process::{self, Outcome},
    roster::{Peer, Wire},
    scenario::Place,
    server::Server,
    table,
};
use serde_json::Value;

const USAGE: &str =
    "usage: peer-asks --probe PATH --peers-dir DIR --expected FILE [--only SERVER]…";

/// All calls of one server and revision; the finished server takes its time.
const DEADLINE: Duration = Duration::from_secs(90);

const HEADINGS: [&str; 8] = [
    "server",
    "made with",
    "revision",
    "call",
    "asked",
    "legs of updates",
    "task",
    "result ok",
];

struct Settings {
    probe: PathBuf,
    peers_dir: PathBuf,
    expected: PathBuf,
    only: Vec<String>,
}

/// One call as a line of the table.
struct Row {
    cells: [String; 8],
    faults: Vec<String>,
}

fn settings() -> Result<Settings, String> {
    let mut options = Options::of_process();
    let (mut probe, mut peers_dir, mut expected, mut only) = (None, None, None, Vec::new());
    while let Some(name) = options.name()? {
        match name.as_str() {
            "--probe" => probe = Some(options.path(&name)?),
            "--peers-dir" => peers_dir = Some(options.path(&name)?),
            "--expected" => expected = Some(options.path(&name)?),
            "--only" => only.push(options.text(&name)?),
            _ => return Err(format!("unknown argument {name}\n{USAGE}")),
        }
    }
    let (Some(probe), Some(peers_dir), Some(expected)) = (probe, peers_dir, expected) else {
        return Err(USAGE.to_owned());
    };
    Ok(Settings {
        probe,
        peers_dir,
        expected,
        only,
    })
}

/// What a server is made with, as the installation wrote it down.
fn made_with(peers_dir: &Path, peer: Peer) -> Result<String, String> {
    let file = peers_dir.join("versions");
    let text = fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let base = peer.name.split('-').next().unwrap_or_default();
    let mut lines = text.lines().filter_map(|line| line.split_once(' '));
    lines
        .find_map(|(name, made_with)| (name == base).then(|| made_with.to_owned()))
        .ok_or_else(|| format!("{} does not name {base}", file.display()))
}

fn probe(
    settings: &Settings,
    place: &Place,
    revision: &str,
    calls: &[Call],
) -> Result<Outcome, String> {
    let mut arguments: Vec<OsString> = vec!["asks".into()];
    for call in calls {
        arguments.extend(["--call".into(), OsString::from(&call.words)]);
    }
    arguments.extend(["--protocol", revision].map(OsString::from));
    arguments.extend(place.arguments());
    let program = settings.probe.as_os_str().to_owned();
    process::run(&program, &arguments, DEADLINE, |_| false)
}

/// The words for a list in a cell.
fn list(words: &[String]) -> String {
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(", ")
    }
}

/// The legs, and for long ones how often they come.
fn counted(legs: &[u64]) -> Vec<String> {
    let runs = legs.chunk_by(|one, other| one == other);
    let word = |run: &[u64]| match run {
        [leg] => leg.to_string(),
        run => format!("{} times {}", run.len(), run[0]),
    };
    runs.map(word).collect()
}

fn row(peer: Peer, made_with: &str, revision: &str, call: &Call, answer: Answer) -> Row {
    let legs = match call.updates {
        asks::Updates::Legs(_) => list(&counted(&answer.legs)),
        asks::Updates::Some(most) => format!("up to {most} updates"),
    };
    let verdict = if answer.faults.is_empty() {
        "yes"
    } else {
        "NO"
    };
    Row {
        cells: [
            peer.name.to_owned(),
            made_with.to_owned(),
            revision.to_owned(),
            call.words.clone(),
            list(&answer.questions),
            legs,
            list(&answer.statuses),
            verdict.to_owned(),
        ],
        faults: answer.faults,
    }
}

/// The rows of one server in one revision.
fn asked(
    settings: &Settings,
    peer: Peer,
    place: &Place,
    revision: &str,
) -> Result<Vec<Row>, String> {
    let made_with = made_with(&settings.peers_dir, peer)?;
    let calls = asks::calls(peer, revision);
    let outcome = probe(settings, place, revision, &calls)?;
    let lines: Vec<Value> = outcome
        .lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_default())
        .collect();
    let mut rows = Vec::new();
    for (number, call) in calls.iter().enumerate() {
        let line = lines.get(number).cloned().unwrap_or_default();
        let answer = answers::judge(&line, call, revision);
        rows.push(row(peer, &made_with, revision, call, answer));
    }
    if outcome.code != Some(0) || outcome.overdue || lines.len() != calls.len() {
        let fault = format!("exit code {:?}, {} lines", outcome.code, lines.len());
        if let Some(last) = rows.last_mut() {
            last.faults.push(fault);
        }
    }
    explain(&rows, &outcome);
    Ok(rows)
}

/// Says on standard error what is wrong, so that the table stays readable.
fn explain(rows: &[Row], outcome: &Outcome) {
    let mut said = Vec::new();
    for row in rows.iter().filter(|row| !row.faults.is_empty()) {
        said.push(format!("\n{}", row.cells.join(" | ")));
        said.extend(row.faults.iter().map(|fault| format!("  {fault}")));
    }
    if !said.is_empty() {
        let stderr: Vec<_> = outcome.stderr.lines().collect();
        let last = &stderr[stderr.len().saturating_sub(10)..];
        said.extend(last.iter().map(|line| format!("  stderr: {line}")));
        // In one go: servers are asked two at a time.
        eprintln!("{}", said.join("\n"));
    }
}

/// The rows of one server: over HTTP it is started once, over standard input and output by the client.
fn rows(settings: &Settings, peer: Peer) -> Result<Vec<Row>, String> {
    let launcher = settings.peers_dir.join("bin").join(peer.name);
    if !launcher.exists() {
        let missing = launcher.display();
        return Err(format!("{missing} is missing: run tests/peers/install"));
    }
    let server = match peer.wire {
        Wire::Stdio => None,
        Wire::Http | Wire::HttpSse => Some(Server::start(
            &launcher,
            &settings.peers_dir.join("asks-logs"),
        )?),
    };
    let place = match &server {
        None => Place::Command(vec![launcher.into_os_string()]),
        Some(server) => Place::Url(server.url(None)),
    };
    let mut rows = Vec::new();
    for revision in asks::revisions(peer) {
        rows.extend(asked(settings, peer, &place, revision)?);
    }
    Ok(rows)
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let pinned = fs::read_to_string(&settings.expected)
        .map_err(|error| format!("{}: {error}", settings.expected.display()))?;
    let peers = asks::chosen(&settings.only)?;
    let rows = in_pairs(&peers, |&peer| rows(&settings, peer));
    let rows: Vec<Vec<Row>> = rows.into_iter().collect::<Result<_, _>>()?;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let mut cells = vec![HEADINGS.map(str::to_owned)];
    cells.extend(rows.iter().map(|row| row.cells.clone()));
    print!("{}", table::aligned(&cells));
    let servers: Vec<_> = peers.iter().map(|peer| peer.name).collect();
    let lines: Vec<_> = rows.iter().map(|row| row.cells.join(" | ")).collect();
    let differences = table::unlike(&lines, &pinned, &servers);
    for difference in &differences {
        eprintln!("{difference}");
    }
    let good = rows.iter().all(|row| row.faults.is_empty());
    Ok(good && !rows.is_empty() && differences.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-asks: {error}");
            ExitCode::FAILURE
        }
    }
}
