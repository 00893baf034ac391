//! The arguments of the commands that look at a server, and of those that need none.
//!
//! Owns their forms. It must not know what becomes of them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clap_complete::Shell;

use crate::args::duration::{self, Limit};
use crate::args::help;
use crate::args::output::{ClockArgs, Format, OutputArgs, ProgressArgs, ProgressMode, SaveArgs};
use crate::args::pair::Pair;
use crate::args::server::ServerArgs;

/// Commands that look at a server.
#[derive(Debug, Subcommand)]
pub(crate) enum Look {
    /// List the tools of a server, or tell all about one.
    #[command(after_help = help::TOOLS)]
    Tools(ToolsArgs),
    /// List the resources of a server, or the templates of their addresses.
    #[command(after_help = help::RESOURCES)]
    Resources(ResourcesArgs),
    /// Read a resource, show its progress, print its contents.
    #[command(after_help = help::READ)]
    Read(ReadArgs),
    /// List the prompts of a server.
    #[command(after_help = help::PROMPTS)]
    Prompts(PromptsArgs),
    /// Get a prompt, filled in, and print its messages.
    #[command(after_help = help::PROMPT)]
    Prompt(PromptArgs),
    /// Show what a server says of itself, and the protocol revision it speaks.
    #[command(after_help = help::INFO)]
    Info(InfoArgs),
    /// Measure how long a server takes to answer.
    #[command(after_help = help::PING)]
    Ping(PingArgs),
}

/// Commands that need no server.
#[derive(Debug, Subcommand)]
pub(crate) enum Here {
    /// List the servers in the configurations of MCP clients on this machine.
    #[command(after_help = help::SERVERS)]
    Servers(ServersArgs),
    /// Print what a shell needs to complete this command line.
    #[command(after_help = help::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages to a folder.
    #[command(after_help = help::MAN)]
    Man(ManArgs),
}

impl Look {
    /// What it writes to standard output, and how it shows progress on the other stream.
    pub(crate) const fn streams(&self) -> (Format, ProgressMode) {
        let (output, progress) = match self {
            Self::Tools(args) => (&args.output, Some(&args.progress)),
            Self::Resources(args) => (&args.output, Some(&args.progress)),
            Self::Read(args) => (&args.output, Some(&args.progress)),
            Self::Prompts(args) => (&args.output, Some(&args.progress)),
            Self::Prompt(args) => (&args.output, Some(&args.progress)),
            Self::Info(args) => (&args.output, None),
            Self::Ping(args) => (&args.output, None),
        };
        let mode = match progress {
            Some(args) => args.progress,
            None => ProgressMode::None,
        };
        (output.output, mode)
    }

    /// The server to look at.
    pub(crate) const fn server(&self) -> &ServerArgs {
        match self {
            Self::Tools(args) => &args.server,
            Self::Resources(args) => &args.server,
            Self::Read(args) => &args.server,
            Self::Prompts(args) => &args.server,
            Self::Prompt(args) => &args.server,
            Self::Info(args) => &args.server,
            Self::Ping(args) => &args.server,
        }
    }

    pub(crate) const fn clocks(&self) -> Option<&ClockArgs> {
        match self {
            Self::Tools(args) => Some(&args.clocks),
            Self::Resources(args) => Some(&args.clocks),
            Self::Read(args) => Some(&args.clocks),
            Self::Prompts(args) => Some(&args.clocks),
            Self::Prompt(args) => Some(&args.clocks),
            Self::Info(_) => None,
            Self::Ping(args) => Some(&args.clocks),
        }
    }

    pub(crate) const fn save(&self) -> Option<&SaveArgs> {
        match self {
            Self::Read(args) => Some(&args.save),
            Self::Prompt(args) => Some(&args.save),
            _ => None,
        }
    }
}

impl Here {
    pub(crate) const fn format(&self) -> Format {
        match self {
            Self::Servers(args) => args.output.output,
            Self::Completions(_) | Self::Man(_) => Format::Text,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ToolsArgs {
    /// Everything about this tool, its schema included, instead of the list.
    pub(crate) tool: Option<String>,
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
pub(crate) struct ResourcesArgs {
    /// List the patterns of addresses instead, for resources that are too many to be listed.
    #[arg(long)]
    pub(crate) templates: bool,
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
pub(crate) struct ReadArgs {
    /// Address of the resource.
    pub(crate) uri: String,
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
pub(crate) struct PromptsArgs {
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
pub(crate) struct PromptArgs {
    /// Name of the prompt.
    pub(crate) name: String,
    /// Arguments of the prompt, which are strings.
    #[arg(value_name = "KEY=VALUE", value_parser = words)]
    pub(crate) pairs: Vec<Pair>,
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
pub(crate) struct PingArgs {
    /// Ask this many times.
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Wait this long between two times.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = duration::parse)]
    pub(crate) interval: Limit,
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
pub(crate) struct ServersArgs {
    /// Look into this file only.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
pub(crate) struct ManArgs {
    /// The page of this command [default: the main one].
    pub(crate) command: Option<String>,
    /// Write the page of each command to this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    pub(crate) dir: Option<PathBuf>,
}

/// Prompts take strings only.
fn words(text: &str) -> Result<Pair, String> {
    let pair = Pair::parse(text)?;
    if !pair.value.is_string() {
        return Err("arguments of prompts are strings: write KEY=VALUE".to_owned());
    }
    Ok(pair)
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn prompts_take_strings() {
        assert!(words("a=1").is_ok() && words("a:=\"1\"").is_ok());
        assert!(words("a:=1").unwrap_err().contains("strings") && words("a").is_err());
    }
}
