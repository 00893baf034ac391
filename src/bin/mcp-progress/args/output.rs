//! The arguments about what is shown, and for how long it is waited.
//!
//! Owns the formats and the clocks. It must not know servers.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::args::duration::{self, Limit};

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
pub(crate) struct SaveArgs {
    /// Save images, sounds and the contents of resources to this folder, under names that are free, and say where.
    #[arg(long, value_name = "DIR")]
    pub(crate) save: Option<PathBuf>,
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
    /// Lines: each new message while they are few, else the newest update once a second; and the end.
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
