//! One of a token's subscribers.
//!
//! Owns its mailbox and how it learns of updates. It must not know the slot that fills it.

use std::task::Waker;

use super::callback::CallbackCell;
use super::mailbox::Mailbox;
use crate::sync::Arc;

#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) key: u32,
    pub(super) mailbox: Mailbox,
    pub(super) kind: SubscriberKind,
}

#[derive(Debug)]
pub(super) enum SubscriberKind {
    /// Read by whoever holds it, and woken by its own waker.
    Stream(Option<Waker>),
    /// Run by the call that carries the token, which is woken in its place.
    Callback(Arc<CallbackCell>),
}

impl Subscriber {
    pub(super) const fn is_callback(&self) -> bool {
        matches!(self.kind, SubscriberKind::Callback(_))
    }
}
