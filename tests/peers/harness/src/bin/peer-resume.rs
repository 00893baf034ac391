//! Breaks the streams of calls, again and again and in several ways, and proves that the client takes
//! them up where they broke: the result right, nothing doubled, reordered or lost, every break marked.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::{Duration, Instant},
};

use peers_harness::{
    cutter::{self, Break, Cutter, Plan, Sent},
    options::Options,
    pairs::in_pairs,
    process::{self, Outcome},
    proxy::{Manner, Proxy},
    roster::{self, Workload},
    scenario::Place,
    server::Server,
    verdict::{self, Verdict},
};

const USAGE: &str = "usage: peer-resume --cli PATH --peers-dir DIR [--only SERVER]…";

/// A call takes a second or two, a dozen breaks included.
const DEADLINE: Duration = Duration::from_secs(30);

/// The updates of a call, and the milliseconds between them.
const STEPS: u64 = 12;
const DELAY_MS: u64 = 30;

/// The revision whose streams start with an event that has an id and nothing else.
const WITH_PRIMING: &str = "2025-11-25";
/// One whose streams do not: they can be taken up again only after their first update.
const WITHOUT_PRIMING: &str = "2025-06-18";

struct Settings {
    cli: PathBuf,
    peers_dir: PathBuf,
    only: Vec<String>,
}

fn settings() -> Result<Settings, String> {
    let mut options = Options::of_process();
    let (mut cli, mut peers_dir, mut only) = (None, None, Vec::new());
    while let Some(name) = options.name()? {
        match name.as_str() {
            "--cli" => cli = Some(options.path(&name)?),
            "--peers-dir" => peers_dir = Some(options.path(&name)?),
            "--only" => only.push(options.text(&name)?),
            _ => return Err(format!("unknown argument {name}\n{USAGE}")),
        }
    }
    let (Some(cli), Some(peers_dir)) = (cli, peers_dir) else {
        return Err(USAGE.to_owned());
    };
    Ok(Settings {
        cli,
        peers_dir,
        only,
    })
}

/// What one server is put through. Each group has a server of its own, since the notes of a server
/// do not say which of two calls they belong to.
#[derive(Clone, Copy)]
struct Group {
    server: &'static str,
    name: &'static str,
    cases: fn() -> Vec<Case>,
}

const GROUPS: [Group; 7] = [
    group("everything-http", "lost", lost_by_everything),
    group("ts1-http", "manners", manners),
    group("rmcp-events", "manners", manners),
    group("ts1-http", "positions", positions),
    group("rmcp-events", "positions", positions),
    group("ts1-http", "own-accord", own_accord),
    group("rmcp-http", "repeats", repeats),
];

const fn group(server: &'static str, name: &'static str, cases: fn() -> Vec<Case>) -> Group {
    Group {
        server,
        name,
        cases,
    }
}

struct Case {
    name: String,
    revision: &'static str,
    work: Workload,
    plan: Plan,
    expected: Expected,
}

/// What a case must come to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The result, and all updates before it, with so many cuts.
    Result { cuts: u64 },
    /// Nothing more after the first break: the call ends by the time-out it is given.
    TimeOut(Duration),
}

fn case(name: String, plan: Plan) -> Case {
    Case {
        name,
        revision: WITH_PRIMING,
        work: roster::count(STEPS, DELAY_MS),
        plan,
        expected: Expected::Result {
            cuts: STEPS / plan.every,
        },
    }
}

const fn every(every: u64, manner: Manner) -> Plan {
    Plan {
        every,
        at_most: usize::MAX,
        manner,
        partly: None,
        split: false,
    }
}

/// After every k-th update for every k, and in every manner.
fn manners() -> Vec<Case> {
    let mut cases: Vec<_> = (1..=STEPS)
        .map(|k| case(format!("closed after every {k}"), every(k, Manner::Close)))
        .collect();
    for k in [1, 3] {
        let half = every(k, Manner::HalfClose);
        cases.push(case(format!("half-closed after every {k}"), half));
        let end = every(k, Manner::End);
        cases.push(case(format!("ended after every {k}"), end));
    }
    let split = Plan {
        split: true,
        ..every(4, Manner::Close)
    };
    cases.push(case("byte by byte, closed after every 4".to_owned(), split));
    let mut older = case(
        "closed after every 2, without a priming event".to_owned(),
        every(2, Manner::Close),
    );
    older.revision = WITHOUT_PRIMING;
    cases.push(older);
    cases
}

