//! Runs the command line against every peer and revision, prints what came of it as a table, and
//! fails unless that is the pinned table.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

use peers_harness::{
    options::Options,
    pairs::in_pairs,
    process::{self, Outcome},
    roster::{self, Peer, Wire, Workload},
    scenario::Place,
    server::Server,
    table::{self, Row},
    verdict::{self, Verdict},
};

const USAGE: &str = "usage: peer-table --cli PATH --peers-dir DIR --expected FILE [--only SERVER]…";

/// A run takes about a second; a cold Python on a busy machine takes several.
const DEADLINE: Duration = Duration::from_secs(30);

struct Settings {
    cli: PathBuf,
    peers_dir: PathBuf,
    expected: PathBuf,
    only: Vec<String>,
}

fn settings() -> Result<Settings, String> {
    let mut options = Options::of_process();
    let (mut cli, mut peers_dir, mut expected, mut only) = (None, None, None, Vec::new());
    while let Some(name) = options.name()? {
        match name.as_str() {
            "--cli" => cli = Some(options.path(&name)?),
            "--peers-dir" => peers_dir = Some(options.path(&name)?),
            "--expected" => expected = Some(options.path(&name)?),
            "--only" => only.push(options.text(&name)?),
            _ => return Err(format!("unknown argument {name}\n{USAGE}")),
        }
    }
    let (Some(cli), Some(peers_dir), Some(expected)) = (cli, peers_dir, expected) else {
        return Err(USAGE.to_owned());
    };
    Ok(Settings {
        cli,
        peers_dir,
        expected,
        only,
    })
}

fn call(cli: &Path, place: &Place, asked: &str, work: &Workload) -> Result<Outcome, String> {
    let mut arguments = vec![OsString::from("call")];
    arguments.extend(work.call.iter().map(OsString::from));
    let fixed = [
        "--output",
        "jsonl",
        "--progress",
        "none",
        "--protocol",
        asked,
    ];
    arguments.extend(fixed.map(OsString::from));
    arguments.extend(place.arguments());
    process::run(&cli.as_os_str().to_owned(), &arguments, DEADLINE, |_| false)
}

fn launcher(peers_dir: &Path, peer: Peer) -> PathBuf {
    peers_dir.join("bin").join(peer.name)
}

/// Says on standard error what is wrong with a run, so that the table stays readable.
fn explain(row: &Row, work: &Workload, verdict: &Verdict, outcome: &Outcome) {
    let call = work.call.join(" ");
    let mut said = vec![format!("\n{} asked with {}: {call}", row.server, row.asked)];
    said.push(format!(
        "  {} of {} updates, {} late, {} reordered",
        verdict.got, work.updates, verdict.late, verdict.reordered
    ));
    let faults = verdict.faults.iter().take(10);
    said.extend(faults.map(|fault| format!("  {fault}")));
    let stderr: Vec<_> = outcome.stderr.lines().collect();
    let last = &stderr[stderr.len().saturating_sub(10)..];
    said.extend(last.iter().map(|line| format!("  stderr: {line}")));
    // In one go: rows are made two at a time.
    eprintln!("{}", said.join("\n"));
}

fn row(cli: &Path, peer: Peer, place: &Place, asked: &str) -> Result<Row, String> {
    let mut row = Row::new(peer.name, asked);
    for work in peer.workloads(asked) {
        let outcome = call(cli, place, asked, &work)?;
        let verdict = verdict::judge(&outcome, &work);
        let good = verdict.faults.is_empty() && verdict.got == work.updates;
        if !good || verdict.late > 0 || verdict.reordered > 0 {
            explain(&row, &work, &verdict, &outcome);
        }
        row.add(work.updates, verdict);
    }
    Ok(row)
}

/// The rows of one server: over HTTP it is started once, over standard input and output by the client.
fn rows(settings: &Settings, peer: Peer) -> Result<Vec<Row>, String> {
    let launcher = launcher(&settings.peers_dir, peer);
    let server = match peer.wire {
        Wire::Stdio => None,
        Wire::Http | Wire::HttpSse => Some(Server::start(
            &launcher,
            &settings.peers_dir.join("table-logs"),
        )?),
    };
    let place = match &server {
        None => Place::Command(vec![launcher.into_os_string()]),
        Some(server) => Place::Url(server.url(None)),
    };
    let asked = peer.asked();
    let rows = asked.iter();
    rows.map(|asked| row(&settings.cli, peer, &place, asked))
        .collect()
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let pinned = fs::read_to_string(&settings.expected)
        .map_err(|error| format!("{}: {error}", settings.expected.display()))?;
    let peers = roster::chosen(&settings.only)?;
    for peer in &peers {
        let launcher = launcher(&settings.peers_dir, *peer);
        if !launcher.exists() {
            return Err(format!(
                "{} is missing: run tests/peers/install",
                launcher.display()
            ));
        }
    }
    let rows = in_pairs(&peers, |&peer| rows(&settings, peer));
    let rows: Vec<Vec<Row>> = rows.into_iter().collect::<Result<_, _>>()?;
    let rows = rows.concat();
    print!("{}", table::text(&rows));
    let servers: Vec<_> = peers.iter().map(|peer| peer.name).collect();
    let differences = table::differences(&rows, &pinned, &servers);
    for difference in &differences {
        eprintln!("{difference}");
    }
    Ok(differences.is_empty())
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-table: {error}");
            ExitCode::FAILURE
        }
    }
}
