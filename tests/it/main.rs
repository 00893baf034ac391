//! All integration tests, in one binary: two cores link slowly.

mod api;
mod asks;
#[cfg(feature = "blocking")]
mod blocking;
mod bursts;
mod cancelling;
mod clocks;
mod combinators;
mod edge;
mod everyday;
mod group;
mod hostile;
#[cfg(feature = "http")]
mod http;
mod interleavings;
mod isolation;
mod mailboxes;
mod methods;
mod negotiation;
mod operations;
mod peer;
#[cfg(unix)]
mod process;
mod queueing;
mod registry;
mod reporter;
#[cfg(unix)]
mod second_calls;
mod server_requests;
mod sse;
mod telemetry;
mod tidy;
mod ui;
