//! When to ask for a task's state.
//!
//! Owns the pace: the server's interval and jitter on top of it, the task's time to live, patience after failures. A pure
//! state machine: time and chance are arguments. It must not know requests.

use std::time::{Duration, Instant};

/// How long to wait where the server does not say.
const DEFAULT: Duration = Duration::from_secs(1);
/// A server that wants to be asked more often is asked so often.
const SHORTEST: Duration = Duration::from_millis(20);
/// And never more seldom than this, whatever it says: an answer must be found in sensible time.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// Where the server tells of changes by itself, it is asked only to be sure.
const ASSURANCE: Duration = Duration::from_secs(30);
/// The wait after a first failure; it doubles from there on, up to this many times.
const AFTER_FAILURE: Duration = Duration::from_millis(250);
const DOUBLINGS: u32 = 6;

#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    /// When the server may forget the task.
    expires: Option<Instant>,
    born: Instant,
    failures: u32,
    /// Whether the server tells of changes by itself.
    told: bool,
}

impl Pace {
    /// For a task that was created at `born`.
    pub(super) const fn new(born: Instant) -> Self {
        Self {
            interval: DEFAULT,
            expires: None,
            born,
            failures: 0,
            told: false,
        }
    }

    /// What the server says of it; both may change while the task lives.
    pub(super) fn set(&mut self, interval: Option<Duration>, ttl: Option<Duration>) {
        if let Some(interval) = interval {
            self.interval = interval.clamp(SHORTEST, LONGEST);
        }
        self.expires = ttl.and_then(|ttl| self.born.checked_add(ttl));
    }

    pub(super) const fn set_told(&mut self, told: bool) {
        self.told = told;
    }

    pub(super) const fn failed(&mut self) -> u32 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    pub(super) const fn is_failing(&self) -> bool {
        self.failures > 0
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// Whether the server may have forgotten the task by now.
    pub(super) fn is_expired(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| now >= expires)
    }

    /// When to ask next; `chance` lies between 0 and 1. Never sooner than the server wants, but for a task that would
    /// expire before that.
    pub(super) fn next(&self, now: Instant, chance: f64) -> Instant {
        let mut wait = self.interval;
        if self.told {
            wait = wait.max(ASSURANCE);
        }
        if self.failures > 0 {
            wait = wait.max(AFTER_FAILURE * 2u32.pow((self.failures - 1).min(DOUBLINGS)));
        }
        wait = wait.saturating_add(wait.mul_f64(0.2 * chance.clamp(0.0, 1.0)));
        let left = self
            .expires
            .map(|expires| expires.saturating_duration_since(now))
            .filter(|left| !left.is_zero());
        if let Some(left) = left.filter(|left| *left <= wait) {
            wait = (left / 2).max(SHORTEST);
        }
        now.checked_add(wait).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::clock;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_interval_of_the_server_is_kept_and_stretched_by_chance() {
        let now = clock::now();
        let mut pace = Pace::new(now);
        assert_eq!(pace.next(now, 0.0), now + DEFAULT);
        for (interval, chance, wait) in [
            (Some(100 * MS), 0.0, 100 * MS),
            (Some(100 * MS), 0.5, 110 * MS),
            (Some(100 * MS), 1.0, 120 * MS),
            (Some(Duration::ZERO), 0.0, SHORTEST),
            (Some(Duration::MAX), 0.0, LONGEST),
            // It is not said again: the last word counts.
            (None, 0.0, LONGEST),
        ] {
            pace.set(interval, None);
            assert_eq!(pace.next(now, chance), now + wait, "{interval:?}");
        }
    }

    #[test]
    fn a_task_that_expires_soon_is_asked_for_before() {
        let now = clock::now();
        let mut pace = Pace::new(now);
        pace.set(Some(1000 * MS), Some(600 * MS));
        assert_eq!(pace.next(now, 0.0), now + 300 * MS);
        assert!(!pace.is_expired(now + 599 * MS));
        assert!(pace.is_expired(now + 600 * MS));
        // The server may prolong it, or lift the limit.
        pace.set(None, Some(60_000 * MS));
        assert_eq!(pace.next(now, 0.0), now + 1000 * MS);
        pace.set(None, None);
        assert!(!pace.is_expired(now + 999_999 * MS));
    }

    #[test]
    fn failures_make_it_wait_and_a_success_forgets_them() {
        let now = clock::now();
        let mut pace = Pace::new(now);
        pace.set(Some(100 * MS), None);
        let mut waits = Vec::new();
        for _ in 0..9 {
            pace.failed();
            waits.push(pace.next(now, 0.0) - now);
        }
        assert_eq!(waits[..4], [250 * MS, 500 * MS, 1000 * MS, 2000 * MS]);
        assert_eq!(waits[8], 16_000 * MS);
        pace.succeeded();
        assert_eq!(pace.next(now, 0.0), now + 100 * MS);
    }

    #[test]
    fn a_server_that_tells_by_itself_is_asked_seldom() {
        let now = clock::now();
        let mut pace = Pace::new(now);
        pace.set(Some(100 * MS), None);
        pace.set_told(true);
        assert_eq!(pace.next(now, 0.0), now + ASSURANCE);
        pace.set_told(false);
        assert_eq!(pace.next(now, 0.0), now + 100 * MS);
    }
}
