//! A slot that somebody watches.
//!
//! Owns the way to its numbers and news. It must not know what they are for.

use std::time::Instant;

use super::slot::Slot;
use super::tally::{News, Numbers, Tally};
use crate::sync::{Arc, AtomicU64, Ordering};

impl Slot {
    /// Counts from here on. To be called before the request is queued: what comes earlier is not of this call.
    pub(crate) fn watch(&self, tally: Tally) {
        let _ = self.rejected.set(Arc::default());
        let before = self.state.lock().tally.replace(Box::new(tally));
        drop(before);
    }

    /// Where updates are counted that come too late for this call; none where nobody watches.
    pub(super) fn rejected(&self) -> Option<&Arc<AtomicU64>> {
        self.rejected.get()
    }

    /// One update came too late.
    pub(super) fn reject(&self) {
        if let Some(rejected) = self.rejected() {
            rejected.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The numbers until `now`; none where nobody watches.
    pub(crate) fn numbers(&self, now: Instant) -> Option<Numbers> {
        let state = self.state.lock();
        let mut numbers = state.tally.as_ref()?.numbers(now);
        numbers.legs = state.leg;
        drop(state);
        numbers.rejected = self
            .rejected()
            .map_or(0, |rejected| rejected.load(Ordering::Relaxed));
        Some(numbers)
    }

    /// What is still to be told.
    pub(crate) fn take_news(&self) -> Vec<News> {
        let mut state = self.state.lock();
        state.take_news().unwrap_or_default()
    }
}
