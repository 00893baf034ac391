//! When the next update may go out.
//!
//! Owns the interval between two updates. It must not know what they say.

use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// The end of the interval behind the last update.
    opens_at: Option<Instant>,
}

impl Pace {
    pub(super) const fn new(interval: Duration) -> Self {
        Self {
            interval,
            opens_at: None,
        }
    }

    /// Whether every update goes out.
    pub(super) const fn is_each(&self) -> bool {
        self.interval.is_zero()
    }

    /// The sink is done with an update.
    ///
    /// Counted from here and not from when it was begun: the peer has it by now, so that the next one reaches it at least
    /// an interval later, however long each of the two took on its way into the sink.
    pub(super) fn sent(&mut self, now: Instant) {
        self.opens_at = if self.is_each() {
            None
        } else {
            now.checked_add(self.interval)
        };
    }

    /// None where the next one may go out at any time.
    pub(super) const fn opens_at(&self) -> Option<Instant> {
        self.opens_at
    }
}
