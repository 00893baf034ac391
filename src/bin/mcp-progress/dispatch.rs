//! From the command line to the subcommand that does it.
//!
//! Owns the list of subcommands and what each of them needs before it can begin. It must not know what they do.

use mcp_progress::{Client, Connect};

use crate::args::batch::BatchArgs;
use crate::args::cli::Command;
use crate::args::lists::{Here, Look};
use crate::args::output::ClockArgs;
use crate::args::server::ServerArgs;
use crate::batch::job;
use crate::commands::{
    call, completions, demo, info, man, ping, prompt, prompts, read, resources, resume, serve,
    servers, tools, watch,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::server::connect as server;

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
        Command::Look(look) => {
            let connect = connection(look.server(), look.clocks(), context);
            context
                .with(connect, async |client| looked(client, &look, context).await)
                .await
        }
        Command::Here(here) => {
            let done = match &here {
                Here::Servers(args) => servers::run(args, context),
                Here::Completions(args) => completions::run(args.shell, context),
                Here::Man(args) => man::run(args, context),
            };
            context.ended(done)
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
        Command::Run(args) => batch(&args, context).await,
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

/// Looks at a server.
async fn looked(client: &Client, look: &Look, context: &Context) -> Result<u8, Failure> {
    match look {
        Look::Tools(args) => tools::run(client, args, context).await,
        Look::Resources(args) => resources::run(client, args, context).await,
        Look::Read(args) => read::run(client, args, context).await,
        Look::Prompts(_) => prompts::run(client, context).await,
        Look::Prompt(args) => prompt::run(client, args, context).await,
        Look::Info(_) => info::run(client, context),
        Look::Ping(args) => ping::run(client, args, context).await,
    }
}

/// Makes the calls of a file. The way to the server is kept, since a server that dies is started again.
async fn batch(args: &BatchArgs, context: &Context) -> u8 {
    let job = match job::Job::prepare(args, context).await {
        Ok(job) => job,
        Err(failure) => return context.report(&failure),
    };
    let connect = || connection(&args.server, Some(&args.clocks), context);
    context
        .with(connect(), async |client| {
            job.run(client, &connect, context).await
        })
        .await
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
