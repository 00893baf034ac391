//! Many pieces of work as one progress, while some join and others leave.
//!
//! Owns the arithmetic: what is shown is continuous and never falls. It must not know calls, clocks or who looks on: time is
//! an argument.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::combine::pace::Pace;

/// What a weight is held within: sums of weights stay finite, and no rest of work becomes nothing.
const WEIGHTS: (f64, f64) = (1e-100, 1e100);

/// The largest number below 1: what is shown while somebody is still at work.
const NEARLY: f64 = 1.0 - f64::EPSILON / 2.0;

/// What is shown has so many parts: twelve decimals.
const DECIMALS: f64 = 1e12;

/// How far a group is, at a moment. From [`ProgressGroup::snapshot`](crate::ProgressGroup::snapshot) and
/// [`ProgressGroup::updates`](crate::ProgressGroup::updates).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct GroupProgress {
    /// The done part of the whole, from 0 to 1. It never falls, and it is 1 only once a member has finished while no other
    /// was at work.
    pub fraction: f64,
    /// How many belong to the group: those at work and those that have finished, without those that left.
    pub members: usize,
    /// How many have finished.
    pub finished: usize,
    /// How many have left without finishing.
    pub left: usize,
    /// Time since the first member joined. It stands still while nobody is at work.
    pub elapsed: Duration,
    /// How long the rest will take if it goes on like this: on a fading average of all work that was done, minus the time since
    /// then. None while nothing moves, while nobody has begun, and once it has taken longer than that. Zero once all is done.
    pub remaining: Option<Duration>,
}

impl GroupProgress {
    /// The done part of the whole in percent, from 0 to 100.
    #[must_use]
    pub fn percent(&self) -> f64 {
        self.fraction * 100.0
    }

    /// How many are at work: members that have not finished.
    #[must_use]
    pub const fn working(&self) -> usize {
        self.members - self.finished
    }
}

/// One piece of work that is not over.
#[derive(Clone, Copy, Debug)]
struct Member {
    weight: f64,
    fraction: f64,
}

impl Member {
    fn rest(self) -> f64 {
        self.weight * (1.0 - self.fraction)
    }
}

/// The state machine of a group. What it holds is bounded by the members at work.
///
/// The share of a whole of changing size jumps back when something joins. So whenever somebody joins or leaves, what is shown
/// stays, and the rest of the way is mapped onto the rest of the work:
///
/// ```text
/// shown = s0 + (1 - s0) * (raw - r0) / (1 - r0)
/// ```
///
/// with `raw` the weighted share, and `s0` and `r0` the two at the last such change. Between two changes the whole is
/// the same, so that it falls out of the fraction, and only the rest of the work is needed: `1 - shown = (1 - s0) * rest / rest0`.
#[derive(Debug, Default)]
pub(crate) struct Group {
    working: BTreeMap<u64, Member>,
    next: u64,
    finished: usize,
    left: usize,
    /// What is shown, now and at the last change of membership.
    shown: f64,
    shown_then: f64,
    /// The weighted rest of all work, now and at the last change of membership.
    rest: f64,
    rest_then: f64,
    /// The largest rest since it was last summed up, and the changes since then.
    largest: f64,
    changes: usize,
    clock: Clock,
}

impl Group {
    /// Adds a member at 0, and gives its name. A weight that is not a finite number above 0 counts as 1.
    pub(crate) fn join(&mut self, weight: f64, now: Instant) -> u64 {
        let usual = weight.is_finite() && weight > 0.0;
        let weight = if usual { weight } else { 1.0 };
        let member = Member {
            weight: weight.clamp(WEIGHTS.0, WEIGHTS.1),
            fraction: 0.0,
        };
        if self.working.is_empty() {
            self.clock.start(now);
        }
        let name = self.next;
        self.next += 1;
        self.working.insert(name, member);
        self.change_rest(member.weight);
        self.rebase();
        name
    }

    /// The member is so far; a fraction that is lower than before, or none at all, changes nothing. True where something
    /// changed.
    pub(crate) fn raise(&mut self, name: u64, fraction: f64, now: Instant) -> bool {
        let Some(member) = self.working.get_mut(&name) else {
            return false;
        };
        if fraction.is_nan() || fraction <= member.fraction {
            return false;
        }
        let before = member.rest();
        member.fraction = fraction.min(1.0);
        let work = before - member.rest();
        if work <= 0.0 {
            return false;
        }
        self.clock.count(work, now);
        self.change_rest(-work);
        self.show();
        true
    }

