//! What is left to say of updates that do not go on themselves.
//!
//! Owns that no count and no warning is lost with them. It must not know why they were left out.

use crate::model::progress::Progress;

/// What the next update that goes on says of those left out before it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Owed {
    updates: u64,
    regressed: bool,
    gap: bool,
}

impl Owed {
    /// How many updates are counted in none that went on.
    pub(crate) const fn updates(&self) -> u64 {
        self.updates
    }

    /// This update is left out, with those that it stands for.
    pub(crate) const fn owe(&mut self, left_out: &Progress) {
        self.updates = self
            .updates
            .saturating_add(1)
            .saturating_add(left_out.merged);
        self.regressed |= left_out.regressed;
        self.gap |= left_out.gap;
    }

    /// This update goes on, and stands for all that were left out.
    pub(crate) fn pay(&mut self, goes_on: &mut Progress) {
        let owed = std::mem::take(self);
        goes_on.merged = goes_on.merged.saturating_add(owed.updates);
        goes_on.regressed |= owed.regressed;
        goes_on.gap |= owed.gap;
    }
}

/// Puts the newer update into the place of one that is held, and lets it stand for that one.
pub(crate) fn supersede(held: &mut Option<Progress>, newer: &mut Progress) {
    if let Some(older) = held.take() {
        let mut owed = Owed::default();
        owed.owe(&older);
        owed.pay(newer);
    }
}

#[cfg(test)]
mod tests {
    use super::{Owed, supersede};
    use crate::progress::combine::sample::progress;

    #[test]
    fn counts_and_warnings_go_on_once() {
        let mut owed = Owed::default();
        let mut first = progress(1.0);
        first.merged = 4;
        first.gap = true;
        owed.owe(&first);
        let mut second = progress(0.5);
        second.regressed = true;
        owed.owe(&second);
        assert_eq!(owed.updates(), 6);

        let mut next = progress(2.0);
        next.merged = 1;
        owed.pay(&mut next);
        assert_eq!((next.merged, next.gap, next.regressed), (7, true, true));
        let mut after = progress(3.0);
        owed.pay(&mut after);
        assert_eq!(
            (after.merged, after.gap, after.regressed),
            (0, false, false)
        );
    }

    #[test]
    fn a_held_update_lives_on_in_the_newer_one() {
        let mut held = Some(progress(1.0));
        let mut newer = progress(2.0);
        supersede(&mut held, &mut newer);
        assert!(held.is_none());
        assert_eq!((newer.progress, newer.merged), (2.0, 1));
        supersede(&mut held, &mut newer);
        assert_eq!(newer.merged, 1);
    }

    #[test]
    fn absurd_counts_do_not_overflow() {
        let mut owed = Owed::default();
        let mut all = progress(1.0);
        all.merged = u64::MAX;
        owed.owe(&all);
        let mut next = progress(2.0);
        next.merged = 1;
        owed.pay(&mut next);
        assert_eq!(next.merged, u64::MAX);
    }
}
