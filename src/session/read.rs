//! What a reader takes in before it gives way, and whom it wakes for it.
//!
//! Owns one reading of the clock for each read, and one wake for each touched slot: at once where a response is in,
//! at the end of the reader's turn where there are only updates. It must not know how bytes are read.

use std::time::Instant;

use super::flight::Flight;
use crate::progress::slot::Slot;
use crate::sync::Arc;

/// Whose stream is read.
#[derive(Debug)]
pub(crate) enum Scope {
    /// That of every call.
    Connection,
    /// The response to one request.
    #[cfg(feature = "http")]
    Call {
        flight: Arc<Flight>,
        /// Which of the call's requests it is.
        leg: u32,
        /// Whether all that comes there is about this call, whatever it says (revision 2026-07-28, Streamable HTTP,
        /// "Receiving Messages").
        alone: bool,
    },
}

impl Scope {
    /// The call whose response is read, and whether all is about it.
    pub(super) fn call(&self) -> Option<(&Arc<Flight>, bool)> {
        match self {
            Self::Connection => None,
            #[cfg(feature = "http")]
            Self::Call { flight, alone, .. } => Some((flight, *alone)),
        }
    }

    /// The call whose response is read, unless the response is there already.
    pub(super) fn open_call(&self) -> Option<&Arc<Flight>> {
        match self {
            Self::Connection => None,
            #[cfg(feature = "http")]
            Self::Call { flight, leg, .. } => {
                Some(flight).filter(|flight| !flight.slot.is_past(*leg))
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct Read {
    pub(super) scope: Scope,
    pub(super) now: Instant,
    /// The slot of the last update: a run of updates for one token needs one look-up.
    pub(super) last: Option<Arc<Slot>>,
    updated: Vec<Arc<Slot>>,
    answered: Vec<Arc<Slot>>,
    crowded: bool,
}

impl Read {
    pub(crate) const fn new(now: Instant) -> Self {
        Self::of(Scope::Connection, now)
    }

    pub(crate) const fn of(scope: Scope, now: Instant) -> Self {
        Self {
            scope,
            now,
            last: None,
            updated: Vec::new(),
            answered: Vec::new(),
            crowded: false,
        }
    }

    #[cfg(feature = "http")]
    pub(crate) const fn now(&self) -> Instant {
        self.now
    }

    /// Another read of the same turn.
    pub(crate) fn again(&mut self, now: Instant) {
        self.now = now;
    }

    /// A slot has its first update of this turn.
    pub(super) fn updated(&mut self, slot: Arc<Slot>) {
        self.updated.push(slot);
    }

    /// A slot has its response.
    pub(super) fn answered(&mut self, slot: Arc<Slot>) {
        self.answered.push(slot);
    }

    /// A mailbox fills: its reader should run before it has to merge.
    pub(super) fn crowded(&mut self) {
        self.crowded = true;
    }

    /// Whether the turn should end for the sake of a mailbox.
    pub(crate) const fn is_crowded(&self) -> bool {
        self.crowded
    }

    /// Whether nobody has anything to see.
    #[cfg(feature = "http")]
    pub(crate) const fn is_idle(&self) -> bool {
        self.updated.is_empty() && self.answered.is_empty()
    }

    /// Whether the last update was one for this slot.
    #[cfg(feature = "http")]
    pub(crate) fn is_at(&self, slot: &Arc<Slot>) -> bool {
        self.last
            .as_ref()
            .is_some_and(|last| Arc::ptr_eq(last, slot))
    }

    /// How many calls have had their response since the last of them was woken.
    #[cfg(feature = "http")]
    pub(crate) const fn answers(&self) -> usize {
        self.answered.len()
    }

    /// Wakes the calls that have their response, which should not wait for the end of the turn.
    pub(crate) fn wake_answered(&mut self) {
        for slot in self.answered.drain(..) {
            slot.wake();
        }
    }

    /// Ends the turn: wakes every call that has something to see.
    pub(crate) fn finish(&mut self) {
        self.wake_answered();
        for slot in self.updated.drain(..) {
            slot.wake();
        }
        // A slot is not kept alive for a run of updates that may never go on.
        self.last = None;
        self.crowded = false;
    }
}
