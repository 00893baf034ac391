//! The arguments of a batch.
//!
//! Owns their forms and their help. It must not know what a line of the batch may say.

use clap::{Args, ValueEnum};

use crate::args::output::{ClockArgs, Format, ProgressArgs};
use crate::args::server::ServerArgs;

/// The examples and the forms below the help.
pub(crate) const EXAMPLES: &str = "\
Examples:
  mcp-progress run calls.jsonl --concurrency 8 -- mcp-progress serve-demo
  mcp-progress run calls.jsonl --keep-going --retries 3 --url https://example.com/mcp > results.jsonl
  seq 3 | jq -c '{tool: \"count\", args: {steps: .}}' | mcp-progress run - -- mcp-progress serve-demo
  mcp-progress run calls.jsonl -- ./server | jq -r 'select(.status != \"ok\") | .index'

Each line of FILE is a call; blank lines are passed over:
  {\"tool\":…, \"args\":{…}}          and, where wanted,
  \"id\": a string or a number, \"after\": [ids of the lines that must have succeeded before], \"timeout\": \"30s\",
  \"idle_timeout\": \"10s\", \"retries\": 2, \"weight\": 3 (its part of the total, default 1), \"task\": true

Each line of the output is a result, in the order of the input:
  {\"index\": line, \"id\":…, \"tool\":…, \"status\":…, \"attempts\":…, \"elapsed_ms\":…} and one of
  \"result\" (status ok, tool_error), \"error\": {\"kind\":…,\"message\":…} (error, timeout, cancelled), or
  \"skipped\": {\"reason\": \"after\", \"index\":…, \"id\":…} (a line it waits for did not succeed; or stopped, interrupted)

The first failure stops the batch: calls in flight run to their end, no new ones begin. With --keep-going all run that
can. Ctrl-C cancels all in flight.

Exit codes:
  0 all lines are ok; 2 wrong usage, or a wrong line: then nothing was called; 130 interrupted; else that of the first
  failure, which is with --keep-going the first in the order of the input: of an error (3 to 5) if there is one, or 1";

/// `run`.
#[derive(Debug, Args)]
pub(crate) struct BatchArgs {
    /// File with a call on each line, as JSON; - for standard input.
    #[arg(value_name = "FILE.jsonl")]
    pub(crate) file: String,
    /// So many calls at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) concurrency: u16,
    /// Go on after a failure; only what waits for the failed line is skipped.
    #[arg(long)]
    pub(crate) keep_going: bool,
    /// Try again, up to so many times, what failed in a way that --retry-on names; a line may say otherwise.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) retries: u32,
    /// What is worth another try. A call that was lost or timed out may have been done by the server all the same.
    #[arg(
        long,
        value_enum,
        value_name = "KIND,…",
        value_delimiter = ',',
        default_values_t = [RetryOn::Lost, RetryOn::Busy]
    )]
    pub(crate) retry_on: Vec<RetryOn>,
    /// Write each result as soon as it is there, in place of the order of the input.
    #[arg(long)]
    pub(crate) as_finished: bool,
    /// What is written to standard output: a JSON object for each result and line, one JSON array, or text for people.
    #[arg(long, value_enum, default_value = "jsonl", value_name = "FORMAT")]
    pub(crate) output: Format,
    #[command(flatten)]
    pub(crate) progress: ProgressArgs,
    #[command(flatten)]
    pub(crate) clocks: ClockArgs,
    #[command(flatten)]
    pub(crate) server: ServerArgs,
}

/// The kinds of failure that another attempt may mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RetryOn {
    /// The connection or the server process is gone; it is made anew.
    Lost,
    /// The server had no time for it: HTTP status 429, 502, 503 or 504.
    Busy,
    /// A clock ran out.
    Timeout,
    /// The server answered with an error, or in a way that is none.
    Error,
    /// The tool reported a failure.
    ToolError,
}
