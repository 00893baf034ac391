//! The streams of the program, and what is written there.
//!
//! Owns standard output and standard error. It must not know how servers are reached.

pub(crate) mod change;
pub(crate) mod content;
pub(crate) mod event;
pub(crate) mod hold;
pub(crate) mod lines;
pub(crate) mod meter;
pub(crate) mod output;
pub(crate) mod pretty;
pub(crate) mod printable;
pub(crate) mod save;
pub(crate) mod screen;
pub(crate) mod table;
