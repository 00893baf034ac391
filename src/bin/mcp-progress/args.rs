//! The arguments of the command, and their help.
//!
//! Owns what can be written on the command line. It must not know what becomes of it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use mcp_progress::ProtocolVersion;
use mcp_progress::model::LoggingLevel;

use crate::duration::{self, Limit};
use crate::pair::Pair;
use crate::words::{self, Words};

const EXAMPLES: &str = "\
Examples:
  mcp-progress demo
  mcp-progress tools -- npx -y @modelcontextprotocol/server-everything
  mcp-progress call trigger-long-running-operation duration:=5 steps:=5 -- \\
      npx -y @modelcontextprotocol/server-everything
  mcp-progress call echo message=hello --output json --stdio 'npx -y @modelcontextprotocol/server-everything'
  mcp-progress call count steps:=3 --output jsonl -- mcp-progress serve-demo
  mcp-progress call count steps:=3 --url https://example.com/mcp --bearer-env TOKEN

Exit codes:
  0 done; 1 the tool returned an error; 2 wrong usage; 3 JSON-RPC or protocol error;
  4 connection or server process lost; 5 time-out; 130 interrupted; 141 standard output is gone";

const CALL_EXAMPLES: &str = "\
Examples:
  mcp-progress call count steps:=3 delay_ms:=500 -- mcp-progress serve-demo
  mcp-progress call echo message='two words' -- npx -y @modelcontextprotocol/server-everything
  mcp-progress call import --args @request.json dry_run:=true -- ./server --verbose
  jq -n '{steps: 3}' | mcp-progress call count --args - -- mcp-progress serve-demo
  mcp-progress call count --output jsonl --progress none -- mcp-progress serve-demo | jq -c .

