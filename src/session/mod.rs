//! One connection's protocol: synchronous, free of I/O, tasks and clocks.
//!
//! Owns the in-flight table, the outbox, the judgement of frames and their counters. What it decides, adapters in
//! `client` carry out. It must not know streams of bytes, processes or timers.

pub(crate) mod calls;
pub(crate) mod dispatch;
pub(crate) mod feed;
pub(crate) mod flight;
pub(crate) mod guard;
pub(crate) mod notification;
pub(crate) mod outbox;
pub(crate) mod read;
pub(crate) mod salvage;
pub(crate) mod stats;
pub(crate) mod wire;
