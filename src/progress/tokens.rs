//! The table of live and awaited tokens, and the ring of retired ones.
//!
//! Owns who makes an entry and who vacates it. It must not know what subscribers do with updates, nor requests, ids or
//! transports.

use std::collections::VecDeque;

use super::end::StreamEnd;
use super::mailbox::Overflow;
use super::phase::Phase;
use super::slot::Slot;
use crate::jsonrpc::Key;
use crate::model::token::ProgressToken;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, Table};

/// How many finished tokens are remembered, to tell a late update from a foreign one.
const RETIRED: usize = 1024;

#[derive(Debug)]
pub(crate) struct Tokens {
    /// Strings and integers are keyed apart, so that a borrowed string is looked up without allocating.
    strings: Table<Arc<str>, Arc<Slot>>,
    integers: Table<i64, Arc<Slot>>,
    retired: Mutex<VecDeque<Retired>>,
    closed: AtomicBool,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            strings: Table::new(),
            integers: Table::new(),
            retired: Mutex::new(VecDeque::new()),
            closed: AtomicBool::new(false),
        }
    }
}

/// A token that is over.
#[derive(Debug)]
struct Retired {
    token: ProgressToken,
    end: StreamEnd,
    /// Where late updates of a call are counted that somebody watches.
    rejected: Option<Arc<AtomicU64>>,
}

/// The token is carried by another call in flight.
#[derive(Debug)]
pub(crate) struct Duplicate;

impl Tokens {
    /// Finds the slot of a token as it stands on the wire.
    pub(crate) fn lookup(&self, key: &Key<'_>) -> Option<Arc<Slot>> {
        match key {
            Key::String(text) => self.strings.get_with(&**text, Arc::clone),
            Key::Number(number) => self.integers.get_with(number, Arc::clone),
        }
    }

    /// Whether a call with this token was in flight not long ago.
    pub(crate) fn is_retired(&self, key: &Key<'_>) -> bool {
        // From the newest: what is late is seldom late by much.
        self.retired
            .lock()
            .iter()
            .rev()
            .any(|retired| retired.token.matches(key))
    }

    /// The same for a token whose update has come: where its call is watched, the update is counted there.
    pub(crate) fn is_late(&self, key: &Key<'_>) -> bool {
        let retired = self.retired.lock();
        let mut newest_first = retired.iter().rev();
        let Some(retired) = newest_first.find(|retired| retired.token.matches(key)) else {
            return false;
        };
        if let Some(rejected) = &retired.rejected {
            rejected.fetch_add(1, Ordering::Relaxed);
        }
        true
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
            retired.push_back(Retired {
                token: slot.token().clone(),
                end,
                rejected: slot.rejected().cloned(),
            });
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
    pub(super) fn vacate(&self, slot: &Arc<Slot>) {
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

    /// How many tokens are live or waited for.
    pub(crate) fn len(&self) -> usize {
        self.strings.len() + self.integers.len()
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

    /// Adds a subscriber to a token's slot, making one that waits for its call where there is none. Fails with the way
    /// the token ended where it is finished.
    pub(super) fn join(
        &self,
        token: &ProgressToken,
        join: impl FnOnce(&Slot) -> u32,
    ) -> Result<(Arc<Slot>, u32), StreamEnd> {
        let mut refused = StreamEnd::Disconnected;
        let make = || {
            let retired = self.retired.lock();
            if let Some(retired) = retired.iter().rev().find(|one| one.token == *token) {
                refused = retired.end;
                return None;
            }
            if self.closed.load(Ordering::SeqCst) {
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

    /// Hands the slot of a token that is in the table to `f`, under the shard lock.
    pub(super) fn with_slot<R>(
        &self,
        token: &ProgressToken,
        f: impl FnOnce(&Arc<Slot>) -> R,
    ) -> Option<R> {
        match (token.as_str(), token.as_integer()) {
            (Some(text), _) => self.strings.get_with(text, f),
            (_, Some(number)) => self.integers.get_with(&number, f),
            (None, None) => None,
        }
    }
}
