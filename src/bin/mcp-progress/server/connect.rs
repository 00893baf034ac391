//! The server to talk to, as the command line names it.
//!
//! Owns the way from arguments to a connection that is still to be made. It must not know what is asked of the server.

use std::env::VarError;
use std::ffi::OsString;
use std::path::Path;

use mcp_progress::testing::ScriptedServer;
use mcp_progress::transport::{HttpEndpoint, ServerCommand, Stderr};
use mcp_progress::{Client, Connect, Overflow};

use crate::args::output::{ClockArgs, Format};
use crate::args::server::{ServerArgs, ServerStderr};
use crate::ask::offer;
use crate::context::Context;
use crate::failure::Failure;
use crate::server::definition::{Definition, Http, Kind, Process};
use crate::server::env_file;
use crate::server::locations::Places;
use crate::server::lookup::{Entry, Survey};
use crate::show::printable;
use crate::show::screen::{Screen, Style};

/// So many updates may wait for a slow reader of standard output before they are merged.
const BACKLOG: usize = 65_536;

/// The server that the arguments name.
pub(crate) fn named(args: &ServerArgs, context: &Context) -> Result<Connect, Failure> {
    let (connect, who) = if args.server.is_some() || args.config.is_some() {
        configured(args, context)?
    } else if let Some(url) = &args.url {
        let http = Http {
            url: url.clone(),
            headers: Vec::new(),
        };
        (Client::connect(endpoint(&http, args)?), url.clone())
    } else {
        (Client::connect(command(args, context)), spoken(args))
    };
    let mut connect = lossless(connect);
    if let Some(version) = args.protocol.0 {
        connect = connect.protocol(version);
    }
    if let Some(level) = args.log_level {
        connect = connect.log_level(level);
    }
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

/// A server of a configuration, and its name.
fn configured(args: &ServerArgs, context: &Context) -> Result<(Connect, String), Failure> {
    let places = Places::of_this_process();
    let survey = match &args.config {
        Some(file) => Survey::of_file(file, &places).map_err(Failure::Usage)?,
        None => Survey::common(&places),
    };
    let entry = survey.pick(args.server.as_deref());
    let entry = entry.map_err(|problem| match &args.config {
        Some(file) => Failure::Usage(format!("{}: {problem}", file.display())),
        None => Failure::Usage(problem),
    })?;
    for (file, problem) in &survey.broken {
        // It may have held another server of this name.
        let text = format!("{} is left out: {problem}", file.display());
        context.screen.notice(&printable::line(&text));
    }
    let Definition { kind, .. } = entry
        .resolve(&places, &args.input)
        .map_err(Failure::Usage)?;
    let connect = match kind {
        Kind::Http(http) => Client::connect(endpoint(&http, args)?),
        Kind::Process(process) => {
            let wrong = |problem: String| Failure::Usage(entry.explained(&problem));
            if !args.header.is_empty() || args.bearer_env.is_some() || args.cacert.is_some() {
                let text =
                    "it is a process, for which --header, --bearer-env and --cacert mean nothing";
                return Err(wrong(text.to_owned()));
            }
            let command = started(&process, entry, args).map_err(wrong)?;
            Client::connect(own(command, args, context))
        }
    };
    Ok((connect, entry.name.clone()))
}

/// A server on the network. What the command line says of a header counts more than what the configuration says.
fn endpoint(http: &Http, args: &ServerArgs) -> Result<HttpEndpoint, Failure> {
    let mut endpoint = HttpEndpoint::new(&http.url);
    let given = |name: &str| {
        let bearer = args.bearer_env.is_some() && name.eq_ignore_ascii_case("authorization");
        bearer
            || args
                .header
                .iter()
                .any(|(known, _)| known.eq_ignore_ascii_case(name))
    };
    let configured = http.headers.iter().filter(|(name, _)| !given(name));
    for (name, value) in configured.chain(&args.header) {
        endpoint = endpoint.header(name, value);
    }
    if let Some(variable) = &args.bearer_env {
        let token = std::env::var(variable).map_err(|error| {
            // The words of the standard library would tell the value.
            let problem = match error {
                VarError::NotPresent => "it is not set",
                VarError::NotUnicode(_) => "its value is no text in UTF-8",
            };
            Failure::Usage(format!(
                "the environment variable {variable} gives no token: {problem}"
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
    own(ServerCommand::new(program).args(words), args, context)
}

/// The process that a configuration defines. It begins in the folder of the project, as it does with an editor.
fn started(process: &Process, entry: &Entry, args: &ServerArgs) -> Result<ServerCommand, String> {
    let workspace = &entry.location.workspace;
    let dir = match (&args.cwd, &process.cwd) {
        // Whole, since a relative program is looked for once its process is in the folder already.
        (Some(dir), _) => std::path::absolute(dir)
            .map_err(|problem| format!("--cwd: {}: {problem}", dir.display()))?,
        (None, Some(dir)) => workspace.join(dir),
        (None, None) => workspace.clone(),
    };
    let program = Path::new(&process.command);
    let is_path = program.components().nth(1).is_some();
    let mut command = if is_path && program.is_relative() {
        ServerCommand::new(dir.join(program))
    } else {
        ServerCommand::new(program)
    };
    command = command.args(&process.args).current_dir(dir);
    if let Some(file) = &process.env_file {
        let file = workspace.join(file);
        let text = std::fs::read_to_string(&file).map_err(|error| error.to_string());
        let variables = text.and_then(|text| env_file::parse(&text));
        let variables =
            variables.map_err(|problem| format!("`envFile`: {}: {problem}", file.display()))?;
        for (name, value) in variables {
            command = command.env(name, value);
        }
    }
    for (name, value) in &process.env {
        command = command.env(name, value);
    }
    Ok(command)
}

/// The process with what the command line says of it.
fn own(command: ServerCommand, args: &ServerArgs, context: &Context) -> ServerCommand {
    let mut command = command.stderr(stderr(
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
