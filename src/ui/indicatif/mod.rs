//! Progress in the terminal: one bar for each call, one for a group.
//!
//! ```no_run
//! # async fn example(client: mcp_progress::Client) -> mcp_progress::Result<()> {
//! use mcp_progress::ui::indicatif::Bars;
//! use serde_json::json;
//!
//! let bars = Bars::stderr();
//! let one = client.call_tool("count", json!({"steps": 5})).with_bar(&bars);
//! let other = client.call_tool("download", json!({"mib": 8})).with_bar(&bars);
//! let (one, other) = tokio::try_join!(one, other)?;
//! # let _ = (one, other); Ok(()) }
//! ```
//!
//! Owns the bars' life on the screen: who draws, when, and what else may be written meanwhile. It must not know how updates
//! get here.

pub(crate) mod ability;
pub(crate) mod bars;
pub(crate) mod call_bar;
mod columns;
pub(crate) mod entry;
pub(crate) mod group_bar;
mod line;
pub(crate) mod log_writer;
pub(crate) mod painter;
pub(crate) mod sheet;
pub(crate) mod stage;
mod suspension;
pub(crate) mod terminal;
pub(crate) mod with_bar;
mod words;

pub use bars::{Bars, BarsStyle, Hold};
pub use call_bar::CallBar;
pub use group_bar::GroupBar;
pub use log_writer::LogWriter;
pub use with_bar::WithBar;
