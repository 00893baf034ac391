//! Runs every client on every workload, in turn and in fresh processes, and prints the medians as Markdown. See `README.md`.

use std::env;
use std::fs::File;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use compare_rig::Failure;
use compare_rig::client::NAMES;
use compare_rig::http::workload::HttpWorkload;
use compare_rig::record::Record;
use compare_rig::workload::Workload;
use compare_rig::{table, targets};

const USAGE: &str = "compare [--rounds 5] [--scale 1] [--clients raw,ours,rmcp] [--workloads a,b,c0,c1,d,e,ha,haw,hb,hc0,hc1,hd,hd2] [--out FILE] [--check-targets]";
/// A run that takes longer than this hangs.
const TIME_LIMIT: Duration = Duration::from_secs(120);

struct Options {
    /// Whether clients were named, so that `ours` may be left out.
    named: bool,
    rounds: u32,
    scale: u64,
    clients: Vec<String>,
    workloads: Vec<String>,
    out: Option<PathBuf>,
    check_targets: bool,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut options = Self {
            named: false,
            rounds: 5,
            scale: 1,
            clients: NAMES.iter().copied().map(str::to_owned).collect(),
            workloads: Workload::ALL
                .iter()
                .map(|workload| workload.name())
                .chain(HttpWorkload::ALL.iter().map(|workload| workload.name()))
                .map(str::to_owned)
                .collect(),
            out: None,
            check_targets: false,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            let list = |value: String| value.split(',').map(str::to_owned).collect();
            match argument.as_str() {
                "--rounds" => options.rounds = value()?.parse()?,
                "--scale" => options.scale = value()?.parse()?,
                "--clients" => {
                    options.named = true;
                    options.clients = list(value()?);
                }
                "--workloads" => options.workloads = list(value()?),
                "--out" => options.out = Some(value()?.into()),
                "--check-targets" => options.check_targets = true,
                _ => return Err(USAGE.into()),
            }
        }
        if options.check_targets && options.scale != 1 {
            return Err("the targets hold for the full size only".into());
        }
        Ok(options)
    }
}

fn main() -> Result<ExitCode, Failure> {
    let options = Options::parse(env::args().skip(1))?;
    let mut out = options.out.as_ref().map(File::create).transpose()?;
    let (mut records, mut failures) = (Vec::new(), 0);
    for round in 1..=options.rounds {
        for workload in &options.workloads {
            // Whoever comes first changes with the round, so that no client always follows the same one.
            let first = round as usize % options.clients.len().max(1);
            for client in options.clients[first..]
                .iter()
                .chain(&options.clients[..first])
            {
                match run_one(client, workload, options.scale) {
                    Ok(record) => {
                        let record = Record { round, ..record };
                        if let Some(out) = &mut out {
                            writeln!(out, "{}", serde_json::to_string(&record)?)?;
                        }
                        records.push(record);
                    }
                    Err(failure) => {
                        failures += 1;
                        eprintln!("round {round}, {client}, {workload}: {failure}");
                    }
                }
            }
        }
    }
    if options.scale != 1 {
        println!(
            "All sizes divided by {}: a check of what is delivered, not a measurement.\n",
            options.scale
        );
    }
    println!("{}", table::markdown(&records, &options.clients));
    Ok(if verdict(&records, failures, &options) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Says what is wrong, and whether nothing is.
fn verdict(records: &[Record], failures: u32, options: &Options) -> bool {
    let mut good = failures == 0;
    if !options.named || options.clients.iter().any(|client| client == "ours") {
        for workload in &options.workloads {
            if targets::is_missing(records, workload) {
                good = false;
                eprintln!("ours, {workload}: not run");
            }
        }
    }
    for record in targets::unclean(records) {
        good = false;
        eprintln!(
            "round {}, ours, {}: {:?}",
            record.round, record.workload, record.verdict
        );
    }
    if options.check_targets {
        for outcome in targets::outcomes(records) {
            good &= outcome.met;
            println!(
                "- {} {}",
                if outcome.met { "met:" } else { "MISSED:" },
                outcome.text
            );
        }
    }
    good
}

fn run_one(client: &str, workload: &str, scale: u64) -> Result<Record, Failure> {
    let program = env::current_exe()?.with_file_name("bench-client");
    let mut child = Command::new(program)
        .args([client, workload, "--scale", &scale.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()?;
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if begun.elapsed() > TIME_LIMIT {
            // Its server ends by itself: its standard input is closed with the client.
            child.kill()?;
            child.wait()?;
            return Err(format!("not done after {} s", TIME_LIMIT.as_secs()).into());
        }
        thread::sleep(Duration::from_millis(20));
    };
    if !status.success() {
        return Err(status.to_string().into());
    }
    // One short line, which the pipe holds until the process has ended.
    let mut line = String::new();
    child
        .stdout
        .take()
        .ok_or("no stdout")?
        .read_to_string(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}
