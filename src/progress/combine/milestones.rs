//! Only the updates that reach something.
//!
//! Owns which milestones there are and which were reached. It must not know time.

use std::collections::VecDeque;
use std::time::Instant;

use super::machine::{Machine, ROUNDING};
use super::owed::Owed;
use crate::model::progress::{Progress, UpdateKind};

/// What [`milestones`](crate::UpdatesExt::milestones) lets go on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum MilestoneEvent {
    /// The done part has come to one or more milestones for the first time.
    #[non_exhaustive]
    Reached {
        /// Those that are reached now and were not before, rising; several where the value leaps. Never empty.
        milestones: Vec<f64>,
        /// The update that reached them. It stands for those since the last milestone
        /// ([`Progress::merged`](crate::Progress::merged)).
        update: Progress,
    },
    /// The status of the task that the call has become.
    Status(Progress),
}

/// Lets an update go on where it is the first to reach a milestone.
#[derive(Debug)]
pub(crate) struct Reaching {
    /// Those still to be reached, the lowest first.
    ahead: VecDeque<f64>,
    owed: Owed,
    out: Option<MilestoneEvent>,
}

impl Reaching {
    pub(crate) fn new(milestones: impl IntoIterator<Item = f64>) -> Self {
        let mut ahead: Vec<f64> = milestones
            .into_iter()
            .filter(|milestone| (0.0..=1.0).contains(milestone))
            .collect();
        ahead.sort_by(f64::total_cmp);
        ahead.dedup();
        Self {
            ahead: ahead.into(),
            owed: Owed::default(),
            out: None,
        }
    }

    pub(crate) const fn left_out(&self) -> u64 {
        self.owed.updates()
    }

    fn reached(&mut self, fraction: f64) -> Vec<f64> {
        let mut reached = Vec::new();
        while let Some(next) = self
            .ahead
            .front()
            .copied()
            .filter(|next| *next <= fraction + ROUNDING)
        {
            self.ahead.pop_front();
            reached.push(next);
        }
        reached
    }
}

impl Machine for Reaching {
    type Item = MilestoneEvent;

    fn push(&mut self, mut update: Progress, _now: Instant) {
        if update.kind != UpdateKind::Progress {
            self.out = Some(MilestoneEvent::Status(update));
            return;
        }
        let milestones = update
            .fraction()
            .map_or_else(Vec::new, |fraction| self.reached(fraction));
        if milestones.is_empty() {
            self.owed.owe(&update);
        } else {
            self.owed.pay(&mut update);
            self.out = Some(MilestoneEvent::Reached { milestones, update });
        }
    }

    fn pop(&mut self) -> Option<MilestoneEvent> {
        self.out.take()
    }
}

#[cfg(test)]
mod tests {
    use super::{MilestoneEvent, Reaching};
    use crate::model::progress::Progress;
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{in_leg, of, progress, said, start, status};

    const QUARTERS: [f64; 3] = [0.25, 0.5, 0.75];

    #[track_caller]
    fn check(
        milestones: impl IntoIterator<Item = f64>,
        updates: impl IntoIterator<Item = Progress>,
        expected: &[&str],
        left_out: u64,
    ) {
        let mut machine = Reaching::new(milestones);
        let mut went_on = Vec::new();
        for update in updates {
            machine.push(update, start());
            went_on.extend(
                std::iter::from_fn(|| machine.pop()).map(|event| match event {
                    MilestoneEvent::Reached { milestones, update } => {
                        format!("{milestones:?} {}", said(&update))
                    }
                    MilestoneEvent::Status(update) => said(&update),
                }),
            );
        }
        machine.finish(start());
        assert!(machine.pop().is_none());
        assert_eq!(
            (went_on, machine.left_out()),
            (expected.iter().map(ToString::to_string).collect(), left_out)
        );
    }

    #[test]
    fn each_is_reached_once_and_leaps_reach_several() {
        let updates = [0.0, 24.0, 25.0, 30.0, 80.0, 10.0, 30.0, 100.0];
        let expected = ["[0.25] 25 of 100 +2", "[0.5, 0.75] 80 of 100 +1"];
        check(
            QUARTERS,
            updates.map(|value| of(value, 100.0)),
            &expected,
            3,
        );
    }

    #[test]
    fn the_ends_may_be_milestones() {
        let updates = [0.0, 3.0, 10.0].map(|value| of(value, 10.0));
        let expected = ["[0.0] 0 of 10", "[1.0] 10 of 10 +1"];
        check([1.0, 0.0], updates, &expected, 0);
        // Summed up in binary, ten tenths are a little less than one.
        let tenths = (1..=10).map(|n| std::iter::repeat_n(0.1, n).sum::<f64>());
        let updates = (1..=10).map(|value| of(f64::from(value), 10.0));
        let mut machine = Reaching::new(tenths);
        for update in updates {
            machine.push(update, start());
            let event = machine.pop();
            assert!(
                matches!(&event, Some(MilestoneEvent::Reached { milestones, .. }) if milestones.len() == 1),
                "{event:?}"
            );
        }
    }

    #[test]
    fn without_a_total_nothing_is_reached() {
        let updates = [progress(1.0), progress(100.0), of(3.0, 2.0), of(1.0, 2.0)];
        check(QUARTERS, updates, &["[0.25, 0.5] 1 of 2 +3"], 0);
    }

    #[test]
    fn a_status_passes_and_a_leg_reaches_nothing_again() {
        let updates = [
            of(3.0, 10.0),
            status(TaskStatus::Working, 3.0),
            in_leg(2, of(3.0, 10.0)),
            in_leg(2, of(5.0, 10.0)),
            status(TaskStatus::Completed, 5.0),
        ];
        let expected = ["[0.25] 3 of 10", "working", "[0.5] 5 of 10 +1", "completed"];
        check(QUARTERS, updates, &expected, 0);
    }

    #[test]
    fn what_is_no_part_of_the_whole_is_no_milestone() {
        let odd = [f64::NAN, -0.5, 1.5, f64::INFINITY, 0.5, 0.5];
        check(odd, [of(9.0, 10.0)], &["[0.5] 9 of 10"], 0);
        check([], [of(9.0, 10.0), of(10.0, 10.0)], &[], 2);
    }
}