/// In the middle of an update, after each of its first bytes: no update is longer than the cuts of
/// all calls together reach.
fn positions() -> Vec<Case> {
    let cuts = usize::try_from(STEPS - 1).unwrap_or_default();
    let first = (0..LONGEST_UPDATE).step_by(cuts);
    first
        .map(|first| {
            let plan = Plan {
                partly: Some((first, 1)),
                ..every(1, Manner::Close)
            };
            let mut case = case(format!("closed after byte {first} and on"), plan);
            case.expected = Expected::Result { cuts: STEPS - 1 };
            case
        })
        .collect()
}

/// An update of rmcp or of the TypeScript SDK takes 140 to 210 bytes.
const LONGEST_UPDATE: usize = 220;

/// The server closes the stream by itself and expects its client back.
fn own_accord() -> Vec<Case> {
    let none = every(u64::MAX, Manner::Close);
    let mut own = case("closed by the server after every 3".to_owned(), none);
    own.work.call[0] = "drop".to_owned();
    own.work.call.push("every:=3".to_owned());
    vec![own]
}

/// server-everything takes a stream up again, and then neither goes on nor ends.
fn lost_by_everything() -> Vec<Case> {
    let once = Plan {
        at_most: 1,
        ..every(3, Manner::Close)
    };
    let mut lost = case("no result after a break".to_owned(), once);
    lost.work = roster::long_running(6, 12);
    lost.expected = Expected::TimeOut(Duration::from_secs(8));
    vec![lost]
}

/// rmcp without a store of events says the last event again to a client that comes back, and forgets
/// the result if it comes back too late.
fn repeats() -> Vec<Case> {
    let twice = Plan {
        at_most: 2,
        ..every(2, Manner::Close)
    };
    let mut repeated = case("closed twice, an update repeated".to_owned(), twice);
    repeated.expected = Expected::Result { cuts: 2 };
    let late = every(STEPS - 1, Manner::Close);
    let mut lost = case("no result for one who is late".to_owned(), late);
    lost.expected = Expected::TimeOut(Duration::from_secs(3));
    vec![repeated, lost]
}

fn call(cli: &Path, url: String, case: &Case) -> Result<Outcome, String> {
    let mut arguments = vec![OsString::from("call")];
    arguments.extend(case.work.call.iter().map(OsString::from));
    let fixed = [
        "--output",
        "jsonl",
        "--progress",
        "none",
        "--protocol",
        case.revision,
    ];
    arguments.extend(fixed.map(OsString::from));
    if let Expected::TimeOut(limit) = case.expected {
        arguments.push("--timeout".into());
        arguments.push(format!("{}ms", limit.as_millis()).into());
    }
    arguments.extend(Place::Url(url).arguments());
    process::run(&cli.as_os_str().to_owned(), &arguments, DEADLINE, |_| false)
}

/// What is wrong with the outcome of `case`, which took `took`.
fn judge(case: &Case, outcome: &Outcome, cutter: &Cutter, took: Duration) -> Vec<String> {
    let verdict = verdict::judge(outcome, &case.work);
    let breaks = cutter.breaks();
    let cuts = match case.expected {
        Expected::TimeOut(limit) => return lost(&verdict, outcome, &breaks, took, limit),
        Expected::Result { cuts } => cuts,
    };
    let mut faults = verdict.faults.clone();
    let wanted = case.work.updates;
    if verdict.got != wanted || verdict.late > 0 || verdict.reordered > 0 {
        faults.push(format!(
            "{} of {wanted} updates, {} late, {} reordered or doubled",
            verdict.got, verdict.late, verdict.reordered
        ));
    }
    if cutter.cuts() as u64 != cuts || breaks.is_empty() {
        faults.push(format!(
            "{} cuts instead of {cuts}, {} breaks",
            cutter.cuts(),
            breaks.len()
        ));
    }
    let delivered: Vec<_> = breaks.iter().map(|broken| broken.delivered).collect();
    faults.extend(verdict::judge_gaps(&verdict.spans, &delivered));
    faults.extend(cutter::judge_returns(&breaks, STEPS));
    faults
}

