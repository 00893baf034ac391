//! Bytes to frames. No tasks, no clocks, no MCP.

pub(crate) mod lines;
