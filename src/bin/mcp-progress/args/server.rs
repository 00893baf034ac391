//! The arguments that say which server to talk to, and how.
//!
//! Owns their forms. It must not know how a connection is made.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use mcp_progress::ProtocolVersion;
use mcp_progress::model::LoggingLevel;

use crate::args::ask::AskArgs;
use crate::args::words::{self, Words};

#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Command of the server in one string, split at blanks as a shell does: quotes and backslashes, no variables.
    #[arg(long, value_name = "COMMAND ARG…", value_parser = words::parse, conflicts_with_all = ["command", "url", "server", "config"])]
    pub(crate) stdio: Option<Words>,
    /// URL of a server that is reached over HTTP, in every revision of it.
    #[arg(long, conflicts_with_all = ["command", "server", "config"])]
    pub(crate) url: Option<String>,
    /// A server of a configuration, by its name: of --config, or of those of the known clients (Claude Code and Desktop,
    /// VS Code, Copilot, Cursor, Windsurf, Zed). `mcp-progress servers` lists them.
    #[arg(long, value_name = "NAME", conflicts_with = "command")]
    pub(crate) server: Option<String>,
    /// Configuration file with the server in it, `mcpServers` or the like. A single server needs no --server.
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    pub(crate) config: Option<PathBuf>,
    /// What `${input:ID}` stands for in the configuration; may be repeated.
    #[arg(long, value_name = "ID=VALUE", value_parser = input, conflicts_with_all = ["command", "stdio", "url"])]
    pub(crate) input: Vec<(String, String)>,
    /// Send this header with every HTTP request; may be repeated. Others on this machine may see it: for a secret,
    /// --bearer-env is better.
    #[arg(long, value_name = "NAME: VALUE", value_parser = header, conflicts_with_all = ["command", "stdio"])]
    pub(crate) header: Vec<(String, String)>,
    /// Send the bearer token that this environment variable holds with every HTTP request.
    #[arg(long, value_name = "VARIABLE", conflicts_with_all = ["command", "stdio"])]
    pub(crate) bearer_env: Option<String>,
    /// Trust the certificates in this file too, in PEM format.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "stdio"])]
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
    #[command(flatten)]
    pub(crate) asks: AskArgs,
    /// Command of the server and its arguments, behind `--`.
    #[arg(last = true, help_heading = "Server", required_unless_present_any = ["stdio", "url", "server", "config"], value_name = "COMMAND")]
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

fn input(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((id, value)) if !id.is_empty() => Ok((id.to_owned(), value.to_owned())),
        _ => Err("expected ID=VALUE".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::ProtocolVersion;

    use super::{Revision, level, revision, variable};

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
