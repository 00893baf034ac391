//! Scripts that ask the client for input.
//!
//! Owns questions in both eras: as results that ask for a retry (2026-07-28), and as requests to the client (the
//! handshake revisions). Must not know connections, nor what is asked.

pub(crate) mod answers;
mod asking;
pub(crate) mod desk;
pub(crate) mod resume;
pub(crate) mod round;
mod steps;

pub use answers::Answers;
pub use round::Round;
