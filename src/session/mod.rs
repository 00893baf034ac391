//! One connection's protocol: synchronous, free of I/O, tasks and clocks.
//!
//! Owns the in-flight table, the outbox, the judgement of frames and their counters. What it decides, adapters in
//! `client` carry out. It must not know streams of bytes, processes or timers.

#[cfg(feature = "http")]
pub(crate) mod annotation;
pub(crate) mod attribution;
pub(crate) mod calls;
pub(crate) mod dispatch;
pub(crate) mod errand;
#[cfg(feature = "http")]
pub(crate) mod exchange;
pub(crate) mod feed;
pub(crate) mod flight;
pub(crate) mod guard;
pub(crate) mod inbound;
#[cfg(feature = "http")]
pub(crate) mod mirror;
pub(crate) mod notification;
pub(crate) mod operation;
pub(crate) mod outbox;
pub(crate) mod peek;
pub(crate) mod read;
pub(crate) mod salvage;
pub(crate) mod stats;
pub(crate) mod support;
#[cfg(feature = "http")]
pub(crate) mod tools;
pub(crate) mod wire;
