//! Child processes: how a server is started, what is said about its end, and how it is ended with all that it started.
//!
//! Owns processes. It must not know frames, requests or sessions.

pub(crate) mod command;
pub(crate) mod guard;
pub(crate) mod lookup;
pub(crate) mod stderr;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(test)]
#[cfg(unix)]
mod tests;
