//! What users hold: the client, its requests, calls and streams, and the adapters that need a runtime.
//!
//! Owns everything that spawns, waits or reads a clock. It must not know bytes on the wire.

pub(crate) mod alarm;
pub(crate) mod call;
pub(crate) mod canceller;
pub(crate) mod clock;
pub mod combinators;
pub(crate) mod connect;
pub(crate) mod core;
pub(crate) mod detached;
pub(crate) mod driver;
pub(crate) mod era;
pub(crate) mod errands;
pub(crate) mod follow;
pub(crate) mod handle;
pub(crate) mod handler;
pub(crate) mod handlers;
#[cfg(feature = "http")]
pub(crate) mod http;
pub(crate) mod inbound;
pub(crate) mod introduction;
pub(crate) mod limits;
pub(crate) mod listen;
pub(crate) mod methods;
pub(crate) mod negotiate;
pub(crate) mod operation;
pub(crate) mod outcome;
pub(crate) mod outgoing;
pub(crate) mod pages;
pub(crate) mod plan;
pub(crate) mod request;
pub(crate) mod revision;
pub(crate) mod running;
pub(crate) mod streams;
pub(crate) mod tasks;
pub(crate) mod telemetry;
pub(crate) mod turn;
