//! The concurrent registry of progress tokens, public face and table.
//!
//! Owns which token is live, who made an entry and who vacates it, and the ring of retired tokens. It must not
//! know requests, ids or transports.

use std::collections::VecDeque;
use std::fmt;

use super::callback::{BoxedCallback, CallbackCell};
use super::end::StreamEnd;
use super::mailbox::Overflow;
use super::slot::{Phase, Slot};
use super::updates::Updates;
use crate::jsonrpc::Key;
use crate::model::progress::Progress;
use crate::model::token::ProgressToken;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering, Table};

/// How many finished tokens are remembered, to tell a late update from a foreign one.
const RETIRED: usize = 1024;

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
pub struct ProgressRegistry(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    /// Strings and integers are keyed apart, so that a borrowed string is looked up without allocating.
    strings: Table<Arc<str>, Arc<Slot>>,
    integers: Table<i64, Arc<Slot>>,
    retired: Mutex<VecDeque<(ProgressToken, StreamEnd)>>,
    closed: AtomicBool,
}

impl ProgressRegistry {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Shared {
            strings: Table::new(),
            integers: Table::new(),
            retired: Mutex::new(VecDeque::new()),
            closed: AtomicBool::new(false),
        }))
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
        let joined = self
            .0
            .join(token, |slot| slot.join_callback(overflow, cell.clone()));
        let membership = joined.ok().map(|(slot, key)| {
            slot.wake();
            Membership {
                registry: self.0.clone(),
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
        match self.0.join(token, |slot| slot.join_stream(overflow)) {
            Ok((slot, key)) => Updates::of(Membership {
                registry: self.0.clone(),
                slot,
                key,
            }),
            Err(end) => Updates::ended(token.clone(), end),
        }
    }

    /// A stream of the updates of `token`, if a call or a subscriber has it now; it never waits for one.
    #[must_use]
    pub fn get(&self, token: &ProgressToken) -> Option<Updates> {
        let (slot, key) = self.0.with_slot(token, |slot| {
            (slot.clone(), slot.join_stream(Overflow::default()))
        })?;
        Some(Updates::of(Membership {
            registry: self.0.clone(),
            slot,
            key,
        }))
    }

    /// Ends every subscription of `token`: streams end as [`StreamEnd::Unregistered`], callbacks do not start
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
        self.0.strings.len() + self.0.integers.len()
    }

    /// Whether no token is live or waited for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.0
    }
}

/// The token is carried by another call in flight.
#[derive(Debug)]
pub(crate) struct Duplicate;

impl Shared {
    /// Finds the slot of a token as it stands on the wire.
    pub(crate) fn lookup(&self, key: &Key<'_>) -> Option<Arc<Slot>> {
        match key {
            Key::String(text) => self.strings.get_with(&**text, Arc::clone),
            Key::Number(number) => self.integers.get_with(number, Arc::clone),
        }
    }

    /// Whether a call with this token was in flight not long ago.
    pub(crate) fn is_retired(&self, key: &Key<'_>) -> bool {
        self.retired
            .lock()
            .iter()
            .any(|(token, _)| token.matches(key))
    }

    /// Makes `token` live for a call.
    pub(crate) fn claim(
        &self,
        token: &ProgressToken,
        own: Option<Overflow>,
    ) -> Result<Arc<Slot>, Duplicate> {
        let made = Arc::new(Slot::new(token.clone(), Phase::Queued, own));
        let insert = || Some(made.clone());
        // Claimed under the shard lock: a waiting slot could be vacated between being found and being claimed.
        let claim =
            |slot: &Arc<Slot>| (Arc::ptr_eq(slot, &made) || slot.claim(own)).then(|| slot.clone());
        self.entry(token, insert, claim).flatten().ok_or(Duplicate)
    }

    /// Takes a call's token out of the table and remembers it as finished.
    pub(crate) fn retire(&self, slot: &Arc<Slot>, end: StreamEnd) {
        // The ring first: whoever misses the table must find the token here.
        let forgotten = {
            let mut retired = self.retired.lock();
            retired.push_back((slot.token().clone(), end));
            if retired.len() > RETIRED {
                retired.pop_front()
            } else {
                None
            }
        };
        drop(forgotten);
        self.remove(slot, |_| true);
    }

    /// Removes the entry of a slot that nobody holds any more.
    fn vacate(&self, slot: &Arc<Slot>) {
        // Checked again under the shard lock, under which subscribers join: one may just have come.
        self.remove(slot, Slot::is_vacant);
    }

    fn remove(&self, slot: &Arc<Slot>, condition: impl Fn(&Slot) -> bool) {
        let same = |entry: &Arc<Slot>| Arc::ptr_eq(entry, slot) && condition(entry);
        let removed = match (slot.token().as_str(), slot.token().as_integer()) {
            (Some(text), _) => self.strings.remove_if(text, same),
            (_, Some(number)) => self.integers.remove_if(&number, same),
            (None, None) => None,
        };
        drop(removed);
    }

    /// No call comes any more: whoever waits for one is told, and later subscribers at once.
    pub(crate) fn close(&self) {
        // Set, then drained: a subscriber that saw it unset is in the table by now.
        self.closed.store(true, Ordering::SeqCst);
        for slot in self
            .strings
            .values()
            .into_iter()
            .chain(self.integers.values())
        {
            if slot.kill_waiting(StreamEnd::Disconnected) {
                self.retire(&slot, StreamEnd::Disconnected);
            }
        }
    }

    fn join(
        &self,
        token: &ProgressToken,
        join: impl FnOnce(&Slot) -> u32,
    ) -> Result<(Arc<Slot>, u32), StreamEnd> {
        let mut refused = StreamEnd::Disconnected;
        let make = || {
            if self.closed.load(Ordering::SeqCst) {
                return None;
            }
            let retired = self.retired.lock();
            if let Some((_, end)) = retired.iter().rev().find(|(retired, _)| retired == token) {
                refused = *end;
                return None;
            }
            Some(Arc::new(Slot::new(token.clone(), Phase::Free, None)))
        };
        // Joined under the shard lock, under which entries are vacated too.
        let joined = self.entry(token, make, |slot| (slot.clone(), join(slot)));
        joined.ok_or(refused)
    }

    fn entry<R>(
        &self,
        token: &ProgressToken,
        make: impl FnOnce() -> Option<Arc<Slot>>,
        f: impl FnOnce(&Arc<Slot>) -> R,
    ) -> Option<R> {
        match (token.shared_str(), token.as_integer()) {
            (Some(text), _) => self.strings.get_or_insert_with(text.clone(), make, f),
            (_, Some(number)) => self.integers.get_or_insert_with(number, make, f),
            (None, None) => None,
        }
    }

    fn with_slot<R>(&self, token: &ProgressToken, f: impl FnOnce(&Arc<Slot>) -> R) -> Option<R> {
        match (token.as_str(), token.as_integer()) {
            (Some(text), _) => self.strings.get_with(text, f),
            (_, Some(number)) => self.integers.get_with(&number, f),
            (None, None) => None,
        }
    }
}

/// A subscriber's place in a slot, given up on drop.
#[derive(Debug)]
pub(crate) struct Membership {
    registry: Arc<Shared>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) key: u32,
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.slot.leave(self.key) {
            self.registry.vacate(&self.slot);
        }
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
