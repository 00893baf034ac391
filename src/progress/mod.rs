//! Receiving progress: tokens, mailboxes, slots, the registry and its streams.
//!
//! Owns promises 1 to 4 and half of 6: order, delivery before the result, isolation, bounds. It must not know
//! requests, transports, tasks or clocks: time is an argument, waking is `std::task`.

pub(crate) mod callback;
pub(crate) mod end;
pub(crate) mod mailbox;
pub(crate) mod registry;
pub(crate) mod slot;
pub(crate) mod updates;
