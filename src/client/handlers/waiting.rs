//! How long handlers of the server's requests have been at work.
//!
//! Owns the pauses of one connection: while a human is asked, no call is silent. Time is an argument, but for the end of
//! a guard. It must not know calls, handlers or timers: whoever has a clock looks here again when its timer fires.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::client::clock;
use crate::sync::{Arc, Mutex};

/// How many pauses are remembered one by one. Beyond that the two oldest are taken for one with the time between them,
/// so that a call which has been silent for all of it waits longer rather than ends too early.
const REMEMBERED: usize = 64;

/// The times at which at least one handler of a connection was at work.
///
/// On a byte stream a request of the server names no call, so that a pause counts for every call of the connection.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How many handlers are at work, and since when there is one.
    working: usize,
    since: Option<Instant>,
    /// Pauses that are over, one after the other: when they began and when they ended.
    past: VecDeque<(Instant, Instant)>,
}

/// A handler at work, until this is dropped.
#[derive(Debug)]
#[must_use = "the pause ends when this is dropped"]
pub(crate) struct Pause(Arc<Waiting>);

impl Waiting {
    /// A handler begins.
    pub(crate) fn begin(self: &Arc<Self>, now: Instant) -> Pause {
        let mut state = self.0.lock();
        state.working += 1;
        state.since.get_or_insert(now);
        drop(state);
        Pause(self.clone())
    }

    /// Whether a handler is at work.
    pub(crate) fn is_paused(&self) -> bool {
        self.0.lock().working > 0
    }

    /// For how long of the time from `start` to `now` at least one handler was at work.
    pub(crate) fn paused_since(&self, start: Instant, now: Instant) -> Duration {
        let state = self.0.lock();
        let within = |begun: Instant, ended: Instant| {
            ended.min(now).saturating_duration_since(begun.max(start))
        };
        let running = state.since.map(|since| within(since, now));
        let mut paused = running.unwrap_or_default();
        // From the newest back: most calls have heard something since the last pause.
        for (begun, ended) in state.past.iter().rev() {
            if *ended <= start {
                break;
            }
            paused += within(*begun, *ended);
        }
        paused
    }

    fn end(&self, now: Instant) {
        let mut state = self.0.lock();
        state.working -= 1;
        if state.working > 0 {
            return;
        }
        let Some(since) = state.since.take() else {
            return;
        };
        let ended = now.max(since);
        state.past.push_back((since, ended));
        if state.past.len() > REMEMBERED
            && let Some((begun, _)) = state.past.pop_front()
            && let Some(oldest) = state.past.front_mut()
        {
            oldest.0 = begun;
        }
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        self.0.end(clock::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// A handler from one second to another. The guard itself would read the clock.
    fn work(waiting: &Arc<Waiting>, start: Instant, from: u32, to: u32) {
        std::mem::forget(waiting.begin(start + SECOND * from));
        waiting.end(start + SECOND * to);
    }

    #[test]
    fn time_at_work_is_counted_once_and_by_when_it_was() {
        let start = clock::now();
        let at = |seconds: u32| start + SECOND * seconds;
        let waiting = Arc::new(Waiting::default());
        assert!(!waiting.is_paused());
        assert_eq!(waiting.paused_since(start, at(9)), Duration::ZERO);

        work(&waiting, start, 10, 20);
        // Two that overlap: from 30 to 50.
        std::mem::forget(waiting.begin(at(30)));
        std::mem::forget(waiting.begin(at(35)));
        waiting.end(at(40));
        assert!(waiting.is_paused());
        assert_eq!(waiting.paused_since(start, at(45)), SECOND * 25);
        assert_eq!(waiting.paused_since(at(33), at(45)), SECOND * 12);
        waiting.end(at(50));
        assert!(!waiting.is_paused());

        for (from, paused) in [
            (0, 30),
            (15, 25),
            (20, 20),
            (25, 20),
            (45, 5),
            (50, 0),
            (60, 0),
        ] {
            assert_eq!(
                waiting.paused_since(at(from), at(90)),
                SECOND * paused,
                "since {from}"
            );
        }
        // A look that is late by the clock of another thread.
        assert_eq!(waiting.paused_since(at(5), at(15)), SECOND * 5);
    }

    #[test]
    fn many_pauses_are_remembered_in_bounded_memory_and_err_towards_waiting() {
        let start = clock::now();
        let waiting = Arc::new(Waiting::default());
        let many = 1_000;
        for n in 0..many {
            work(&waiting, start, 2 * n, 2 * n + 1);
        }
        assert_eq!(waiting.0.lock().past.len(), REMEMBERED);
        let end = start + SECOND * (2 * many);
        let recent = start + SECOND * (2 * many - 20);
        assert_eq!(waiting.paused_since(recent, end), SECOND * 10);
        assert!(waiting.paused_since(start, end) >= SECOND * many);
    }

    #[tokio::test(start_paused = true)]
    async fn a_guard_ends_its_pause_when_it_is_dropped() {
        let waiting = Arc::new(Waiting::default());
        let start = clock::now();
        let pause = waiting.begin(start);
        tokio::time::advance(SECOND * 7).await;
        assert!(waiting.is_paused());
        drop(pause);
        assert!(!waiting.is_paused());
        tokio::time::advance(SECOND * 5).await;
        assert_eq!(waiting.paused_since(start, clock::now()), SECOND * 7);
    }
}
