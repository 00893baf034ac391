//! Ten thousand reporters are flooded, and their receiver checks that none sends too often and none loses its last value:
//! `reporter-flood [--scale N] [--seconds S] [--paced-end]`. Prints one line of JSON; ends with 1 where a rule is broken.

use std::env;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use compare_rig::Failure;
use compare_rig::measure::{own_cpu_us, resident_kib};
use futures::future::{BoxFuture, join_all};
use mcp_progress::reporter::{ProgressUpdate, ReporterConfig, SinkError};
use mcp_progress::{ProgressReporter, ProgressSink, ProgressToken};
use serde_json::json;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

const REPORTERS: usize = 10_000;
const UPDATES_PER_SECOND: usize = 100_000;
const PRODUCERS: usize = 10;
const TICK: Duration = Duration::from_millis(10);
/// The default of reporters: eight a second.
const INTERVAL: Duration = Duration::from_millis(125);

struct Options {
    scale: usize,
    seconds: u64,
    paced_end: bool,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            scale: 1,
            seconds: 10,
            paced_end: false,
        };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().ok_or("a number is missing");
            match argument.as_str() {
                "--scale" => options.scale = number()?.parse()?,
                "--seconds" => options.seconds = number()?.parse()?,
                "--paced-end" => options.paced_end = true,
                other => {
                    return Err(format!(
                        "{other}? reporter-flood [--scale N] [--seconds S] [--paced-end]"
                    )
                    .into());
                }
            }
        }
        if !(1..=100).contains(&options.scale) || options.seconds == 0 {
            return Err("the scale is 1 to 100, and a run takes a second at least".into());
        }
        Ok(options)
    }
}

/// One update on its way to the receiver, who answers when it has it.
struct Delivery {
    reporter: usize,
    value: f64,
    received: oneshot::Sender<()>,
}

struct Line {
    reporter: usize,
    receiver: mpsc::UnboundedSender<Delivery>,
}

impl ProgressSink for Line {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            let (received, answer) = oneshot::channel();
            let delivery = Delivery {
                reporter: self.reporter,
                value: update.progress,
                received,
            };
            let gone = || SinkError::permanent("the receiver is gone");
            self.receiver.send(delivery).map_err(|_| gone())?;
            answer.await.map_err(|_| gone())
        })
    }
}

/// What the receiver saw of one reporter. Its stamps are its own.
#[derive(Clone, Default)]
struct Seen {
    count: u64,
    last: Option<(Instant, f64)>,
    /// The shortest time between two updates.
    closest: Option<Duration>,
    /// Times below the interval, before and since the operations were ended.
    early: u64,
    early_at_end: u64,
    fell_back: u64,
}

async fn receive(
    mut deliveries: mpsc::UnboundedReceiver<Delivery>,
    reporters: usize,
    mut ended: oneshot::Receiver<()>,
) -> Vec<Seen> {
    let mut seen = vec![Seen::default(); reporters];
    let mut ending = false;
    while let Some(delivery) = deliveries.recv().await {
        let now = Instant::now();
        ending = ending || ended.try_recv().is_ok();
        let seen = &mut seen[delivery.reporter];
        seen.count += 1;
        if let Some((before, value)) = seen.last {
            let apart = now - before;
            if apart < INTERVAL && ending {
                seen.early_at_end += 1;
            } else {
                seen.early += u64::from(apart < INTERVAL);
                let closest = seen.closest.unwrap_or(apart);
                seen.closest = Some(closest.min(apart));
            }
            seen.fell_back += u64::from(delivery.value <= value);
        }
        seen.last = Some((now, delivery.value));
        // Nobody waits any more only where the runtime has ended.
        let _ = delivery.received.send(());
    }
    seen
}

/// Sets each of these reporters in turn, at an even rate, and gives the last values.
async fn flood(
    reporters: Arc<[ProgressReporter]>,
    updates: usize,
    ticks: u64,
) -> Result<Vec<f64>, Failure> {
    let mut values = vec![0.0; reporters.len()];
    let mut next = 0;
    let mut clock = interval(TICK);
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    for _ in 0..ticks {
        clock.tick().await;
        for _ in 0..updates {
            values[next] += 1.0;
            reporters[next].set(values[next])?;
            next = (next + 1) % reporters.len();
        }
    }
    Ok(values)
}

