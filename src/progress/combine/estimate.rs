//! How fast the work goes, and how long it will still take.
//!
//! Owns what of the updates counts as work and as time. It must not know timers.

use std::time::{Duration, Instant};

use super::machine::Machine;
use super::pace::Pace;
use crate::model::progress::{Progress, UpdateKind};

/// An update with what can be said of the work's speed. Made by [`with_estimate`](crate::UpdatesExt::with_estimate).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Estimated {
    /// The update, as it came.
    pub update: Progress,
    /// How much `progress` grows in a second, on a fading average. None until two updates of a leg have come that lie
    /// apart in time, and again after a fall.
    pub rate: Option<f64>,
    /// How long the rest will take from the arrival of this update on, if it goes on like this. None without a total, and
    /// while nothing moves. Zero once all is done.
    pub remaining: Option<Duration>,
}

/// Measures work and time between updates.
#[derive(Clone, Debug, Default)]
pub(crate) struct Measuring {
    /// The last update of kind progress.
    last: Option<Mark>,
    /// What was done between updates.
    pace: Pace,
    remaining: Option<Duration>,
    out: Option<Estimated>,
}

/// Where the work stood, and when.
#[derive(Clone, Copy, Debug)]
struct Mark {
    leg: u32,
    progress: f64,
    elapsed: Duration,
    now: Instant,
}

impl Mark {
    /// The time from here to `later`.
    ///
    /// That of arrival, so that a reader who is late and then takes many at once bends nothing. An update that came before
    /// any request was written has none: then it is the time of reading.
    fn until(&self, later: &Self) -> Duration {
        if self.elapsed.is_zero() && later.elapsed.is_zero() {
            later.now.saturating_duration_since(self.now)
        } else {
            later.elapsed.saturating_sub(self.elapsed)
        }
    }
}

impl Measuring {
    /// Takes an update in.
    pub(crate) fn observe(&mut self, update: &Progress, now: Instant) {
        match update.kind {
            UpdateKind::Progress => {
                self.measure(Mark {
                    leg: update.leg,
                    progress: update.progress,
                    elapsed: update.elapsed,
                    now,
                });
                self.remaining = self.rest_of(update);
            }
            UpdateKind::Status(status) if status.is_terminal() => self.remaining = None,
            UpdateKind::Status(_) => {}
        }
    }

    /// As [`Estimated::remaining`], of the last update.
    pub(crate) const fn remaining(&self) -> Option<Duration> {
        self.remaining
    }

    /// As [`Estimated::rate`].
    pub(crate) fn rate(&self) -> Option<f64> {
        self.pace.rate()
    }

    fn measure(&mut self, mark: Mark) {
        let before = self.last.replace(mark);
        let continued =
            before.filter(|before| before.leg == mark.leg && mark.progress >= before.progress);
        let Some(before) = continued else {
            // Another request, or another count: nothing that was measured tells of it.
            self.pace = Pace::default();
            return;
        };
        self.pace
            .add(mark.progress - before.progress, before.until(&mark));
    }

    fn rest_of(&self, update: &Progress) -> Option<Duration> {
        // Only where the share is honest is the rest.
        update.fraction()?;
        let rest = update.total? - update.progress;
        if rest <= 0.0 {
            return Some(Duration::ZERO);
        }
        self.pace.time_for(rest)
    }
}

impl Machine for Measuring {
    type Item = Estimated;

    fn push(&mut self, update: Progress, now: Instant) {
        self.observe(&update, now);
        self.out = Some(Estimated {
            rate: self.rate(),
            remaining: self.remaining,
            update,
        });
    }

    fn pop(&mut self) -> Option<Estimated> {
        self.out.take()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Estimated, Measuring};
    use crate::model::progress::Progress;
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{in_leg, of, progress, start, status};

