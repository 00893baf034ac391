//! No update that falls behind an earlier one.
//!
//! Owns what becomes of those that do. It must not know time.

use std::time::Instant;

use super::machine::Machine;
use super::owed::Owed;
use crate::model::progress::{Progress, UpdateKind};

/// What becomes of an update that falls behind an earlier one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Monotonic {
    /// It is left out, and the next that goes on counts it in its [`merged`](Progress::merged).
    #[default]
    Drop,
    /// It goes on with the highest value so far in the place of its own, and keeps its message.
    Clamp,
}

/// Lets no value fall within a leg.
#[derive(Debug)]
pub(crate) struct Rising {
    mode: Monotonic,
    leg: u32,
    highest: f64,
    owed: Owed,
    out: Option<Progress>,
}

impl Rising {
    pub(crate) fn new(mode: Monotonic) -> Self {
        Self {
            mode,
            leg: 0,
            highest: f64::NEG_INFINITY,
            owed: Owed::default(),
            out: None,
        }
    }

    pub(crate) const fn left_out(&self) -> u64 {
        self.owed.updates()
    }
}

impl Machine for Rising {
    type Item = Progress;

    fn push(&mut self, mut update: Progress, _now: Instant) {
        if update.kind != UpdateKind::Progress {
            self.out = Some(update);
            return;
        }
        if update.leg != self.leg {
            // Another request counts from a beginning of its own.
            self.leg = update.leg;
            self.highest = f64::NEG_INFINITY;
        }
        if update.progress < self.highest {
            match self.mode {
                Monotonic::Drop => return self.owed.owe(&update),
                Monotonic::Clamp => update.progress = self.highest,
            }
        }
        self.highest = self.highest.max(update.progress);
        self.owed.pay(&mut update);
        self.out = Some(update);
    }

    fn pop(&mut self) -> Option<Progress> {
        self.out.take()
    }
}

#[cfg(test)]
mod tests {
    use super::{Monotonic, Rising};
    use crate::model::progress::Progress;
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{in_leg, of, progress, said, start, status};

    /// What goes on, and how many are counted in none of it.
    #[track_caller]
    fn check(
        mode: Monotonic,
        updates: impl IntoIterator<Item = Progress>,
        expected: &[&str],
        left_out: u64,
    ) {
        let mut machine = Rising::new(mode);
        let mut went_on = Vec::new();
        for update in updates {
            machine.push(update, start());
            went_on.extend(std::iter::from_fn(|| machine.pop()).map(|update| said(&update)));
        }
        machine.finish(start());
        assert!(machine.pop().is_none());
        assert_eq!(
            (went_on, machine.left_out()),
            (expected.iter().map(ToString::to_string).collect(), left_out)
        );
    }

    #[test]
    fn falling_values_are_dropped_and_counted() {
        let values = [1.0, 3.0, 2.0, 2.5, 3.0, 4.0, 1.0];
        let expected = ["1", "3", "3 +2", "4"];
        check(Monotonic::Drop, values.map(progress), &expected, 1);
    }

    #[test]
    fn or_raised_to_the_highest() {
        let values = [1.0, 3.0, 2.0, 2.5, 3.0, 4.0, 1.0];
        let expected = ["1", "3", "3", "3", "3", "4", "4"];
        check(Monotonic::Clamp, values.map(progress), &expected, 0);
    }

    #[test]
    fn a_raised_update_is_otherwise_as_it_came() {
        let mut machine = Rising::new(Monotonic::Clamp);
        machine.push(of(5.0, 10.0), start());
        assert!(machine.pop().is_some());
        let mut falls = of(2.0, 20.0);
        falls.regressed = true;
        falls.message = Some("again".into());
        machine.push(falls, start());
        let raised = machine.pop().expect("it goes on");
        assert_eq!(raised.to_string(), "5 of 20: again");
        assert!(raised.regressed);
    }

    #[test]
    fn a_leg_begins_anew_and_a_status_passes_as_it_is() {
        let updates = [
            progress(5.0),
            progress(4.0),
            // Its figures repeat the last ones, and may be lower than what went on.
            status(TaskStatus::Working, 4.0),
            in_leg(2, progress(1.0)),
            in_leg(2, progress(0.0)),
            in_leg(2, progress(2.0)),
        ];
        let dropped = ["5", "working", "1 +1", "2 +1"];
        check(Monotonic::Drop, updates.clone(), &dropped, 0);
        let raised = ["5", "5", "working", "1", "1", "2"];
        check(Monotonic::Clamp, updates, &raised, 0);
    }

    #[test]
    fn negative_values_may_begin() {
        for mode in [Monotonic::Drop, Monotonic::Clamp] {
            check(mode, [-3.0, -2.0].map(progress), &["-3", "-2"], 0);
        }
    }
}
