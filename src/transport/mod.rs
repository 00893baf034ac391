//! Moving frames: connectors, byte streams, child processes.
//!
//! Owns I/O and processes. It must not know calls, tokens or MCP methods.

pub(crate) mod connector;
pub(crate) mod io;
#[cfg(feature = "stdio")]
pub(crate) mod process;
#[cfg(feature = "stdio")]
pub(crate) mod stderr;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;

#[cfg(test)]
#[cfg(unix)]
#[cfg(feature = "stdio")]
mod process_tests;

pub use connector::{Connection, Connector};
pub use io::{Io, memory};
#[cfg(feature = "stdio")]
pub use process::ServerCommand;
#[cfg(feature = "stdio")]
pub use stderr::Stderr;
