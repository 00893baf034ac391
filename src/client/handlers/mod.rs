//! What this client answers a server that asks: typed handlers, what they are told, and how long they took.
//!
//! Owns nothing itself. It must not know how requests arrive; that is `inbound` beside it.

pub(crate) mod asks;
pub(crate) mod builder;
pub(crate) mod changes;
pub(crate) mod client_handler;
pub(crate) mod context;
pub(crate) mod elicitation;
pub(crate) mod offer;
pub(crate) mod reports;
pub(crate) mod roots;
pub(crate) mod routes;
pub(crate) mod sampling;
pub(crate) mod typed;
pub(crate) mod waiting;
