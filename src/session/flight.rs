//! A request in flight, as the session sees it.
//!
//! Owns what ties an id to its slot. It must not know how the request is written or awaited.

use std::borrow::Cow;
use std::sync::OnceLock;
use std::time::Instant;

use super::feed::Feed;
use super::notification::Notification;
use super::wire::Message;
use crate::error::Context;
use crate::progress::slot::Slot;
use crate::sync::{Arc, AtomicBool, AtomicU64, Ordering};

#[derive(Debug)]
pub(crate) struct Flight {
    /// Of the request that is on the wire now: a call that is sent again gets another.
    id: AtomicU64,
    pub(crate) method: Cow<'static, str>,
    /// The tool, prompt or resource that the request names.
    #[cfg(any(feature = "http", feature = "indicatif"))]
    pub(crate) name: Option<Box<str>>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) started: Instant,
    pub(crate) kind: Kind,
    /// Whether the token is in the registry and on the wire.
    pub(crate) tracked: bool,
    /// Its place in the outbox, once it has one.
    order: AtomicU64,
    /// Whether and how the call goes on after a response.
    pub(super) follow: Follow,
    /// What to send again with more, where the call may go on so.
    pub(crate) base: Option<Box<Message>>,
    /// The task that the call has become.
    pub(crate) task: OnceLock<Box<Created>>,
    /// Whether the server was told to stop: once at most.
    pub(crate) told: AtomicBool,
    /// And to stop the task: once at most, too.
    pub(super) task_told: AtomicBool,
    /// How often the request may still be sent again because the caller allows it,
    #[cfg(feature = "http")]
    reissues: AtomicU64,
    /// and because it does no harm.
    #[cfg(feature = "http")]
    safe_reissues: AtomicU64,
}

/// How often a request that does no harm is sent again.
#[cfg(feature = "http")]
const SAFE_REISSUES: u64 = 3;

/// What a flight begins with.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) follow: Follow,
    pub(super) base: Option<Box<Message>>,

    #[cfg(any(feature = "http", feature = "indicatif"))]
    pub(super) name: Option<Box<str>>,
    pub(super) method: Cow<'static, str>,
    pub(super) slot: Arc<Slot>,
    pub(super) kind: Kind,
    pub(super) tracked: bool,
    #[cfg(feature = "http")]
    pub(super) reissues: u64,
}

/// After which responses a call goes on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Follow {
    /// Those that ask for input (`resultType` is `input_required`).
    pub(crate) input: bool,
    /// Those that create a task of the extension (`resultType` is `task`).
    pub(crate) task: bool,
    /// Those that create a task of revision 2025-11-25, which the request asked for.
    pub(crate) augmented: bool,
}

/// A task, as the server created it.
#[derive(Debug)]
pub(crate) struct Created {
    pub(crate) id: Box<str>,
    /// Its state then, as JSON text.
    pub(crate) state: Box<str>,
    /// Whether that was long ago, and told to another call.
    pub(crate) adopted: bool,
}

/// No place in the outbox.
const NOWHERE: u64 = u64::MAX;

#[derive(Debug)]
pub(crate) enum Kind {
    Call,
    /// `initialize` and the probe, which are never cancelled.
    Negotiation,
    /// Tells the server to stop something; nobody waits for the answer.
    Errand,
    /// `subscriptions/listen`, with the notifications that name it.
    Listen(Arc<Feed<Notification>>),
}

impl Flight {
    pub(super) fn new(id: i64, call: Launch, now: Instant) -> Self {
        Self {
            id: AtomicU64::new(id.cast_unsigned()),
            #[cfg(any(feature = "http", feature = "indicatif"))]
            name: call.name,
            method: call.method,
            slot: call.slot,
            started: now,
            kind: call.kind,
            tracked: call.tracked,
            order: AtomicU64::new(NOWHERE),
            follow: call.follow,
            base: call.base,
            task: OnceLock::new(),
            told: AtomicBool::new(false),
            task_told: AtomicBool::new(false),
            #[cfg(feature = "http")]
            reissues: AtomicU64::new(call.reissues),
            #[cfg(feature = "http")]
            safe_reissues: AtomicU64::new(SAFE_REISSUES),
        }
    }

    pub(crate) fn id(&self) -> i64 {
        self.id.load(Ordering::Relaxed).cast_signed()
    }

    /// What tells it from all others as long as it lives.
    pub(super) fn key(&self) -> usize {
        Arc::as_ptr(&self.slot).addr()
    }

    pub(super) fn set_id(&self, id: i64) {
        self.id.store(id.cast_unsigned(), Ordering::Relaxed);
    }

    /// Where the request waits in the outbox; nothing before it does.
    pub(super) fn order(&self) -> Option<u64> {
        Some(self.order.load(Ordering::Relaxed)).filter(|order| *order != NOWHERE)
    }

    pub(super) fn set_order(&self, order: u64) {
        self.order.store(order, Ordering::Relaxed);
    }

    /// Whether a response may create a task that is not known yet.
    pub(super) fn may_yet_become_task(&self) -> bool {
        (self.follow.task || self.follow.augmented) && self.task.get().is_none()
    }

    /// Whether a response may create a task in revision 2025-11-25, so that it is of interest also after a cancel.
    pub(crate) const fn is_augmented(&self) -> bool {
        self.follow.augmented
    }

    /// Takes one of the reissues that the caller allows; false where none is left.
    #[cfg(feature = "http")]
    pub(crate) fn take_reissue(&self) -> bool {
        take_one(&self.reissues)
    }

    /// As `take_reissue`, for a request that does no harm when it is sent again.
    #[cfg(feature = "http")]
    pub(crate) fn take_safe_reissue(&self) -> bool {
        take_one(&self.safe_reissues)
    }

    /// What an error about this request says.
    pub(crate) fn context(&self, now: Instant) -> Context {
        Context {
            method: Some(self.method.as_ref().into()),
            id: Some(self.id()),
            token: self.tracked.then(|| self.slot.token().clone()),
            elapsed: Some(now.saturating_duration_since(self.started)),
            last_update: self.slot.last(),
        }
    }
}

#[cfg(feature = "http")]
fn take_one(left: &AtomicU64) -> bool {
    let one_less = |left: u64| left.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_ok()
}
