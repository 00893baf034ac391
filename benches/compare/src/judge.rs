//! Owns the verdict on delivery: which updates came late, never, twice or out of order. Knows no client and no protocol.
//!
//! The server counts every call's updates 1, 2, 3, up to n, so the value of an update is its place in the order. A client that merges
//! updates says how many each one stands for; a client that does not merge passes 1.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

/// What one call has seen. Every client is judged through the same few relaxed atomics: two plain stores per update where the client
/// hands updates over one at a time, two read-modify-writes where its handlers run concurrently.
#[derive(Debug, Default)]
struct Slot {
    largest: AtomicU64,
    covered: AtomicU64,
    handed: AtomicU64,
    late: AtomicU64,
    reordered: AtomicU64,
    expected: AtomicU64,
    resolved: AtomicBool,
}

/// One slot per call of a run, laid out before the run so that judging allocates nothing.
#[derive(Debug)]
pub struct Book {
    slots: Box<[Slot]>,
    strangers: AtomicU64,
}

/// The sum over all calls of a run.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Updates handed to the consumer, merged ones counting once.
    pub handed: u64,
    /// Updates handed over after their call had resolved.
    pub late: u64,
    /// Updates never handed over, neither by themselves nor merged into another one.
    pub lost: u64,
    /// Updates handed over after one with an equal or larger value.
    pub reordered: u64,
    /// Updates handed over beyond those that were sent, or that belong to no call.
    pub surplus: u64,
}

impl Verdict {
    /// Whether every update arrived once, in order and before its result.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.late == 0 && self.lost == 0 && self.reordered == 0 && self.surplus == 0
    }

    /// What has been added since an earlier verdict. What was missing then may have come since; then nothing is missing.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            handed: self.handed - earlier.handed,
            late: self.late - earlier.late,
            lost: self.lost.saturating_sub(earlier.lost),
            reordered: self.reordered - earlier.reordered,
            surplus: self.surplus - earlier.surplus,
        }
    }
}

impl Book {
    /// A book for this many calls.
    #[must_use]
    pub fn new(calls: usize) -> Self {
        Self {
            slots: (0..calls).map(|_| Slot::default()).collect(),
            strangers: AtomicU64::new(0),
        }
    }

    /// An update was handed over, by the only task that hands over updates of this call.
    pub fn seen(&self, slot: u64, progress: f64, stands_for: u64) {
        let Some(slot) = self.slot(slot) else { return };
        let value = progress as u64;
        slot.covered
            .store(slot.covered.load(Relaxed) + stands_for, Relaxed);
        slot.handed.store(slot.handed.load(Relaxed) + 1, Relaxed);
        if value > slot.largest.load(Relaxed) {
            slot.largest.store(value, Relaxed);
        } else {
            slot.reordered.fetch_add(stands_for, Relaxed);
        }
        if slot.resolved.load(Relaxed) {
            slot.late.fetch_add(stands_for, Relaxed);
        }
    }

    /// An update was handed over, maybe at the same time as another one of the same call.
    pub fn seen_concurrently(&self, slot: u64, progress: f64, stands_for: u64) {
        let Some(slot) = self.slot(slot) else { return };
        let value = progress as u64;
        slot.covered.fetch_add(stands_for, Relaxed);
        slot.handed.fetch_add(1, Relaxed);
        if slot.largest.fetch_max(value, Relaxed) >= value {
            slot.reordered.fetch_add(stands_for, Relaxed);
        }
        if slot.resolved.load(Relaxed) {
            slot.late.fetch_add(stands_for, Relaxed);
        }
    }

    /// The call's result reached the caller; `expected` updates were sent before it.
    pub fn resolved(&self, slot: u64, expected: u64) {
        let Some(slot) = self.slot(slot) else { return };
        slot.expected.store(expected, Relaxed);
        slot.resolved.store(true, Relaxed);
    }

    /// How many updates have been accounted for so far, over all calls.
    #[must_use]
    pub fn covered(&self) -> u64 {
        self.slots
            .iter()
            .map(|slot| slot.covered.load(Relaxed))
            .sum()
    }

    /// The verdict so far. Calls that have not resolved miss nothing yet.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let mut sum = Verdict {
            surplus: self.strangers.load(Relaxed),
            ..Verdict::default()
        };
        for slot in &self.slots {
            sum.handed += slot.handed.load(Relaxed);
            sum.late += slot.late.load(Relaxed);
            sum.reordered += slot.reordered.load(Relaxed);
            if slot.resolved.load(Relaxed) {
                let (expected, covered) = (slot.expected.load(Relaxed), slot.covered.load(Relaxed));
                sum.lost += expected.saturating_sub(covered);
                sum.surplus += covered.saturating_sub(expected);
            }
        }
        sum
    }

    /// Waits for stragglers, so that what is merely late is not called lost: until nothing is missing, or nothing has come for 300 ms.
    pub async fn settle(&self) -> Verdict {
        let mut covered = self.covered();
        let mut moved = Instant::now();
        loop {
            let verdict = self.verdict();
            if verdict.lost == 0 || moved.elapsed() > Duration::from_millis(300) {
                return verdict;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now_covered = self.covered();
            if now_covered != covered {
                covered = now_covered;
                moved = Instant::now();
            }
        }
    }

    fn slot(&self, slot: u64) -> Option<&Slot> {
        let found = usize::try_from(slot)
            .ok()
            .and_then(|slot| self.slots.get(slot));
        if found.is_none() {
            self.strangers.fetch_add(1, Relaxed);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orderly_call_is_clean() {
        let book = Book::new(1);
        for value in 1..=5 {
            book.seen(0, f64::from(value), 1);
        }
        book.resolved(0, 5);
        assert!(book.verdict().is_clean());
        assert_eq!(book.verdict().handed, 5);
    }

    #[test]
    fn a_merged_update_covers_those_it_stands_for() {
        let book = Book::new(1);
        book.seen(0, 1.0, 1);
        book.seen(0, 5.0, 4);
        book.resolved(0, 5);
        assert!(book.verdict().is_clean());
        assert_eq!(book.verdict().handed, 2);
    }

    #[test]
    fn late_lost_and_reordered_are_told_apart() {
        for concurrently in [false, true] {
            let book = Book::new(1);
            let seen = |value| match concurrently {
                true => book.seen_concurrently(0, value, 1),
                false => book.seen(0, value, 1),
            };
            seen(2.0);
            seen(1.0);
            book.resolved(0, 4);
            assert_eq!(
                book.verdict(),
                Verdict {
                    handed: 2,
                    late: 0,
                    lost: 2,
                    reordered: 1,
                    surplus: 0
                }
            );
            seen(3.0);
            assert_eq!(
                book.verdict(),
                Verdict {
                    handed: 3,
                    late: 1,
                    lost: 1,
                    reordered: 1,
                    surplus: 0
                }
            );
        }
    }

    #[test]
    fn what_nobody_sent_is_surplus() {
        let book = Book::new(1);
        book.seen(0, 1.0, 1);
        book.seen(0, 2.0, 2);
        book.seen(7, 1.0, 1);
        book.resolved(0, 2);
        assert_eq!(book.verdict().surplus, 2);
        assert!(!book.verdict().is_clean());
    }
}
