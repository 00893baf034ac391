//! The server to talk to, as the command line names it.
//!
//! Owns the way from arguments to a connection that is still to be made. It must not know what is asked of the server.

use std::ffi::OsString;

use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::{HttpEndpoint, ServerCommand, Stderr};
use mcp_progress::{Client, Connect, Overflow};

use crate::args::output::{ClockArgs, Format};
use crate::args::server::{ServerArgs, ServerStderr};
use crate::ask::offer;
use crate::context::Context;
use crate::failure::Failure;
use crate::show::printable;
use crate::show::screen::{Screen, Style};

/// So many updates may wait for a slow reader of standard output before they are merged.
const BACKLOG: usize = 65_536;

/// The server that the arguments name.
pub(crate) fn named(args: &ServerArgs, context: &Context) -> Result<Connect, Failure> {
    let connect = match &args.url {
        Some(url) => Client::connect(endpoint(url, args)?),
        None => Client::connect(command(args, context)),
    };
    let mut connect = lossless(connect);
    if let Some(version) = args.protocol.0 {
        connect = connect.protocol(version);
    }
    if let Some(level) = args.log_level {
        connect = connect.log_level(level);
    }
    let who = args.url.clone().unwrap_or_else(|| spoken(args));
    offer::answering(connect, &args.asks, who, context)
}

/// The server's command as it was written, for the user.
fn spoken(args: &ServerArgs) -> String {
    match &args.stdio {
        Some(words) => words.0.join(" "),
        None => {
            let words = args.command.iter().map(|word| word.to_string_lossy());
            words.collect::<Vec<_>>().join(" ")
        }
    }
}

/// A server on the network.
fn endpoint(url: &str, args: &ServerArgs) -> Result<HttpEndpoint, Failure> {
    let mut endpoint = HttpEndpoint::new(url);
    for (name, value) in &args.header {
        endpoint = endpoint.header(name, value);
    }
    if let Some(variable) = &args.bearer_env {
        let token = std::env::var(variable).map_err(|error| {
            Failure::Usage(format!(
                "the environment variable {variable} gives no token: {error}"
            ))
        })?;
        endpoint = endpoint.bearer(token.trim());
    }
    if let Some(file) = &args.cacert {
        let pem = std::fs::read(file).map_err(|error| {
            Failure::Usage(format!("{} cannot be read: {error}", file.display()))
        })?;
        endpoint = endpoint.root_certificates(pem);
    }
    Ok(endpoint)
}

/// The server as a child process.
fn command(args: &ServerArgs, context: &Context) -> ServerCommand {
    let mut words: Vec<OsString> = match &args.stdio {
        Some(words) => words.0.iter().map(OsString::from).collect(),
        None => args.command.clone(),
    };
    let program = if words.is_empty() {
        OsString::new()
    } else {
        words.remove(0)
    };
    let mut command = ServerCommand::new(program).args(words).stderr(stderr(
        args.server_stderr,
        context.output.format(),
        &context.screen,
    ));
    for (name, value) in &args.env {
        command = command.env(name, value);
    }
    if let Some(dir) = &args.cwd {
        command = command.current_dir(dir);
    }
    command
}

/// The embedded demo server.
pub(crate) fn demo() -> Connect {
    lossless(Client::connect(ScriptedServer::demo()))
}

/// Sets the clocks of all calls.
pub(crate) fn limited(mut connect: Connect, clocks: &ClockArgs) -> Connect {
    if let Some(limit) = clocks.idle_timeout {
        connect = connect.idle_timeout(limit.0);
    }
    if let Some(limit) = clocks.timeout {
        connect = connect.total_timeout(limit.0);
    }
    connect
}

/// Every update is a line of somebody's log: none is merged while there is room for it.
fn lossless(connect: Connect) -> Connect {
    connect
        .overflow(Overflow::Lossless { up_to: BACKLOG })
        .drain_for(None)
}

fn stderr(mode: Option<ServerStderr>, format: Format, screen: &Screen) -> Stderr {
    let for_people = format == Format::Text && screen.style() != Style::Json;
    let default = if for_people {
        ServerStderr::Inherit
    } else {
        ServerStderr::Discard
    };
    let screen = screen.clone();
    match mode.unwrap_or(default) {
        ServerStderr::Discard => Stderr::Discard,
        ServerStderr::Prefix => Stderr::callback(move |line| {
            screen.write(&format!("server: {}", printable::line(line)))
        }),
        // The server's lines would be written into the bar, so they take the way around it.
        ServerStderr::Inherit if screen.style() == Style::Bar => {
            Stderr::callback(move |line| screen.write(&printable::line(line)))
        }
        ServerStderr::Inherit => Stderr::Inherit,
    }
}