    /// The member's work is done: it counts in full from now on.
    pub(crate) fn finish(&mut self, name: u64, now: Instant) {
        let Some(member) = self.working.remove(&name) else {
            return;
        };
        self.finished += 1;
        self.clock.count(member.rest(), now);
        self.change_rest(-member.rest());
        if self.working.is_empty() {
            self.shown = 1.0;
            self.clock.stop(now);
            self.rebase();
        } else {
            self.show();
        }
    }

    /// The member goes away with what it has not done. What is shown stays. True where it was still at work.
    pub(crate) fn leave(&mut self, name: u64, now: Instant) -> bool {
        let Some(member) = self.working.remove(&name) else {
            return false;
        };
        self.left += 1;
        self.change_rest(-member.rest());
        if self.working.is_empty() {
            self.clock.stop(now);
        }
        self.rebase();
        true
    }

    pub(crate) fn snapshot(&self, now: Instant) -> GroupProgress {
        GroupProgress {
            fraction: self.shown,
            members: self.finished + self.working.len(),
            finished: self.finished,
            left: self.left,
            elapsed: self.clock.elapsed(now),
            remaining: self.remaining(now),
        }
    }

    fn remaining(&self, now: Instant) -> Option<Duration> {
        if self.working.is_empty() {
            return (self.shown >= 1.0).then_some(Duration::ZERO);
        }
        if self.rest <= 0.0 {
            return Some(Duration::ZERO);
        }
        self.clock.time_for(self.rest, now)
    }

    /// The rest of the work changes by this much.
    ///
    /// The sum is kept up instead of made anew, since each update of each member comes by here. What rounding leaves behind
    /// is a part of the largest sum so far; so it is made anew where it has become small beside that, and once in a while.
    fn change_rest(&mut self, by: f64) {
        const SMALL: f64 = 1e-4;
        const FEW: usize = 64;
        self.rest += by;
        self.largest = self.largest.max(self.rest);
        self.changes += 1;
        if self.rest < self.largest * SMALL || self.changes > self.working.len().max(FEW) {
            self.rest = self.working.values().map(|member| member.rest()).sum();
            self.largest = self.rest;
            self.changes = 0;
        }
    }

    /// From here on, the rest of the way stands for the rest of the work.
    const fn rebase(&mut self) {
        (self.shown_then, self.rest_then) = (self.shown, self.rest);
    }

    fn show(&mut self) {
        if self.rest_then <= 0.0 {
            // All were as good as done when the last one joined or left: there is no way left to go but the end.
            return;
        }
        let way = (1.0 - self.shown_then) * (self.rest / self.rest_then);
        // A tenth is to be 0.1, whatever it was summed up from. And the end is for those that finish.
        let tidy = ((1.0 - way) * DECIMALS).round() / DECIMALS;
        self.shown = tidy.min(NEARLY).max(self.shown);
    }
}

/// When work was done.
#[derive(Debug, Default)]
struct Clock {
    pace: Pace,
    /// Time before `running`, and since when it runs.
    before: Duration,
    running: Option<Instant>,
    /// When work was last counted, or began.
    counted: Option<Instant>,
}

impl Clock {
    fn start(&mut self, now: Instant) {
        self.running = Some(now);
        self.counted = Some(now);
    }

    fn stop(&mut self, now: Instant) {
        self.before = self.elapsed(now);
        self.running = None;
    }

    fn elapsed(&self, now: Instant) -> Duration {
        let running = self
            .running
            .map(|since| now.saturating_duration_since(since));
        self.before + running.unwrap_or_default()
    }

    fn since_counted(&self, now: Instant) -> Duration {
        let since = self
            .counted
            .map(|counted| now.saturating_duration_since(counted));
        since.unwrap_or_default()
    }

    fn count(&mut self, work: f64, now: Instant) {
        self.pace.add(work, self.since_counted(now));
        self.counted = self.counted.max(Some(now));
    }

