//! No more than so many updates a second.
//!
//! Owns which update goes on at once, which waits, and for how long. It must not know timers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::machine::Machine;
use super::owed::supersede;
use crate::model::progress::{Progress, UpdateKind};

/// Lets one update go on in each interval, the first at once and the last at the end.
#[derive(Debug)]
pub(crate) struct Throttling {
    /// Zero where every update goes on.
    interval: Duration,
    /// When the last one went on.
    went_on: Option<Instant>,
    /// The newest update, where it came too early.
    held: Option<Progress>,
    out: VecDeque<Progress>,
}

impl Throttling {
    pub(crate) fn new(hz: f64) -> Self {
        Self {
            interval: interval(hz),
            went_on: None,
            held: None,
            out: VecDeque::new(),
        }
    }

    fn is_due(&self, now: Instant) -> bool {
        self.went_on
            .is_none_or(|last| now.saturating_duration_since(last) >= self.interval)
    }

    fn release(&mut self, now: Instant) {
        if let Some(held) = self.held.take() {
            self.went_on = Some(now);
            self.out.push_back(held);
        }
    }
}

/// The time between two updates; zero for what is no rate.
fn interval(hz: f64) -> Duration {
    if hz.is_nan() || hz <= 0.0 {
        return Duration::ZERO;
    }
    // Rarer than the longest duration: never by time.
    Duration::try_from_secs_f64(1.0 / hz).unwrap_or(Duration::MAX)
}

impl Machine for Throttling {
    type Item = Progress;

    fn push(&mut self, mut update: Progress, now: Instant) {
        if update.kind != UpdateKind::Progress {
            self.release(now);
            self.out.push_back(update);
            return;
        }
        supersede(&mut self.held, &mut update);
        self.held = Some(update);
        self.tick(now);
    }

    fn tick(&mut self, now: Instant) {
        if self.is_due(now) {
            self.release(now);
        }
    }

    fn finish(&mut self, now: Instant) {
        self.release(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.held.as_ref()?;
        self.went_on?.checked_add(self.interval)
    }

    fn pop(&mut self) -> Option<Progress> {
        self.out.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Throttling, interval};
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{progress, said, start, status};

    /// What happens at a millisecond, and what goes on then.
    enum Event {
        Update(f64),
        Status,
        Tick,
        End,
    }
    use Event::{End, Status, Tick, Update};

    #[track_caller]
    fn play(hz: f64, events: &[(u64, Event, &[&str])]) {
        let begin = start();
        let mut machine = Throttling::new(hz);
        for (row, (at, event, expected)) in events.iter().enumerate() {
            let now = begin + Duration::from_millis(*at);
            match event {
                Update(value) => machine.push(progress(*value), now),
                Status => machine.push(status(TaskStatus::Working, 0.0), now),
                Tick => machine.tick(now),
                End => machine.finish(now),
            }
            let went_on: Vec<_> = std::iter::from_fn(|| machine.pop())
                .map(|update| said(&update))
                .collect();
            assert_eq!(went_on, *expected, "row {row}, at {at} ms");
        }
    }

    #[test]
    fn one_in_each_interval_and_the_first_and_the_last() {
        play(
            10.0,
            &[
                (0, Update(1.0), &["1"]),
                (10, Update(2.0), &[]),
                (20, Update(3.0), &[]),
                (99, Tick, &[]),
                (100, Tick, &["3 +1"]),
                (150, Update(4.0), &[]),
                // The newest, not the one that waited.
                (200, Update(5.0), &["5 +1"]),
                // Quiet for longer than an interval: the next one is not delayed.
                (500, Update(6.0), &["6"]),
                (510, Update(7.0), &[]),
                (520, Update(8.0), &[]),
                (530, End, &["8 +1"]),
            ],
        );
    }

    #[test]
    fn a_status_passes_at_once_behind_what_was_held() {
        play(
            10.0,
            &[
                (0, Status, &["working"]),
                // A status is none of the updates that are counted.
                (1, Update(1.0), &["1"]),
                (2, Update(2.0), &[]),
                (3, Update(3.0), &[]),
                (4, Status, &["3 +1", "working"]),
                (5, Status, &["working"]),
                // The interval begins with what the status pushed out.
                (101, Update(4.0), &[]),
                (103, Tick, &[]),
                (104, Tick, &["4"]),
                (105, End, &[]),
            ],
        );
    }

    #[test]
    fn what_is_no_rate_lets_all_pass() {
        for hz in [0.0, -0.0, -8.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            play(
                hz,
                &[
                    (0, Update(1.0), &["1"]),
                    (0, Update(2.0), &["2"]),
                    (0, End, &[]),
                ],
            );
        }
    }

    #[test]
    fn a_rate_of_almost_nothing_keeps_the_first_and_the_last() {
        for hz in [1e-12, f64::MIN_POSITIVE, 5e-324] {
            play(
                hz,
                &[
                    (0, Update(1.0), &["1"]),
                    (1_000_000, Update(2.0), &[]),
                    (2_000_000, Tick, &[]),
                    (3_000_000, End, &["2"]),
                ],
            );
        }
        assert_eq!(interval(5e-324), Duration::MAX);
    }

    #[test]
    fn the_deadline_is_there_while_something_is_held() {
        let begin = start();
        let mut machine = Throttling::new(8.0);
        assert_eq!(machine.deadline(), None);
        machine.push(progress(1.0), begin);
        assert_eq!(machine.deadline(), None);
        let later = begin + Duration::from_millis(30);
        machine.push(progress(2.0), later);
        let due = begin + Duration::from_millis(125);
        assert_eq!(machine.deadline(), Some(due));
        machine.tick(due);
        assert_eq!(machine.deadline(), None);
        // Never by time: there is no such moment.
        let mut never = Throttling::new(f64::MIN_POSITIVE);
        never.push(progress(1.0), begin);
        never.push(progress(2.0), later);
        assert_eq!(never.deadline(), None);
    }

    /// A clock that is behind (another thread's, or a driver's) is no reason to panic or to let all through.
    #[test]
    fn time_that_steps_back_is_no_time() {
        play(
            10.0,
            &[
                (500, Update(1.0), &["1"]),
                (0, Update(2.0), &[]),
                (0, Tick, &[]),
                (600, Tick, &["2"]),
            ],
        );
    }
}
