//! The subcommands, one a file.
//!
//! Owns what each of them asks of a server. It must not know streams and their formats.

pub(crate) mod call;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod follow;
pub(crate) mod info;
pub(crate) mod man;
pub(crate) mod ping;
pub(crate) mod prompt;
pub(crate) mod prompts;
pub(crate) mod read;
pub(crate) mod request;
pub(crate) mod resources;
pub(crate) mod resume;
pub(crate) mod serve;
pub(crate) mod servers;
pub(crate) mod tools;
pub(crate) mod watch;