    fn time_for(&self, rest: f64, now: Instant) -> Option<Duration> {
        let foretold = self.pace.time_for(rest)?;
        foretold.checked_sub(self.since_counted(now))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Group, NEARLY};
    use crate::progress::combine::sample::start;

    fn shown(group: &Group) -> f64 {
        group.snapshot(start()).fraction
    }

    #[track_caller]
    fn near(found: f64, expected: f64) {
        assert!(
            (found - expected).abs() < 1e-12,
            "{found} is not {expected}"
        );
    }

    #[test]
    fn members_count_by_their_weight() {
        let (mut group, now) = (Group::default(), start());
        assert_eq!(shown(&group), 0.0);
        let (light, heavy) = (group.join(1.0, now), group.join(3.0, now));
        assert!(group.raise(light, 1.0, now));
        near(shown(&group), 0.25);
        assert!(group.raise(heavy, 0.5, now));
        near(shown(&group), 0.625);
        group.finish(light, now);
        near(shown(&group), 0.625);
        group.finish(heavy, now);
        assert_eq!(shown(&group), 1.0);
    }

    #[test]
    fn joining_and_leaving_move_nothing_and_the_rest_of_the_way_is_the_rest_of_the_work() {
        let (mut group, now) = (Group::default(), start());
        let first = group.join(1.0, now);
        group.raise(first, 0.5, now);
        let second = group.join(1.5, now);
        assert_eq!(shown(&group), 0.5);
        // Half of a member and all of another are left, 2 in all, over the upper half of the way.
        group.raise(second, 0.4, now);
        near(shown(&group), 0.65);
        group.finish(first, now);
        near(shown(&group), 0.775);
        let third = group.join(8.1, now);
        near(shown(&group), 0.775);
        group.leave(third, now);
        near(shown(&group), 0.775);
        group.raise(second, 0.7, now);
        near(shown(&group), 0.8875);
        group.finish(second, now);
        assert_eq!(shown(&group), 1.0);
        let told = group.snapshot(now);
        assert_eq!((told.members, told.finished, told.left), (2, 2, 1));
    }

    #[test]
    fn the_end_is_for_those_that_finish() {
        let (mut group, now) = (Group::default(), start());
        let one = group.join(1.0, now);
        group.raise(one, 1.0, now);
        assert_eq!(shown(&group), NEARLY);
        group.finish(one, now);
        assert_eq!(shown(&group), 1.0);

        // The last one that leaves does not bring the others to the end.
        let mut group = Group::default();
        let (done, gone) = (group.join(1.0, now), group.join(1.0, now));
        group.finish(done, now);
        group.leave(gone, now);
        assert_eq!(shown(&group), 0.5);
        // But whoever comes after that may.
        let late = group.join(1.0, now);
        group.raise(late, 0.5, now);
        near(shown(&group), 0.75);
        group.finish(late, now);
        assert_eq!(shown(&group), 1.0);
        // After the end nothing falls.
        let later = group.join(1.0, now);
        assert_eq!(shown(&group), 1.0);
        group.raise(later, 0.5, now);
        assert_eq!(shown(&group), 1.0);
        assert_eq!(group.snapshot(now).working(), 1);
    }

    #[test]
    fn where_no_work_is_left_but_the_end_it_waits_for_that() {
        let (mut group, now) = (Group::default(), start());
        let (full, idle) = (group.join(1.0, now), group.join(1.0, now));
        group.raise(full, 1.0, now);
        group.leave(idle, now);
        near(shown(&group), 0.5);
        let other = group.join(1.0, now);
        group.raise(other, 0.5, now);
        near(shown(&group), 0.75);
        group.leave(other, now);
        near(shown(&group), 0.75);
        group.finish(full, now);
        assert_eq!(shown(&group), 1.0);
    }

