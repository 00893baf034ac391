//! Bytes into frames: newline-delimited ones, and the events of an event stream.
//!
//! Owns the limits on what one frame may hold in memory. It must not know what frames say, and it reads no clock.

pub(crate) mod lines;
#[cfg(feature = "http")]
pub(crate) mod sse;

#[cfg(all(test, feature = "http"))]
mod sse_model;
#[cfg(all(test, feature = "http"))]
mod sse_tests;
