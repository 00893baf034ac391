//! Text of a server, made fit for a terminal.
//!
//! Owns the short names of the library's two ways. It knows no streams.

pub(crate) use mcp_progress::ui::{printable_block as block, printable_line as line};
