//! A rig that lets several MCP clients do the same work against the same server, and measures what it costs them.
//!
//! * `judge` decides what was late, lost or out of order, the same way for every client.
//! * `client` is what a client has to offer; `client_raw` and its siblings are the clients.
//! * `workload` is the work, `measure` reads the process's own costs, `record` is what one run reports.
//! * `http` is the same over HTTP, with clients and workloads of its own.
//! * `targets` and `table` turn many records into verdicts and a page to read.

pub mod client;
pub mod client_ours;
pub mod client_raw;
pub mod client_rmcp;
pub mod http;
pub mod judge;
pub mod measure;
pub mod record;
pub mod table;
pub mod targets;
pub mod workload;

/// Whatever went wrong; a benchmark only ever reports it and stops.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
