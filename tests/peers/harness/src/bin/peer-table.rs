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
    process::{self, Outcome},
    roster::{self, Peer, Workload},
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

fn call(settings: &Settings, peer: Peer, asked: &str, work: &Workload) -> Result<Outcome, String> {
    let mut arguments = vec![OsString::from("call")];
    arguments.extend(work.call.iter().map(OsString::from));
    let fixed = [
        "--output",
        "jsonl",
        "--progress",
        "none",
        "--protocol",
        asked,
        "--",
    ];
    arguments.extend(fixed.map(OsString::from));
    arguments.push(launcher(&settings.peers_dir, peer).into_os_string());
    process::run(
        &settings.cli.clone().into_os_string(),
        &arguments,
        DEADLINE,
        |_| false,
    )
}

fn launcher(peers_dir: &Path, peer: Peer) -> PathBuf {
    peers_dir.join("bin").join(peer.name)
}

/// Says on standard error what is wrong with a run, so that the table stays readable.
fn explain(row: &Row, work: &Workload, verdict: &Verdict, outcome: &Outcome) {
    let call = work.call.join(" ");
    eprintln!("\n{} asked with {}: {call}", row.server, row.asked);
    eprintln!(
        "  {} of {} updates, {} late, {} reordered",
        verdict.got, work.updates, verdict.late, verdict.reordered
    );
    for fault in verdict.faults.iter().take(10) {
        eprintln!("  {fault}");
    }
    let stderr: Vec<_> = outcome.stderr.lines().collect();
    for line in &stderr[stderr.len().saturating_sub(10)..] {
        eprintln!("  stderr: {line}");
    }
}

fn row(settings: &Settings, peer: Peer, asked: &str) -> Result<Row, String> {
    let mut row = Row::new(peer.name, asked);
    for work in peer.workloads() {
        let outcome = call(settings, peer, asked, &work)?;
        let verdict = verdict::judge(&outcome, &work);
        let good = verdict.faults.is_empty() && verdict.got == work.updates;
        if !good || verdict.late > 0 || verdict.reordered > 0 {
            explain(&row, &work, &verdict, &outcome);
        }
        row.add(work.updates, verdict);
    }
    Ok(row)
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
    let mut rows = Vec::new();
    for &peer in &peers {
        for asked in peer.asked() {
            rows.push(row(&settings, peer, asked)?);
        }
    }
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