    #[test]
    fn what_is_no_number_changes_nothing() {
        let (mut group, now) = (Group::default(), start());
        let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -3.0];
        let members = odd.map(|weight| group.join(weight, now));
        for (name, fraction) in members.into_iter().zip([f64::NAN, -1.0, f64::NEG_INFINITY]) {
            assert!(!group.raise(name, fraction, now));
        }
        assert_eq!(shown(&group), 0.0);
        // Each weighs 1, and more than all is all.
        assert!(group.raise(members[0], f64::INFINITY, now));
        near(shown(&group), 0.2);
        assert!(!group.raise(members[0], 0.5, now), "it never falls");
        assert!(!group.raise(77, 0.5, now));
    }

    #[test]
    fn a_giant_leaves_no_trace() {
        let (mut group, now) = (Group::default(), start());
        let small = group.join(1.0, now);
        let giant = group.join(f64::MAX, now);
        group.raise(giant, 0.3, now);
        near(shown(&group), 0.3);
        group.leave(giant, now);
        group.raise(small, 0.5, now);
        near(shown(&group), 0.65);
        let dust = group.join(f64::MIN_POSITIVE, now);
        group.finish(small, now);
        group.finish(dust, now);
        assert_eq!(shown(&group), 1.0);
    }

    #[test]
    fn what_is_held_is_bounded_by_the_members_at_work() {
        let (mut group, now) = (Group::default(), start());
        for round in 0..10_000 {
            let (done, gone) = (group.join(1.0, now), group.join(2.0, now));
            group.raise(done, 0.5, now);
            assert!(group.working.len() <= 2, "round {round}");
            group.leave(gone, now);
            group.finish(done, now);
        }
        assert!(group.working.is_empty());
        let told = group.snapshot(now);
        assert_eq!((told.finished, told.left), (10_000, 10_000));
    }

    #[test]
    fn rounding_does_not_add_up() {
        let (mut group, now) = (Group::default(), start());
        let members: Vec<_> = (1..=1_000)
            .map(|n| group.join(0.1 * f64::from(n), now))
            .collect();
        for step in 1..=100 {
            for member in &members {
                group.raise(*member, f64::from(step) * 0.01, now);
            }
            let exact: f64 = group.working.values().map(|member| member.rest()).sum();
            assert!((group.rest - exact).abs() <= exact.mul_add(1e-9, 1e-9));
            near(shown(&group), (f64::from(step) * 0.01).min(NEARLY));
        }
    }

    #[test]
    fn the_rest_of_the_time_comes_from_the_pace_of_all_work() {
        let (mut group, begin) = (Group::default(), start());
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let remaining = |group: &Group, seconds| group.snapshot(at(seconds)).remaining;
        let secs = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(remaining(&group, 0), None);
        let (one, two) = (group.join(1.0, at(0)), group.join(1.0, at(0)));
        assert_eq!(remaining(&group, 5), None);
        group.raise(one, 0.25, at(1));
        // 1.75 are left, at a quarter a second.
        assert_eq!(remaining(&group, 1), secs(7));
        // It counts down, until it has taken longer than that.
        assert_eq!(remaining(&group, 3), secs(5));
        assert_eq!(remaining(&group, 8), secs(0));
        assert_eq!(remaining(&group, 9), None);
        // Whoever leaves takes the rest of his time with him, whoever joins brings more.
        group.leave(two, at(1));
        assert_eq!(remaining(&group, 1), secs(3));
        let three = group.join(0.5, at(1));
        assert_eq!(remaining(&group, 1), secs(5));
        group.finish(three, at(3));
        assert_eq!(remaining(&group, 3), secs(3));
        group.finish(one, at(4));
        assert_eq!(remaining(&group, 60), secs(0));
    }

    #[test]
    fn the_clock_stands_still_while_nobody_is_at_work() {
        let (mut group, begin) = (Group::default(), start());
        let at = |seconds: u64| begin + Duration::from_secs(seconds);
        let elapsed = |group: &Group, seconds| group.snapshot(at(seconds)).elapsed.as_secs();
        assert_eq!(elapsed(&group, 100), 0);
        let one = group.join(1.0, at(100));
        assert_eq!(elapsed(&group, 103), 3);
        group.finish(one, at(104));
        assert_eq!(elapsed(&group, 200), 4);
        let two = group.join(1.0, at(300));
        group.raise(two, 0.5, at(302));
        assert_eq!(elapsed(&group, 302), 6);
        // The hours between the two are no time of work: 1.5 in 6 seconds.
        let rate = group.clock.pace.rate().expect("time was measured");
        assert!((0.2..0.3).contains(&rate), "{rate}");
        group.leave(two, at(303));
        assert_eq!(
            (elapsed(&group, 400), group.snapshot(at(400)).remaining),
            (7, Some(Duration::ZERO))
        );
    }
}
