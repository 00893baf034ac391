//! The public registry of progress tokens.
//!
//! Owns subscribing by token, from anywhere. It must not know requests, ids or transports.

use std::fmt;

use super::callback::{BoxedCallback, CallbackCell};
use super::mailbox::Overflow;
use super::membership::Membership;
use super::phase::Phase;
use super::slot::Slot;
use super::subscriber::SubscriberKind;
use super::tokens::Tokens;
use super::updates::Updates;
use crate::model::progress::Progress;
use crate::model::token::ProgressToken;
use crate::sync::Arc;

/// Who listens to which progress token.
///
/// A cheap handle to a client's registry ([`Client::progress`](crate::Client::progress)), usable from any thread,
/// with or without a runtime. A token is *free* until a call carries it (subscribers wait), *live* while that
/// call runs, and *finished* afterwards: every stream yields what it holds, then ends and tells why. Subscribing
/// to a finished token gives a stream that ends at once.
///
/// A token may have several subscribers; one that comes late first gets the last value.
///
/// Who runs what: callbacks of a token run in the future of the call that carries it, which resolves only after
/// they have run for every earlier update. A stream fills its own mailbox, is read by whoever holds it, and is
/// never waited for.
#[derive(Clone, Debug)]
pub struct ProgressRegistry(Arc<Tokens>);

impl ProgressRegistry {
    pub(crate) fn new() -> Self {
        Self(Arc::default())
    }

    /// Calls `callback` for every update of `token`, until the guard is dropped or the token is finished.
    ///
    /// The callback runs in the future of the call that carries the token, so it delays that call while it works
    /// and must not block its thread for long. Until there is such a call, updates wait. After the guard is
    /// dropped no invocation starts; one may still be running on another thread.
    pub fn register<F>(&self, token: &ProgressToken, callback: F) -> Registration
    where
        F: FnMut(Progress) + Send + 'static,
    {
        self.register_boxed(token, Box::new(callback), Overflow::default())
    }

    /// As [`register`](Self::register), with another overflow policy.
    pub fn register_with<F>(
        &self,
        token: &ProgressToken,
        overflow: Overflow,
        callback: F,
    ) -> Registration
    where
        F: FnMut(Progress) + Send + 'static,
    {
        self.register_boxed(token, Box::new(callback), overflow)
    }

    fn register_boxed(
        &self,
        token: &ProgressToken,
        callback: BoxedCallback,
        overflow: Overflow,
    ) -> Registration {
        let cell = Arc::new(CallbackCell::new(callback));
        let joined = self.0.join(token, |slot| {
            slot.join(overflow, SubscriberKind::Callback(cell.clone()))
        });
        let membership = joined.ok().map(|(slot, key)| {
            slot.wake();
            Membership {
                tokens: self.0.clone(),
                slot,
                key,
            }
        });
        Registration {
            cell,
            _membership: membership,
        }
    }

    /// A stream of the updates of `token`. It waits for a call to carry the token where none does yet.
    #[must_use = "the stream unsubscribes when dropped"]
    pub fn subscribe(&self, token: &ProgressToken) -> Updates {
        self.subscribe_with(token, Overflow::default())
    }

    /// As [`subscribe`](Self::subscribe), with another overflow policy.
    #[must_use = "the stream unsubscribes when dropped"]
    pub fn subscribe_with(&self, token: &ProgressToken, overflow: Overflow) -> Updates {
        match self.0.join(token, |slot| {
            slot.join(overflow, SubscriberKind::Stream(None))
        }) {
            Ok((slot, key)) => Updates::of(Membership {
                tokens: self.0.clone(),
                slot,
                key,
            }),
            Err(end) => Updates::ended(token.clone(), end),
        }
    }

    /// A stream of the updates of `token`, if a call carries it now; it never waits for one.
    #[must_use]
    pub fn get(&self, token: &ProgressToken) -> Option<Updates> {
        // A call claims its token under the same shard lock, so that the stream joins it or comes too early.
        let joined = self.0.with_slot(token, |slot| {
            (slot.phase() != Phase::Free).then(|| self.stream_of(slot))
        });
        joined.flatten()
    }

    /// One more stream of a slot that a call holds, be its token in the table or not.
    pub(crate) fn stream_of(&self, slot: &Arc<Slot>) -> Updates {
        Updates::of(Membership {
            tokens: self.0.clone(),
            slot: slot.clone(),
            key: slot.join(Overflow::default(), SubscriberKind::Stream(None)),
        })
    }

    /// Ends every subscription of `token`: streams end as [`StreamEnd::Unregistered`](crate::StreamEnd::Unregistered), callbacks do not start
    /// again. A call that carries the token goes on. Returns whether the token was known.
    pub fn unregister(&self, token: &ProgressToken) -> bool {
        let Some(slot) = self.0.with_slot(token, Arc::clone) else {
            return false;
        };
        if slot.leave_all() {
            self.0.vacate(&slot);
        }
        true
    }

    /// How many tokens are live or waited for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no token is live or waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn tokens(&self) -> &Arc<Tokens> {
        &self.0
    }
}

/// Keeps a registered callback alive; dropping it unregisters.
///
/// Dropping is synchronous and needs no runtime, also from inside the callback.
#[must_use = "the callback is unregistered when this is dropped"]
pub struct Registration {
    cell: Arc<CallbackCell>,
    /// None where the token was finished already.
    _membership: Option<Membership>,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.cell.end();
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").finish_non_exhaustive()
    }
}