    /// Hands over updates that arrived at these seconds, all of them read in the same moment.
    fn estimates(updates: impl IntoIterator<Item = (f64, Progress)>) -> Vec<Estimated> {
        let now = start();
        let mut machine = Measuring::default();
        updates
            .into_iter()
            .map(|(at, update)| {
                let elapsed = Duration::from_secs_f64(at);
                machine.push(Progress { elapsed, ..update }, now);
                machine.pop().expect("each goes on")
            })
            .collect()
    }

    #[track_caller]
    fn check(
        updates: impl IntoIterator<Item = (f64, Progress)>,
        expected: &[(Option<f64>, Option<f64>)],
    ) {
        let shown = |value: Option<f64>| value.map(|value| (value * 1e6).round() / 1e6);
        let found: Vec<_> = estimates(updates)
            .iter()
            .map(|estimated| {
                let remaining = estimated.remaining.map(|left| left.as_secs_f64());
                (shown(estimated.rate), shown(remaining))
            })
            .collect();
        assert_eq!(found, expected);
    }

    const NOTHING: (Option<f64>, Option<f64>) = (None, None);

    const fn known(rate: f64, remaining: f64) -> (Option<f64>, Option<f64>) {
        (Some(rate), Some(remaining))
    }

    #[test]
    fn a_steady_pace_is_known_from_the_second_update() {
        let updates = (1..=5).map(|n| (f64::from(n), of(f64::from(2 * n), 10.0)));
        let expected = [
            NOTHING,
            known(2.0, 3.0),
            known(2.0, 2.0),
            known(2.0, 1.0),
            known(2.0, 0.0),
        ];
        check(updates, &expected);
    }

    #[test]
    fn without_a_total_there_is_a_rate_and_no_end() {
        let updates = [(1.0, progress(10.0)), (2.0, progress(40.0))];
        check(updates, &[NOTHING, (Some(30.0), None)]);
        // Nor with a total that cannot be one.
        for total in [0.0, -1.0, 5.0, f64::INFINITY] {
            let updates = [(1.0, of(10.0, total)), (2.0, of(40.0, total))];
            check(updates, &[NOTHING, (Some(30.0), None)]);
        }
    }

    #[test]
    fn a_total_that_comes_later_gives_an_end_at_once() {
        let updates = [
            (1.0, progress(1.0)),
            (2.0, progress(2.0)),
            (3.0, of(3.0, 9.0)),
        ];
        check(updates, &[NOTHING, (Some(1.0), None), known(1.0, 6.0)]);
    }

    #[test]
    fn a_new_pace_takes_over_in_half_lives() {
        // 1 a second for ten seconds, then 3 a second.
        let slow = (0..=10).map(|n| (f64::from(n), progress(f64::from(n))));
        let fast = (1..=20).map(|n| (10.0 + f64::from(n), progress(f64::from(10 + 3 * n))));
        let rates: Vec<_> = estimates(slow.chain(fast))
            .iter()
            .map(|estimated| estimated.rate)
            .collect();
        let rate = |at: usize| rates[at].expect("known from the second on");
        assert!((rate(10) - 1.0).abs() < 1e-9);
        assert!(rates[10..].windows(2).all(|pair| pair[0] < pair[1]));
        // After one half-life the new pace has two thirds of the weight: half as much of the old as of the new is left.
        assert!(
            (rate(20) - (1.0 + 3.0 * 2.0) / 3.0).abs() < 0.1,
            "{}",
            rate(20)
        );
        assert!((2.5..3.0).contains(&rate(30)), "{}", rate(30));
    }

    #[test]
    fn standing_still_is_a_rate_that_falls_and_no_end_at_all_is_promised() {
        let updates = [
            (1.0, of(1.0, 4.0)),
            (2.0, of(1.0, 4.0)),
            (3.0, of(1.0, 4.0)),
        ];
        check(updates, &[NOTHING, (Some(0.0), None), (Some(0.0), None)]);
        let found = estimates([
            (0.0, of(0.0, 10.0)),
            (1.0, of(5.0, 10.0)),
            (11.0, of(5.0, 10.0)),
        ]);
        assert_eq!(found[1].remaining, Some(Duration::from_secs(1)));
        assert!(found[2].rate < found[1].rate && found[2].remaining > found[1].remaining);
    }

