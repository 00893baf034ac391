//! The same comparison over HTTP on the loopback: clients, workloads and the server's process. Everything else is shared.

pub mod client;
pub mod ours;
pub mod process;
pub mod raw;
pub mod rmcp;
pub mod workload;
