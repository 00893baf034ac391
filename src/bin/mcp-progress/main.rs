//! The command `mcp-progress`: calls tools of an MCP server and shows how far they are.
//!
//! Owns the runtime and the exit code. It sees the public API of the library only, as any program does.

mod args;
mod ask;
mod batch;
mod commands;
mod context;
mod dispatch;
mod failure;
mod input;
mod interrupt;
mod server;
mod show;

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use args::cli::Cli;
use context::Context;
use failure::code;

/// How long the tasks of the runtime may take to end what they own; a server process that still runs is killed.
const LAST_MOMENT: Duration = Duration::from_millis(300);

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            // Nothing is left to be done if standard error is gone as well.
            let _ = writeln!(io::stderr(), "error: no runtime can be started: {error}");
            return ExitCode::from(code::LOST);
        }
    };
    let code = runtime.block_on(supervise(cli));
    // Drops what is left of the job, which ends the server process with it. Not awaited for ever, because a thread
    // may hang in a read of standard input or in a write to a pipe that nobody empties.
    runtime.shutdown_timeout(LAST_MOMENT);
    ExitCode::from(code)
}

/// Runs the job on a worker, so that an impatient Ctrl-C is heard also while the job blocks its thread.
async fn supervise(cli: Cli) -> u8 {
    let context = match Context::new(&cli.command) {
        Ok(context) => context,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: no signals can be heard: {error}");
            return code::LOST;
        }
    };
    let interrupt = context.interrupt.clone();
    let job = tokio::runtime::Handle::current().spawn(dispatch::run(cli.command, context));
    tokio::select! {
        code = job => code.unwrap_or(code::LOST),
        () = interrupt.insisted() => code::INTERRUPTED,
    }
}
