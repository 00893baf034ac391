//! The arguments about what the server may want to know.
//!
//! Owns their forms. It must not know when servers ask.

use std::path::PathBuf;

use clap::Args;

use crate::args::pair::Pair;

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Questions of the server")]
pub(crate) struct AskArgs {
    /// Fill this field in wherever a form of the server has it: KEY=VALUE as one would type it, KEY:=JSON as it is; may be
    /// repeated. On a terminal the other fields are asked for; elsewhere a form that lacks an answer is declined.
    #[arg(long = "answer", value_name = "KEY=VALUE | KEY:=JSON", value_parser = Pair::parse)]
    pub(crate) answers: Vec<Pair>,
    /// Agree to visit pages of this host, without being asked; may be repeated. Nothing is opened: the address is told on
    /// standard error, and by --output jsonl.
    #[arg(long = "accept-url", value_name = "HOST")]
    pub(crate) hosts: Vec<String>,
    /// Tell the server that this is what you work on: a directory, a file, or a file:// URI; may be repeated.
    #[arg(long = "root", value_name = "PATH")]
    pub(crate) roots: Vec<PathBuf>,
}
