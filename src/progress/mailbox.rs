//! A subscriber's queue of updates, and what happens when it is full.
//!
//! Owns the overflow policies. It must not know locks, wakers or tokens.

use std::collections::VecDeque;

use crate::model::progress::Update;

/// How many updates the default policy keeps.
const DEFAULT_UPDATES: usize = 1024;

/// How many bytes the default policy and [`Overflow::Buffer`] keep.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a subscription does with updates that are not taken in time.
///
/// Under every policy the newest update is kept, and says how many it stands for
/// ([`Progress::merged`](crate::Progress::merged)). A consumer that merely does its work when scheduled never sees
/// a merge under the default, `Buffer(1024)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// Keep only the newest update: right for a bar that draws the current state.
    Latest,
    /// Keep this many updates, and no more than 256 KiB of them; then merge into the newest.
    Buffer(usize),
    /// Keep this many updates whatever their size (at most 64 KiB of text each); then merge into the newest.
    Lossless {
        /// How many.
        up_to: usize,
    },
}

impl Overflow {
    const fn limits(self) -> (usize, usize) {
        match self {
            Self::Latest => (1, usize::MAX),
            Self::Buffer(updates) => (updates, BUFFER_BYTES),
            Self::Lossless { up_to } => (up_to, usize::MAX),
        }
    }
}

impl Default for Overflow {
    fn default() -> Self {
        Self::Buffer(DEFAULT_UPDATES)
    }
}

/// The queue.
#[derive(Debug)]
pub(crate) struct Mailbox {
    queue: VecDeque<Update>,
    bytes: usize,
    overflow: Overflow,
}

impl Mailbox {
    pub(crate) const fn new(overflow: Overflow) -> Self {
        Self {
            queue: VecDeque::new(),
            bytes: 0,
            overflow,
        }
    }

    pub(crate) fn push(&mut self, mut update: Update) {
        let (max_updates, max_bytes) = self.overflow.limits();
        let size = update.bytes();
        let full = self.queue.len() >= max_updates.max(1) || self.bytes + size > max_bytes;
        if full && let Some(newest) = self.queue.back_mut() {
            self.bytes -= newest.bytes();
            absorb(&mut update, newest);
            *newest = update;
        } else {
            self.queue.push_back(update);
        }
        self.bytes += size;
    }

    /// Whether a quarter of the room is taken, where there is room at all.
    pub(crate) fn is_crowded(&self) -> bool {
        let (max_updates, max_bytes) = self.overflow.limits();
        max_updates > 1 && (self.queue.len() >= max_updates / 4 || self.bytes >= max_bytes / 4)
    }

    pub(crate) fn pop(&mut self) -> Option<Update> {
        let update = self.queue.pop_front()?;
        self.bytes -= update.bytes();
        Some(update)
    }

    pub(crate) fn newest(&self) -> Option<&Update> {
        self.queue.back()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    /// Exchanges the queue for `spare`, which must be empty: the whole backlog for one lock.
    pub(crate) fn swap(&mut self, spare: &mut VecDeque<Update>) {
        debug_assert!(
            spare.is_empty(),
            "updates would return to the mailbox behind newer ones"
        );
        // Empty, but it may stand in the middle of its ring: from the start, the same few cache lines serve for ever.
        spare.clear();
        std::mem::swap(&mut self.queue, spare);
        self.bytes = 0;
    }

    /// Merges all that waits into its newest update.
    pub(crate) fn merge(&mut self) {
        merge_all(&mut self.queue);
        self.bytes = self.queue.back().map_or(0, |update| update.bytes());
    }
}

/// Leaves only the newest update of `queue`, standing for all others.
pub(crate) fn merge_all(queue: &mut VecDeque<Update>) {
    if let Some(mut newest) = queue.pop_back() {
        for older in queue.drain(..) {
            absorb(&mut newest, &older);
        }
        queue.push_back(newest);
    }
}

fn absorb(newer: &mut Update, older: &Update) {
    newer.merged += 1 + older.merged;
    // A regress must not vanish because the update that showed it was merged away.
    newer.regressed |= older.regressed;
    // Nor a gap, for the same reason.
    newer.gap |= older.gap;
}
