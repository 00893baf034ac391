//! The arguments of `watch` and `resume`.
//!
//! Owns their forms. It must not know servers.

use clap::Args;

use crate::args::duration::{self, Limit};
use crate::args::output::{ClockArgs, OutputArgs, ProgressArgs};
use crate::args::server::ServerArgs;

pub(crate) const WATCH_EXAMPLES: &str = "\
Examples:
  mcp-progress watch -- mcp-progress serve-demo --changes 1s
  mcp-progress watch demo:///report --fetch --url http://127.0.0.1:3000/mcp
  mcp-progress watch --count 1 --for 10m --output json --url https://example.com/mcp && ./deploy

It ends with code 0 after --count changes or after --for, with 130 on Ctrl-C, and with 4 where the connection is lost.

Lines of --output jsonl, each written at once; absent values are left out:
  {\"event\":\"watching\",\"lists\":[…],\"resources\":[…]}
  {\"event\":\"changed\",\"list\":\"tools\" | \"prompts\" | \"resources\",\"elapsed_ms\":…,\"items\":[…]}
  {\"event\":\"updated\",\"uri\":…,\"elapsed_ms\":…,\"contents\":[…]}
  {\"event\":\"log\",\"level\":…,\"logger\":…,\"data\":…}
  {\"event\":\"notification\",\"method\":…,\"params\":…,\"elapsed_ms\":…}
  {\"event\":\"error\",\"kind\":…,\"message\":…}
With --fetch, `items` is the list and `contents` the resource after the change. --output json gives all changes at the end,
as {\"changes\":[…]}.";

pub(crate) const RESUME_EXAMPLES: &str = "\
Examples:
  mcp-progress call job --leave --url http://127.0.0.1:3000/mcp > handle.json
  mcp-progress resume @handle.json --url http://127.0.0.1:3000/mcp
  mcp-progress resume 786512e2-9e0d --output json --url https://example.com/mcp

Ctrl-C cancels the task at the server. Output and exit codes are those of `call`.";

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Resources to be told of when they change, beside the lists.
    #[arg(value_name = "URI")]
    pub(crate) uris: Vec<String>,
    /// End after so many changes.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) count: Option<u64>,
    /// End after this long: 30s, 5m.
    #[arg(long = "for", value_name = "DURATION", value_parser = duration::parse)]
    pub(crate) lasting: Option<Limit>,
    /// Read what has changed, and show it: of a list what came and went, of a resource its contents.
    #[arg(long)]
    pub(crate) fetch: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ResumeArgs {
    /// The task: what `call --leave` printed, as @FILE, - for standard input, or itself; or the bare id of a task.
    #[arg(value_name = "HANDLE | @FILE | - | ID", allow_hyphen_values = true)]
    pub(crate) task: String,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}
