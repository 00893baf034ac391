//! Receiving progress: tokens, mailboxes, slots, the registry and its streams.
//!
//! Owns promises 1 to 4 and half of 6: order, delivery before the result, isolation, bounds. It must not know
//! requests, transports, tasks or clocks: time is an argument, waking is `std::task`.

pub(crate) mod audience;
pub(crate) mod callback;
pub(crate) mod combine;
pub(crate) mod delivery;
pub(crate) mod end;
pub(crate) mod group;
pub(crate) mod inbox;
pub(crate) mod legs;
pub(crate) mod mailbox;
pub(crate) mod membership;
pub(crate) mod phase;
pub(crate) mod registry;
pub(crate) mod signs;
pub(crate) mod slot;
pub(crate) mod subscriber;
pub(crate) mod tally;
pub(crate) mod tokens;
pub(crate) mod updates;
pub(crate) mod wakers;
pub(crate) mod watched;
