//! What is told of calls: to observers, in spans, and to servers as the trace that a request belongs to.

mod collector;
mod counts;
mod diary;
mod observers;
#[cfg(feature = "opentelemetry")]
mod propagation;
mod spans;
mod traces;
