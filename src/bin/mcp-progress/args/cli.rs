//! The arguments of the command, and their help.
//!
//! Owns what can be written on the command line. It must not know what becomes of it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::args::batch::{self, BatchArgs};
use crate::args::duration::{self, Limit};
use crate::args::help;
use crate::args::lists::{Here, Look};
use crate::args::output::{ClockArgs, Format, OutputArgs, ProgressArgs, ProgressMode, SaveArgs};
use crate::args::pair::Pair;
use crate::args::server::ServerArgs;
use crate::args::watch::{RESUME_EXAMPLES, ResumeArgs, WATCH_EXAMPLES, WatchArgs};

const CALL_EXAMPLES: &str = "\
Examples:
  mcp-progress call count steps:=3 delay_ms:=500 -- mcp-progress serve-demo
  mcp-progress call echo message='two words' -- npx -y @modelcontextprotocol/server-everything
  mcp-progress call import --args @request.json dry_run:=true -- ./server --verbose
  mcp-progress call get-tiny-image --save pictures -- npx -y @modelcontextprotocol/server-everything
  jq -n '{steps: 3}' | mcp-progress call count --args - -- mcp-progress serve-demo
  mcp-progress call count --output jsonl --progress none -- mcp-progress serve-demo | jq -c .
  mcp-progress call ask --answer name=Ada -- mcp-progress serve-demo
  mcp-progress call job --leave --url http://127.0.0.1:3000/mcp > handle.json

What the server asks is answered at the prompt on a terminal, from --answer in scripts, and declined otherwise.

