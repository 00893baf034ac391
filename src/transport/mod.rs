//! Moving frames: connectors, byte streams, child processes.
//!
//! Owns I/O and processes. It must not know calls, tokens or MCP methods.

pub(crate) mod connector;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod io;
#[cfg(feature = "stdio")]
pub(crate) mod process;
#[cfg(feature = "stdio")]
pub(crate) mod stdio;

pub use connector::{Connection, Connector};
#[cfg(feature = "http")]
pub use http::{endpoint::HttpEndpoint, provider::HeaderQuery};
pub use io::{Io, memory};
#[cfg(feature = "stdio")]
pub use process::command::ServerCommand;
#[cfg(feature = "stdio")]
pub use process::stderr::Stderr;