fn lost(
    verdict: &Verdict,
    outcome: &Outcome,
    breaks: &[Break],
    took: Duration,
    limit: Duration,
) -> Vec<String> {
    let mut faults = Vec::new();
    if breaks.is_empty() || verdict.got < breaks[0].delivered || verdict.reordered > 0 {
        faults.push(format!(
            "{} updates, {} reordered or doubled, {} breaks",
            verdict.got,
            verdict.reordered,
            breaks.len()
        ));
    }
    let words = verdict::last_words(&outcome.lines);
    if words != ["error"] || outcome.code != Some(5) {
        faults.push(format!("ended with {words:?} and code {:?}", outcome.code));
    }
    if took < limit || took > limit + Duration::from_secs(3) {
        faults.push(format!("it took {took:?}, its time-out is {limit:?}"));
    }
    faults
}

/// Counts the updates that the server has noted since it had noted so much.
fn sent_since(notes: PathBuf, from: usize) -> Sent {
    Box::new(move || {
        let text = fs::read_to_string(&notes).unwrap_or_default();
        let new = text.get(from..).unwrap_or_default();
        new.matches(r#""event":"sent""#).count() as u64
    })
}

/// What failed in a group, and how many cases it had.
fn played(settings: &Settings, group: Group) -> Result<(u32, u32), String> {
    let launcher = settings.peers_dir.join("bin").join(group.server);
    if !launcher.exists() {
        let missing = launcher.display();
        return Err(format!("{missing} is missing: run tests/peers/install"));
    }
    let directory = settings.peers_dir.join("resume-logs").join(group.name);
    let server = Server::start(&launcher, &directory)?;
    let (mut played, mut failed) = (0, 0);
    for case in (group.cases)() {
        let sent = sent_since(server.notes_file().to_owned(), server.notes(0).len());
        let cutter = Arc::new(Cutter::new(case.plan, case.work.updates, sent));
        let proxy = Proxy::start(server.address(), Arc::clone(&cutter))?;
        let started = Instant::now();
        let outcome = call(&settings.cli, server.url(Some(proxy.address())), &case)?;
        let faults = judge(&case, &outcome, &cutter, started.elapsed());
        let title = format!("{} {} {}", group.server, case.revision, case.name);
        played += 1;
        if faults.is_empty() {
            println!("ok   {title}");
        } else {
            failed += 1;
            show(&title, &faults, &outcome, &cutter);
        }
    }
    Ok((played, failed))
}

fn show(title: &str, faults: &[String], outcome: &Outcome, cutter: &Cutter) {
    let mut text = vec![format!("FAIL {title}")];
    text.extend(faults.iter().map(|fault| format!("     {fault}")));
    let exchanges = cutter.exchanges();
    let wire = exchanges.iter().map(|exchange| exchange.line());
    text.extend(wire.map(|line| format!("     wire: {line}")));
    let last = outcome.lines.len().saturating_sub(16);
    let lines = outcome.lines[last..].iter();
    text.extend(lines.map(|line| format!("     stdout: {line}")));
    let lines = outcome.stderr.lines();
    text.extend(lines.map(|line| format!("     stderr: {line}")));
    // In one go: groups are played two at a time.
    println!("{}", text.join("\n"));
}

fn run() -> Result<bool, String> {
    let settings = settings()?;
    let wanted = |group: &&Group| {
        settings.only.is_empty() || settings.only.iter().any(|only| only == group.server)
    };
    let groups: Vec<_> = GROUPS.iter().filter(wanted).copied().collect();
    let (mut all, mut bad) = (0, 0);
    for done in in_pairs(&groups, |&group| played(&settings, group)) {
        let (played, failed) = done?;
        all += played;
        bad += failed;
    }
    println!("{all} played, {bad} failed");
    Ok(all > 0 && bad == 0)
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("peer-resume: {error}");
            ExitCode::FAILURE
        }
    }
}
