//! What can be written on the command line.
//!
//! Owns the forms of arguments. It must not know what becomes of them.

pub(crate) mod ask;
pub(crate) mod batch;
pub(crate) mod cli;
pub(crate) mod duration;
pub(crate) mod help;
pub(crate) mod lists;
pub(crate) mod near;
pub(crate) mod output;
pub(crate) mod pair;
pub(crate) mod server;
pub(crate) mod watch;
pub(crate) mod words;
