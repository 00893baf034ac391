//! The subcommands, one a file.
//!
//! Owns what each of them asks of a server. It must not know streams and their formats.

pub(crate) mod call;
pub(crate) mod demo;
pub(crate) mod info;
pub(crate) mod resume;
pub(crate) mod serve;
pub(crate) mod tools;
pub(crate) mod watch;
