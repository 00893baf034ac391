//! From the command line to the subcommand that does it.
//!
//! Owns the list of subcommands and what each of them needs before it can begin. It must not know what they do.

use mcp_progress::Connect;

use crate::args::cli::Command;
use crate::args::output::ClockArgs;
use crate::args::server::ServerArgs;
use crate::commands::{call, demo, info, resume, serve, tools, watch};
use crate::context::Context;
use crate::failure::Failure;
use crate::server;

/// Does what was asked for, and gives the exit code.
pub(crate) async fn run(command: Command, context: Context) -> u8 {
    let context = &context;
    match command {
        Command::Call(args) => {
            let job = match call::Job::prepare(&args, context).await {
                Ok(job) => job,
                Err(failure) => return context.report(&failure),
            };
            let connect = connection(&args.server, Some(&args.clocks), context);
            context
                .with(connect, async |client| job.run(client, context).await)
                .await
        }
        Command::Tools(args) => {
            let connect = connection(&args.server, Some(&args.clocks), context);
            context
                .with(connect, async |client| tools::run(client, context).await)
                .await
        }
        Command::Info(args) => {
            let connect = connection(&args.server, None, context);
            context
                .with(connect, async |client| info::run(client, context))
                .await
        }
        Command::Demo(args) => {
            let connect = server::limited(server::demo(), &args.clocks);
            context
                .with(Ok(connect), async |client| demo::run(client, context).await)
                .await
        }
        Command::ServeDemo(args) => {
            let changes = args.changes.and_then(|limit| limit.0);
            serve::run(args.http.as_deref(), changes, &context.interrupt).await
        }
        Command::Watch(args) => {
            let connect = connection(&args.server, Some(&args.clocks), context);
            context
                .with(connect, async |client| {
                    watch::run(client, &args, context).await
                })
                .await
        }
        Command::Resume(args) => {
            let left = match resume::Left::read(&args, context).await {
                Ok(left) => left,
                Err(failure) => return context.report(&failure),
            };
            let connect = connection(&args.server, Some(&args.clocks), context);
            let connect = connect.map(|connect| left.connect(connect));
            context
                .with(connect, async |client| left.run(client, context).await)
                .await
        }
    }
}

/// The server that the arguments name, with the clocks that they set.
fn connection(
    server: &ServerArgs,
    clocks: Option<&ClockArgs>,
    context: &Context,
) -> Result<Connect, Failure> {
    let connect = server::named(server, context)?;
    Ok(match clocks {
        Some(clocks) => server::limited(connect, clocks),
        None => connect,
    })
}
