//! No update that changes next to nothing.
//!
//! Owns which change is enough. It must not know time.

use std::collections::VecDeque;
use std::time::Instant;

use super::machine::{Machine, ROUNDING};
use super::owed::supersede;
use crate::model::progress::{Progress, UpdateKind};

/// Lets an update go on where the done part has changed enough since the last that did.
#[derive(Debug)]
pub(crate) struct MinChanging {
    /// Zero where every update goes on.
    step: f64,
    /// Leg and done part of the last update of kind progress that went on.
    shown: Option<(u32, Option<f64>)>,
    /// The newest update, where it changed too little.
    held: Option<Progress>,
    out: VecDeque<Progress>,
}

impl MinChanging {
    pub(crate) fn new(fraction: f64) -> Self {
        Self {
            // NaN too becomes zero here.
            step: fraction.max(0.0),
            shown: None,
            held: None,
            out: VecDeque::new(),
        }
    }

    fn is_enough(&self, update: &Progress) -> bool {
        let Some((leg, shown)) = self.shown else {
            return true;
        };
        let (Some(before), Some(now)) = (shown, update.fraction()) else {
            // Without a total there is no part of the whole, so nothing that could be too little.
            return true;
        };
        leg != update.leg
            || (now - before).abs() >= self.step - ROUNDING
            // That all is done is news, however little was missing.
            || now >= 1.0 && before < 1.0
    }

    fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.shown = Some((held.leg, held.fraction()));
            self.out.push_back(held);
        }
    }
}

impl Machine for MinChanging {
    type Item = Progress;

    fn push(&mut self, mut update: Progress, _now: Instant) {
        if update.kind != UpdateKind::Progress {
            self.release();
            self.out.push_back(update);
            return;
        }
        let enough = self.is_enough(&update);
        supersede(&mut self.held, &mut update);
        self.held = Some(update);
        if enough {
            self.release();
        }
    }

    fn finish(&mut self, _now: Instant) {
        self.release();
    }

    fn pop(&mut self) -> Option<Progress> {
        self.out.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use super::MinChanging;
    use crate::model::progress::Progress;
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{in_leg, of, progress, said, start, status};

    #[track_caller]
    fn check(fraction: f64, updates: impl IntoIterator<Item = Progress>, expected: &[&str]) {
        let mut machine = MinChanging::new(fraction);
        let mut went_on = Vec::new();
        for update in updates {
            machine.push(update, start());
            went_on.extend(std::iter::from_fn(|| machine.pop()));
        }
        machine.finish(start());
        went_on.extend(std::iter::from_fn(|| machine.pop()));
        let went_on: Vec<_> = went_on.iter().map(said).collect();
        assert_eq!(went_on, expected);
    }

    #[test]
    fn enough_is_counted_from_the_last_that_went_on() {
        let updates = [0.0, 5.0, 9.0, 10.0, 15.0, 21.0, 22.0, 23.0];
        let expected = ["0 of 100", "10 of 100 +2", "21 of 100 +1", "23 of 100 +1"];
        check(0.1, updates.map(|value| of(value, 100.0)), &expected);
    }

    #[test]
    fn steps_of_the_size_itself_are_enough_whatever_binary_makes_of_them() {
        let updates = (0..=100).map(|value| of(f64::from(value), 100.0));
        let expected: Vec<_> = (0..=100).map(|value| format!("{value} of 100")).collect();
        let expected: Vec<_> = expected.iter().map(String::as_str).collect();
        check(0.01, updates, &expected);
    }

    #[test]
    fn the_end_is_news() {
        let updates = [0.0, 99.0, 99.5, 100.0, 100.0];
        let expected = ["0 of 100", "99 of 100", "100 of 100 +1", "100 of 100"];
        check(0.1, updates.map(|value| of(value, 100.0)), &expected);
    }

    #[test]
    fn a_fall_is_a_change() {
        let updates = [50.0, 45.0, 40.0, 39.0];
        let expected = ["50 of 100", "40 of 100 +1", "39 of 100"];
        check(0.1, updates.map(|value| of(value, 100.0)), &expected);
    }

    #[test]
    fn without_a_total_nothing_is_too_little() {
        check(0.5, [1.0, 1.0, 2.0].map(progress), &["1", "1", "2"]);
        // A total that comes and goes; one that the value exceeds.
        let mixed = [
            of(1.0, 100.0),
            progress(1.0),
            of(1.0, 100.0),
            of(2.0, 100.0),
            of(101.0, 100.0),
        ];
        let expected = ["1 of 100", "1", "1 of 100", "101 of 100 +1"];
        check(0.5, mixed, &expected);
    }

    #[test]
    fn a_status_passes_behind_what_was_held_and_a_leg_begins_anew() {
        let updates = [
            status(TaskStatus::Working, 0.0),
            of(50.0, 100.0),
            of(51.0, 100.0),
            status(TaskStatus::InputRequired, 51.0),
            of(52.0, 100.0),
            in_leg(2, of(52.0, 100.0)),
            in_leg(2, of(53.0, 100.0)),
        ];
        let expected = [
            "working",
            "50 of 100",
            "51 of 100",
            "input_required",
            "52 of 100 +1",
            "53 of 100",
        ];
        check(0.1, updates, &expected);
    }

    #[test]
    fn what_is_no_fraction_lets_all_pass_and_one_too_large_keeps_the_ends() {
        for fraction in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            let expected = ["1 of 3", "1 of 3", "2 of 3"];
            check(
                fraction,
                [1.0, 1.0, 2.0].map(|value| of(value, 3.0)),
                &expected,
            );
        }
        for fraction in [1.5, f64::INFINITY] {
            let expected = ["0 of 4", "4 of 4 +2", "3 of 4"];
            let updates = [0.0, 1.0, 2.0, 4.0, 3.0];
            check(fraction, updates.map(|value| of(value, 4.0)), &expected);
        }
    }
}
