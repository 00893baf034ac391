//! What drawing costs: a hundred bars on a real pseudo-terminal, ten thousand updates a second in total, against the same
//! updates of hidden bars: `draw-cost [--scale N] [--seconds S] [--rows R] [--columns C] [--check-targets]`. Prints one line of
//! JSON; with `--check-targets` it ends with 1 where drawing costs more than five hundredths of a core.

use std::env;
use std::io::Read;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use compare_rig::Failure;
use compare_rig::measure::own_cpu_us;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::ui::Mark;
use mcp_progress::ui::indicatif::{Bars, BarsStyle};
use mcp_progress::{Client, Progress};
use nix::pty::{Winsize, openpty};
use serde_json::{Value, json};

const BARS: usize = 100;
const UPDATES_PER_SECOND: usize = 10_000;
const TICK: Duration = Duration::from_millis(10);
/// A bar is full after so many updates, and begins anew.
const STEPS: f64 = 1_000.0;
/// Of one core.
const TARGET: f64 = 0.05;
/// Tells the process that draws from the one that holds its terminal.
const INSIDE: &str = "--inside";

struct Options {
    scale: usize,
    seconds: u64,
    rows: u16,
    columns: u16,
    check: bool,
    inside: bool,
}

impl Options {
    fn read() -> Result<Self, Failure> {
        let mut options = Self {
            scale: 1,
            seconds: 10,
            rows: 120,
            columns: 100,
            check: false,
            inside: false,
        };
        let mut arguments = env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || arguments.next().ok_or("a number is missing");
            match argument.as_str() {
                "--scale" => options.scale = number()?.parse()?,
                "--seconds" => options.seconds = number()?.parse()?,
                "--rows" => options.rows = number()?.parse()?,
                "--columns" => options.columns = number()?.parse()?,
                "--check-targets" => options.check = true,
                INSIDE => options.inside = true,
                other => {
                    return Err(format!(
                        "{other}? draw-cost [--scale N] [--seconds S] [--rows R] [--columns C] [--check-targets]"
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

/// An update as the client makes it.
async fn sample() -> Result<Progress, Failure> {
    let server = ScriptedServer::new().tool("once", |_| Script::new().progress(0, 1).text("done"));
    let client = Client::connect(server).await?;
    let mut call = client.call_tool("once", json!({})).start();
    let update = call.next().await.ok_or("no update came")?;
    call.await?;
    client.close().await;
    Ok(update)
}

/// Updates each bar in turn, at an even rate, and gives what that took: processor time, and the time of the clock, in microseconds.
fn run(bars: &Bars, sample: &Progress, options: &Options) -> Result<(i64, u128), Failure> {
    let all: Vec<_> = (0..BARS / options.scale)
        .map(|at| bars.add(format!("call {at}")))
        .collect();
    let ticks = options.seconds * 1_000 / TICK.as_millis() as u64;
    let updates = UPDATES_PER_SECOND / options.scale / 100;
    let (begun, cpu) = (Instant::now(), own_cpu_us()?);
    let mut done = 0;
    for tick in 1..=ticks {
        for _ in 0..updates {
            let round = (done / all.len()) as f64;
            let mut update = sample.clone();
            update.progress = round % STEPS;
            update.total = Some(STEPS);
            update.elapsed = begun.elapsed();
            update.message = Some(Arc::from(format!("step {round} of the work")));
            all[done % all.len()].update(&update);
            done += 1;
        }
        thread::sleep((TICK * tick as u32).saturating_sub(begun.elapsed()));
    }
    let (cpu, wall) = (own_cpu_us()? - cpu, begun.elapsed().as_micros());
    for bar in all {
        bar.settle(Mark::Done);
    }
    Ok((cpu, wall))
}

/// What the process with the terminal does: it draws there, on its standard error, and tells what it took on its standard output.
fn inside(options: &Options) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let sample = runtime.block_on(sample())?;
    drop(runtime);
    let drawn = Bars::stderr();
    if drawn.style() != BarsStyle::Bars {
        return Err("standard error is no terminal".into());
    }
    let (hidden_cpu, hidden_wall) = run(&Bars::hidden(), &sample, options)?;
    let (drawn_cpu, drawn_wall) = run(&drawn, &sample, options)?;
    let share = |cpu: i64, wall: u128| cpu as f64 / wall as f64;
    let (hidden, drawn) = (share(hidden_cpu, hidden_wall), share(drawn_cpu, drawn_wall));
    let updates = options.seconds as usize * UPDATES_PER_SECOND / options.scale;
    println!(
        "{}",
        json!({
            "bars": BARS / options.scale,
            "updates": updates,
            "updates_per_s": (updates as f64 / drawn_wall as f64 * 1e6).round(),
            "hidden_cores": rounded(hidden),
            "drawn_cores": rounded(drawn),
            "drawing_cores": rounded(drawn - hidden),
        })
    );
    Ok(())
}

/// Four decimals.
fn rounded(number: f64) -> f64 {
    (number * 1e4).round() / 1e4
}

/// Holds the terminal of the process that draws, and reads all that it draws.
fn outside(options: &Options) -> Result<ExitCode, Failure> {
    let size = Winsize {
        ws_row: options.rows,
        ws_col: options.columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    let terminal = openpty(&size, None)?;
    let mut child = Command::new(env::current_exe()?)
        .args(env::args().skip(1))
        .arg(INSIDE)
        .env("TERM", "xterm-256color")
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(terminal.slave)
        .spawn()?;
    let mut screen = std::fs::File::from(terminal.master);
    let reader = thread::spawn(move || {
        let (mut bytes, mut buffer) = (0, [0; 64 * 1024]);
        // It fails once nobody holds the other end any more.
        while let Ok(read @ 1..) = screen.read(&mut buffer) {
            bytes += read;
        }
        bytes
    });
    let mut told = String::new();
    let mut stdout = child.stdout.take().ok_or("no standard output")?;
    stdout.read_to_string(&mut told)?;
    let status = child.wait()?;
    let bytes = reader
        .join()
        .map_err(|_| "the reader of the terminal panicked")?;
    if !status.success() {
        return Err(format!("the drawing process ended with {status}").into());
    }
    let mut told: Value = serde_json::from_str(&told)?;
    let drawing = told["drawing_cores"].as_f64().ok_or("no figure")?;
    let good = drawing <= TARGET && bytes > 0;
    told["rows"] = json!(options.rows);
    told["columns"] = json!(options.columns);
    told["bytes_per_s"] = json!(bytes as u64 / options.seconds);
    told["target_cores"] = json!(TARGET);
    told["good"] = json!(good);
    println!("{told}");
    Ok(if good || !options.check {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn main() -> Result<ExitCode, Failure> {
    let options = Options::read()?;
    if options.inside {
        inside(&options)?;
        return Ok(ExitCode::SUCCESS);
    }
    outside(&options)
}