Lines of --output jsonl, each written at once; absent values are left out:
  {\"event\":\"start\",\"token\":…,\"id\":…,\"protocol\":…,\"server\":…}
  {\"event\":\"progress\",\"token\":…,\"progress\":…,\"total\":…,\"message\":…,\"percent\":…,\"seq\":…,\"merged\":…,\"gap\":…,\"elapsed_ms\":…}
  {\"event\":\"log\",\"level\":…,\"logger\":…,\"data\":…}
  {\"event\":\"result\",\"result\":…,\"is_error\":…}  or  {\"event\":\"error\",\"kind\":…,\"message\":…}";

/// Calls tools of MCP servers and shows how far they are.
#[derive(Debug, Parser)]
#[command(name = "mcp-progress", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call a tool, show its progress, print its result.
    #[command(after_help = CALL_EXAMPLES)]
    Call(CallArgs),
    /// List the tools of a server.
    Tools(ToolsArgs),
    /// Show what a server says of itself, and the protocol revision it speaks.
    Info(InfoArgs),
    /// Call the tools of the embedded demo server: no server needed.
    Demo(DemoArgs),
    /// Be the demo server, on standard input and output or over HTTP.
    ServeDemo(ServeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Serve over HTTP on this address of this machine until interrupted, and print the URLs; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) http: Option<String>,
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
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ToolsArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
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

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// What is written to standard output: text for people, the result as JSON, or one JSON object per event and line.
    #[arg(long, value_enum, default_value = "text", value_name = "FORMAT")]
    pub(crate) output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    Jsonl,
}

#[derive(Debug, Args)]
pub(crate) struct ProgressArgs {
    /// How progress is shown on standard error. A bar needs a terminal and becomes plain lines elsewhere.
    #[arg(long, value_enum, default_value = "auto", value_name = "STYLE")]
    pub(crate) progress: ProgressMode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// A bar on a terminal, plain lines elsewhere.
    Auto,
    /// A bar.
    Bar,
    /// One line per update.
    Plain,
    /// One JSON object per line.
    Json,
    /// Not at all.
    None,
}

#[derive(Debug, Args)]
pub(crate) struct ClockArgs {
    /// Give up after this long without an update: 1500ms, 30s, 5m, 2h; 0 for never [default: 5m].
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) idle_timeout: Option<Limit>,
    /// Give up after this long, counted from the request, not from the start of the server; 0 for never [default: 24h].
    #[arg(long, value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) timeout: Option<Limit>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Command of the server in one string, split at blanks as a shell does: quotes and backslashes, no variables.
    #[arg(long, value_name = "COMMAND ARG…", value_parser = words::parse, conflicts_with_all = ["command", "url"])]
    pub(crate) stdio: Option<Words>,
    /// URL of a server that is reached over HTTP, in every revision of it.
    #[arg(long, conflicts_with = "command")]
    pub(crate) url: Option<String>,
    /// Send this header with every HTTP request; may be repeated. Others on this machine may see it: for a secret,
    /// --bearer-env is better.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header, requires = "url", conflicts_with_all = ["command", "stdio"])]
    pub(crate) header: Vec<(String, String)>,
    /// Send the bearer token that this environment variable holds with every HTTP request.
    #[arg(long, value_name = "VARIABLE", requires = "url", conflicts_with_all = ["command", "stdio"])]
    pub(crate) bearer_env: Option<String>,
    /// Trust the certificates in this file too, in PEM format.
    #[arg(long, value_name = "FILE", requires = "url", conflicts_with_all = ["command", "stdio"])]
    pub(crate) cacert: Option<PathBuf>,
    /// Speak this protocol revision and no other; auto asks the server.
    #[arg(long, value_name = "auto | REVISION", default_value = "auto", value_parser = revision)]
    pub(crate) protocol: Revision,
    /// Set an environment variable of the server; may be repeated.
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable)]
    pub(crate) env: Vec<(String, String)>,
    /// Working directory of the server.
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Ask the server for log messages from this level up: debug, info, notice, warning, error, critical, alert,
    /// emergency.
    #[arg(long, value_name = "LEVEL", value_parser = level)]
    pub(crate) log_level: Option<LoggingLevel>,
    /// What becomes of the server's standard error [default: inherit with text output, else discard].
    #[arg(long, value_enum, value_name = "MODE")]
    pub(crate) server_stderr: Option<ServerStderr>,
    /// Command of the server and its arguments, behind `--`.
    #[arg(last = true, required_unless_present_any = ["stdio", "url"], value_name = "COMMAND")]
    pub(crate) command: Vec<OsString>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ServerStderr {
    /// Passed on as it is.
    Inherit,
    /// Dropped; its last lines are quoted if the server dies.
    Discard,
    /// Passed on with `server: ` before each line.
    Prefix,
}

/// The revision to speak; none where the server is to be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Revision(pub(crate) Option<ProtocolVersion>);

fn revision(text: &str) -> Result<Revision, String> {
    if text == "auto" {
        return Ok(Revision(None));
    }
    let version = text.parse::<ProtocolVersion>();
    version
        .map(|version| Revision(Some(version)))
        .map_err(|error| error.to_string())
}

fn level(text: &str) -> Result<LoggingLevel, String> {
    let found = LoggingLevel::ALL
        .iter()
        .find(|level| level.as_str() == text);
    found
        .copied()
        .ok_or_else(|| "not one of the eight levels".to_owned())
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.trim().to_owned())),
        _ => Err("expected NAME: VALUE".to_owned()),
    }
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};
    use mcp_progress::ProtocolVersion;

    use super::{Cli, Command, Revision, level, revision, variable};

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
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

    #[test]
    fn single_values() {
        let pinned = Revision(Some(ProtocolVersion::V2025_06_18));
        assert_eq!(revision("2025-06-18"), Ok(pinned));
        assert_eq!(revision("auto"), Ok(Revision(None)));
        assert!(revision("2025-06-19").unwrap_err().contains("2025-06-18"));
        assert!(level("warning").is_ok() && level("loud").is_err());
        assert_eq!(variable("A=b=c"), Ok(("A".to_owned(), "b=c".to_owned())));
        assert!(variable("=x").is_err() && variable("A").is_err());
    }
}