    #[test]
    fn updates_of_one_moment_count_together_but_those_of_the_first() {
        let updates = [
            (1.0, of(0.0, 10.0)),
            (1.0, of(1.0, 10.0)),
            (2.0, of(2.0, 10.0)),
            (2.0, of(4.0, 10.0)),
        ];
        let expected = [NOTHING, NOTHING, known(1.0, 8.0), known(3.0, 2.0)];
        check(updates, &expected);
    }

    #[test]
    fn what_was_replayed_after_a_gap_evens_out() {
        // Nothing for 30 seconds, then what was missed, at once.
        let before = (0..=10).map(|n| (f64::from(n), of(f64::from(n), 100.0)));
        let replayed = (11..=40).map(|n| {
            let mut update = of(f64::from(n), 100.0);
            update.gap = n == 11;
            (40.0, update)
        });
        let last = estimates(before.chain(replayed)).pop().expect("the last");
        // To the last one all work and all time is counted; what fades is a little more of the time before.
        let rate = last.rate.expect("known");
        assert!((0.95..1.05).contains(&rate), "{rate}");
    }

    #[test]
    fn a_fall_and_a_leg_begin_anew() {
        let updates = [
            (1.0, of(10.0, 100.0)),
            (2.0, of(20.0, 100.0)),
            (3.0, of(5.0, 100.0)),
            (4.0, of(10.0, 100.0)),
            (5.0, in_leg(2, of(50.0, 100.0))),
            (6.0, in_leg(2, of(60.0, 100.0))),
        ];
        let expected = [
            NOTHING,
            known(10.0, 8.0),
            NOTHING,
            known(5.0, 18.0),
            NOTHING,
            known(10.0, 4.0),
        ];
        check(updates, &expected);
        // What is done needs no rate.
        check([(1.0, of(4.0, 4.0))], &[(None, Some(0.0))]);
    }

    #[test]
    fn a_status_says_what_was_known_until_the_task_is_over() {
        let updates = [
            (1.0, of(1.0, 10.0)),
            (2.0, of(2.0, 10.0)),
            (3.0, status(TaskStatus::Working, 2.0)),
            (4.0, of(6.0, 10.0)),
            (5.0, status(TaskStatus::Cancelled, 6.0)),
        ];
        let found = estimates(updates);
        assert_eq!(found[2].remaining, found[1].remaining);
        assert_eq!(found[2].rate, found[1].rate);
        assert!(found[3].rate > found[1].rate);
        assert_eq!((found[4].rate, found[4].remaining), (found[3].rate, None));
    }

    #[test]
    fn the_time_of_reading_serves_where_there_is_none_of_arrival() {
        let now = start();
        let mut machine = Measuring::default();
        machine.push(of(1.0, 5.0), now);
        assert!(machine.pop().is_some_and(|first| first.rate.is_none()));
        machine.push(of(3.0, 5.0), now + Duration::from_secs(4));
        let second = machine.pop().expect("each goes on");
        assert_eq!(second.rate, Some(0.5));
        assert_eq!(second.remaining, Some(Duration::from_secs(4)));
    }

    #[test]
    fn absurd_figures_give_no_estimate_and_no_panic() {
        let found = estimates([
            (1.0, of(0.0, f64::MAX)),
            (2.0, of(1e-300, f64::MAX)),
            (3.0, of(f64::MAX, f64::MAX)),
            (4.0, progress(f64::INFINITY)),
            (5.0, progress(f64::NAN)),
            (6.0, progress(f64::NEG_INFINITY)),
        ]);
        assert_eq!(found[1].remaining, None);
        assert_eq!(found[2].remaining, Some(Duration::ZERO));
        assert!(found[3..].iter().all(|estimated| estimated.rate.is_none()));
    }
}
