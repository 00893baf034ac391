//! How often one update is tried.
//!
//! Owns the count of attempts and the pauses between them. It must not know clocks, chance or the sink: time and the
//! random number are arguments.

use std::ops::RangeInclusive;
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(super) struct Effort {
    attempts: u32,
    again_at: Option<Instant>,
}

impl Effort {
    /// An attempt begins.
    pub(super) const fn begin(&mut self) {
        self.attempts += 1;
        self.again_at = None;
    }

    /// The number of attempts so far.
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Sets the time of the next attempt, `random` (0 to 1) of the way into the range; false where there was the last.
    pub(super) fn retry(
        &mut self,
        limit: u32,
        delay: &RangeInclusive<Duration>,
        random: f64,
        now: Instant,
    ) -> bool {
        if self.attempts >= limit {
            return false;
        }
        let spread = delay.end().saturating_sub(*delay.start());
        let pause = delay.start().saturating_add(spread.mul_f64(random));
        self.again_at = now.checked_add(pause);
        true
    }

    /// When the next attempt is due; none for at once.
    pub(super) const fn again_at(&self) -> Option<Instant> {
        self.again_at
    }

    /// The update is through, or given up, or another one is at stake.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any moment will do")]
    fn pauses_lie_in_the_range_and_end() {
        let now = Instant::now();
        let range = Duration::from_millis(100)..=Duration::from_millis(500);
        let mut effort = Effort::default();
        for (attempt, (random, pause)) in [(0.0, 100), (0.5, 300), (1.0, 500)].iter().enumerate() {
            effort.begin();
            assert_eq!(effort.again_at(), None);
            assert!(effort.retry(4, &range, *random, now));
            let wanted = now + Duration::from_millis(*pause);
            assert_eq!(effort.again_at(), Some(wanted));
            assert_eq!(effort.attempts() as usize, attempt + 1);
        }
        effort.begin();
        assert!(!effort.retry(4, &range, 0.5, now));
    }
}