Lines of --output jsonl, each written at once; absent values are left out:
  {\"event\":\"start\",\"token\":…,\"id\":…,\"protocol\":…,\"server\":…}
  {\"event\":\"progress\",\"token\":…,\"progress\":…,\"total\":…,\"message\":…,\"percent\":…,\"seq\":…,\"merged\":…,\"gap\":…,\"elapsed_ms\":…}
  {\"event\":\"log\",\"level\":…,\"logger\":…,\"data\":…}
  {\"event\":\"question\",\"mode\":\"form\" | \"url\",\"message\":…,\"schema\":…,\"url\":…}
  {\"event\":\"answer\",\"action\":\"accept\" | \"decline\" | \"cancel\",\"reason\":…}
  {\"event\":\"task\",\"handle\":…}  in place of the result, with --leave
  {\"event\":\"saved\",\"path\":…,\"kind\":…,\"uri\":…,\"mime_type\":…}  for each file, with --save
  {\"event\":\"result\",\"result\":…,\"is_error\":…}  or  {\"event\":\"error\",\"kind\":…,\"message\":…}";

/// Calls tools of MCP servers and shows how far they are.
#[derive(Debug, Parser)]
#[command(name = "mcp-progress", version, after_help = help::EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call a tool, show its progress, print its result.
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArgs),
    #[command(flatten)]
    Look(Look),
    /// Make many calls from a file, some at once, some after others; print their results as JSON lines.
    #[command(after_help = batch::EXAMPLES)]
    Run(BatchArgs),
    /// Print what a server tells of its own accord: changed lists, updated resources, log messages.
    #[command(after_help = WATCH_EXAMPLES)]
    Watch(WatchArgs),
    /// Take up a task that a call has left to the server, show its progress, print its result.
    #[command(after_help = RESUME_EXAMPLES)]
    Resume(ResumeArgs),
    /// Call the tools of the embedded demo server: no server needed.
    #[command(after_help = help::DEMO)]
    Demo(DemoArgs),
    /// Be the demo server, on standard input and output or over HTTP.
    #[command(after_help = help::SERVE_DEMO)]
    ServeDemo(ServeArgs),
    #[command(flatten)]
    Here(Here),
}

impl Command {
    /// What it writes to standard output, and how it shows progress on the other stream.
    pub(crate) const fn streams(&self) -> (Format, ProgressMode) {
        match self {
            Self::Call(args) => (args.output.output, args.progress.progress),
            Self::Demo(args) => (args.output.output, args.progress.progress),
            Self::Look(look) => look.streams(),
            Self::Here(here) => (here.format(), ProgressMode::None),
            Self::ServeDemo(_) => (Format::Text, ProgressMode::None),
            Self::Run(args) => (args.output, args.progress.progress),
            Self::Resume(args) => (args.output.output, args.progress.progress),
            Self::Watch(args) => (args.output.output, ProgressMode::None),
        }
    }

    /// Where the files of its result go.
    pub(crate) const fn save(&self) -> Option<&PathBuf> {
        let args = match self {
            Self::Call(args) => Some(&args.save),
            Self::Look(look) => look.save(),
            _ => None,
        };
        match args {
            Some(args) => args.save.as_ref(),
            None => None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve over HTTP on this address of this machine until interrupted, and print the URLs; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<String>,
    /// Say this often that a list or the resource has changed, for `watch`: 500ms, 2s.
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) changes: Option<Limit>,
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Name of the tool.
    pub(crate) tool: String,
    /// Arguments of the tool: KEY=VALUE for a string, KEY:=JSON for anything else.
    #[arg(value_name = "KEY=VALUE | KEY:=JSON", value_parser = Pair::parse)]
    pub(crate) pairs: Vec<Pair>,
    /// Arguments as one JSON object: itself, @FILE, or - for standard input. Pairs replace its members.
    #[arg(long, value_name = "JSON | @FILE | -", allow_hyphen_values = true)]
    pub(crate) args: Option<String>,
    /// Run it as a task, where the server can (2025-11-25): a server of 2026-07-28 decides by itself.
    #[arg(long)]
    pub(crate) task: bool,
    /// As --task; and once it is one, print its handle, which `resume` takes, and leave the work to the server. One that is
    /// a child process ends with this command, and its tasks with it, unless it keeps them elsewhere.
    #[arg(long)]
    pub(crate) leave: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) save: SaveArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Cli, Command};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_has_examples() {
        let root = Cli::command();
        for command in std::iter::once(&root).chain(root.get_subcommands()) {
            let help = command.get_after_help().map(ToString::to_string);
            let name = command.get_name();
            let help = help.unwrap_or_default();
            let own = command.get_name() == root.get_name();
            let example = if own {
                "mcp-progress ".to_owned()
            } else {
                format!("mcp-progress {name} ")
            };
            let named =
                help.contains(&example) || help.contains(&format!("{}\n", example.trim_end()));
            assert!(help.contains("Examples:\n") && named, "{name}");
        }
    }

    #[test]
    fn what_stands_behind_the_dashes_is_the_server() {
        let line = "mcp-progress call t a=1 b:=2 --timeout 3s -- server --timeout x=y";
        let cli = Cli::try_parse_from(line.split(' ')).unwrap();
        let Command::Call(args) = cli.command else {
            panic!("not a call");
        };
        assert_eq!((args.tool.as_str(), args.pairs.len()), ("t", 2));
        assert_eq!(args.server.command, ["server", "--timeout", "x=y"]);
    }

    #[test]
    fn one_server_must_be_named_and_only_one() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        assert!(!parse("mcp-progress tools"));
        assert!(parse("mcp-progress tools --stdio server"));
        assert!(!parse("mcp-progress tools --stdio server -- server"));
        assert!(parse("mcp-progress tools --url http://localhost/mcp"));
        assert!(!parse(
            "mcp-progress tools --url http://localhost/mcp -- server"
        ));
        assert!(!parse("mcp-progress tools --bearer-env TOKEN -- server"));
        assert!(parse("mcp-progress demo"));
        assert!(!parse("mcp-progress demo -- server"));
        assert!(parse("mcp-progress serve-demo --http 127.0.0.1:0"));
    }
}
