//! The value and the total of one operation, and what may follow what.
//!
//! Owns the rules of the specification for both ("Progress": the value must increase). It must not know time, texts or
//! what has been sent.

use super::error::ReporterError;

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figures {
    value: Option<f64>,
    total: Option<f64>,
}

/// What became of a new value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Risen,
    Same,
}

impl Figures {
    pub(super) const fn of(value: Option<f64>, total: Option<f64>) -> Self {
        Self { value, total }
    }

    pub(super) const fn value(&self) -> Option<f64> {
        self.value
    }

    pub(super) const fn total(&self) -> Option<f64> {
        self.total
    }

    /// Takes a value that must not lie below the one before.
    pub(super) fn set(&mut self, given: f64) -> Result<Change, ReporterError> {
        if !given.is_finite() {
            let what = "value";
            return Err(ReporterError::NotANumber { what, given });
        }
        match self.value {
            Some(current) if given < current => Err(ReporterError::Regress { current, given }),
            _ => Ok(self.raise(given)),
        }
    }

    /// As `set`, counted from the value before, or from zero.
    pub(super) fn advance(&mut self, delta: f64) -> Result<Change, ReporterError> {
        if !delta.is_finite() {
            let (what, given) = ("step", delta);
            return Err(ReporterError::NotANumber { what, given });
        }
        self.set(self.value.unwrap_or(0.0) + delta)
    }

    /// Takes a value if it is larger than the one before.
    pub(super) fn raise(&mut self, given: f64) -> Change {
        if self.value.is_some_and(|current| given <= current) {
            return Change::Same;
        }
        self.value = Some(given);
        Change::Risen
    }

    /// Takes a total that must not lie below the one before.
    pub(super) fn set_total(&mut self, given: f64) -> Result<Change, ReporterError> {
        if !given.is_finite() || given < 0.0 {
            let what = "total";
            return Err(ReporterError::NotANumber { what, given });
        }
        match self.total {
            Some(current) if given < current => Err(ReporterError::TotalShrinks { current, given }),
            Some(current) if given == current => Ok(Change::Same),
            _ => {
                self.total = Some(given);
                Ok(Change::Risen)
            }
        }
    }

    /// How much of the total is done, where there is one.
    pub(super) fn fraction(&self) -> Option<f64> {
        let (value, total) = (self.value?, self.total?);
        if total > 0.0 {
            Some(value / total)
        } else {
            Some(1.0)
        }
    }

    /// Moves to the next larger number that every peer can tell apart, so that a text can go out; where that passes the
    /// total, the total moves along. None where there is no larger number.
    pub(super) fn nudge(&mut self) -> Option<f64> {
        let Some(value) = self.value else {
            self.value = Some(0.0);
            return self.value;
        };
        // At least one unit in the last place of `value`; near zero not a number of 324 digits.
        let next = value + value.abs().max(1.0) * f64::EPSILON;
        if !next.is_finite() {
            return None;
        }
        if let Some(total) = self.total
            && value <= total
            && next > total
        {
            self.total = Some(next);
        }
        self.value = Some(next);
        self.value
    }
}

/// This fraction of a total, to twelve digits of it, so that shares like 0.1 do not show how floats are made.
pub(super) fn share_of(total: f64, fraction: f64) -> f64 {
    let exact = total * fraction;
    let digits = total.log10().ceil();
    if fraction >= 1.0 || !(-200.0..=200.0).contains(&digits) {
        return exact;
    }
    let grid = 10_f64.powi(12 - digits as i32);
    ((exact * grid).round() / grid).min(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_rises_or_is_refused() {
        let mut figures = Figures::default();
        assert_eq!(figures.set(0.0), Ok(Change::Risen));
        assert_eq!(figures.set(0.0), Ok(Change::Same));
        assert_eq!(figures.advance(2.0), Ok(Change::Risen));
        let (current, given) = (2.0, 1.5);
        let regress = Err(ReporterError::Regress { current, given });
        assert_eq!(figures.set(1.5), regress);
        assert!(figures.advance(-0.1).is_err());
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(figures.set(bad).is_err() && figures.advance(bad).is_err());
        }
        assert_eq!(figures.set(f64::MAX), Ok(Change::Risen));
        assert!(figures.advance(f64::MAX).is_err(), "the sum is infinite");
        assert_eq!(figures.value(), Some(f64::MAX));
        assert_eq!(figures.nudge(), None);
    }

    #[test]
    fn a_total_appears_and_grows() {
        let mut figures = Figures::default();
        assert_eq!(figures.set_total(10.0), Ok(Change::Risen));
        assert_eq!(figures.set_total(10.0), Ok(Change::Same));
        assert_eq!(figures.set_total(20.0), Ok(Change::Risen));
        assert!(figures.set_total(19.0).is_err());
        assert!(figures.set_total(-1.0).is_err() && figures.set_total(f64::NAN).is_err());
        assert_eq!(figures.fraction(), None);
        assert_eq!(figures.set(5.0), Ok(Change::Risen));
        assert_eq!(figures.fraction(), Some(0.25));
        assert_eq!(Figures::of(Some(0.0), Some(0.0)).fraction(), Some(1.0));
    }

    #[test]
    fn shares_are_round_where_they_can_be() {
        assert_eq!(share_of(100.0, 0.1 + 0.8 * 0.53), 52.4);
        assert_eq!(share_of(1.0, 0.1 + 0.2), 0.3);
        assert_eq!(share_of(0.0, 0.5), 0.0);
        for total in [1e-300, 0.7, 7.123_456_789_012_345, 3e17, 1e300] {
            assert_eq!(share_of(total, 1.0), total);
            let half = share_of(total, 0.5);
            assert!((half / total - 0.5).abs() < 1e-11, "{total} {half}");
            assert!(share_of(total, 1.0 - 1e-16) <= total);
        }
    }

    #[test]
    fn a_nudge_is_larger_by_as_little_as_can_be_told() {
        for value in [0.0, 1.0, 1.999, 2.0, 7.0, 1e15, -1.0, -3e-9, 0.1] {
            let mut figures = Figures::of(Some(value), Some(1e20));
            let next = figures.nudge().expect("there is a larger number");
            assert!(next > value, "{value}");
            assert!(next - value <= value.abs().max(1.0) * 1e-15, "{value}");
            assert_eq!(figures.total(), Some(1e20));
        }
        let mut full = Figures::of(Some(10.0), Some(10.0));
        assert_eq!(full.nudge(), full.total());
        let mut beyond = Figures::of(Some(12.0), Some(10.0));
        beyond.nudge();
        assert_eq!(beyond.total(), Some(10.0));
    }
}
