//! A request in flight, as the session sees it.
//!
//! Owns what ties an id to its slot. It must not know how the request is written or awaited.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Instant;

use super::feed::Feed;
use super::notification::Notification;
use crate::error::Context;
use crate::progress::slot::Slot;
use crate::sync::{Arc, AtomicBool};

#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) id: i64,
    pub(crate) method: Cow<'static, str>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) started: Instant,
    pub(crate) kind: Kind,
    /// Whether the token is in the registry and on the wire.
    pub(crate) tracked: bool,
    /// Its place in the outbox, set once it has one.
    pub(crate) order: OnceLock<u64>,
    /// Whether the server was told to stop: once at most.
    pub(crate) told: AtomicBool,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Call,
    /// `initialize` and the probe, which are never cancelled.
    Negotiation,
    /// `subscriptions/listen`, with the notifications that name it.
    Listen(Arc<Feed<Notification>>),
}

impl Flight {
    /// What an error about this request says.
    pub(crate) fn context(&self, now: Instant) -> Context {
        Context {
            method: Some(self.method.as_ref().into()),
            id: Some(self.id),
            token: self.tracked.then(|| self.slot.token().clone()),
            elapsed: Some(now.saturating_duration_since(self.started)),
            last_update: self.slot.last(),
        }
    }
}
