//! What others are told of calls: observers, spans, and the trace context that servers get.
//!
//! Owns who is told what and when, always in the future of the call. It must not know how updates arrive.

mod builder;
pub(crate) mod closing;
#[cfg(feature = "opentelemetry")]
mod current_span;
pub(crate) mod observer;
pub(crate) mod settings;
mod span;
pub(crate) mod trace_context;
pub(crate) mod watch;
