//! What the tests of this package have in common: the servers that others' SDKs make, and what is seen of them.
//!
//! Each file in `tests` is named after one of the systems that `mcp-progress` comes from; `README.md` has the table.

mod command;
mod diary;
mod listener;
mod notes;
mod peers;
mod wire;

pub use command::{Ended, Program};
pub use diary::{Diary, Event, Span};
pub use listener::heard_of;
pub use notes::Notes;
pub use peers::{Peer, Serving};
pub use wire::{Said, Tap};
