//! A call that goes on after a response: with answers to what the server asks, or as a task.
//!
//! Owns what happens between the response and the next request, or the result. It is polled by the call, so that it ends
//! with it. It must not know how updates are handed over.

pub(crate) mod course;
pub(crate) mod ending;
pub(crate) mod inquiry;
pub(crate) mod pace;
pub(crate) mod questions;
pub(crate) mod resume;
pub(crate) mod rounds;
mod scene;
pub(crate) mod task;
pub(crate) mod tells;
pub(crate) mod watch;