async fn run(options: &Options) -> Result<bool, Failure> {
    let reporters = REPORTERS / options.scale;
    let share = reporters / PRODUCERS;
    let ticks = options.seconds * 1_000 / TICK.as_millis() as u64;
    let updates = UPDATES_PER_SECOND / options.scale / PRODUCERS / 100;
    let before = resident_kib()?;
    let (line, deliveries) = mpsc::unbounded_channel();
    let (end, ended) = oneshot::channel();
    let receiver = tokio::spawn(receive(deliveries, reporters, ended));
    let config = ReporterConfig::new().paced_end(options.paced_end);
    let all = (0..reporters)
        .map(|reporter| {
            let receiver = line.clone();
            ProgressReporter::builder(Line { reporter, receiver })
                .token(ProgressToken::try_from(reporter as u64)?)
                .config(config.clone())
                .build()
                .map_err(Failure::from)
        })
        .collect::<Result<Vec<_>, Failure>>()?;
    drop(line);
    let held = resident_kib()? - before;

    let (begun, cpu) = (Instant::now(), own_cpu_us()?);
    let producers = all
        .chunks(share)
        .map(|chunk| tokio::spawn(flood(chunk.into(), updates, ticks)));
    let producers: Vec<_> = producers.collect();
    let mut values = Vec::new();
    for producer in producers {
        values.extend(producer.await??);
    }
    let flooded = begun.elapsed();
    let _ = end.send(());
    let ends = join_all(all.iter().map(ProgressReporter::finish)).await;
    let (wall, cpu) = (begun.elapsed(), own_cpu_us()? - cpu);
    drop(all);
    let seen = receiver.await?;

    let mut accepted = 0;
    let mut undelivered = 0;
    for end in ends {
        match end {
            Ok(counts) => accepted += counts.accepted,
            Err(_) => undelivered += 1,
        }
    }
    let sent: f64 = values.iter().sum();
    let sum = |field: fn(&Seen) -> u64| seen.iter().map(field).sum::<u64>();
    let last = |seen: &Seen| seen.last.map(|(_, value)| value);
    let lost = seen
        .iter()
        .zip(&values)
        .filter(|(seen, value)| last(seen) != Some(**value))
        .count();
    let (early, fell_back, emitted) = (
        sum(|seen| seen.early),
        sum(|seen| seen.fell_back),
        sum(|seen| seen.count),
    );
    let early_at_end = sum(|seen| seen.early_at_end);
    let closest = seen.iter().filter_map(|seen| seen.closest).min();
    let good = early == 0
        && fell_back == 0
        && lost == 0
        && undelivered == 0
        && accepted as f64 == sent
        && (early_at_end == 0 || !options.paced_end);
    println!(
        "{}",
        json!({
            "reporters": reporters,
            "updates": sent,
            "updates_per_s": (sent / flooded.as_secs_f64()).round(),
            "received": emitted,
            "received_per_s": (emitted as f64 / wall.as_secs_f64()).round(),
            "closest_us": closest.map(|closest| closest.as_micros() as u64),
            "early": early,
            "early_at_end": early_at_end,
            "fell_back": fell_back,
            "last_values_compared": values.len(),
            "last_values_lost": lost,
            "undelivered": undelivered,
            "wall_ms": wall.as_millis() as u64,
            "cpu_ms": cpu / 1_000,
            "cores": (cpu as f64 / wall.as_micros() as f64 * 100.0).round() / 100.0,
            "cpu_us_per_update": (cpu as f64 / sent * 100.0).round() / 100.0,
            "rss_bytes_per_reporter": held * 1_024 / reporters as i64,
            "paced_end": options.paced_end,
            "good": good,
        })
    );
    Ok(good)
}

fn main() -> Result<ExitCode, Failure> {
    let options = Options::read()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let good = runtime.block_on(run(&options))?;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
