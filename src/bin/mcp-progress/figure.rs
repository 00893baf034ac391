//! Figures of progress, for people and for programs.
//!
//! Owns how they are rounded: a whole number has no fraction, and nothing is 100 % before it is done.

use serde::{Serialize, Serializer};

/// Up to here every whole number is a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number that is written without `.0` where it is whole.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure(pub(crate) f64);

impl Figure {
    fn whole(self) -> Option<i64> {
        // The cast cannot lose anything within these bounds.
        (self.0.fract() == 0.0 && self.0.abs() <= EXACT).then_some(self.0 as i64)
    }

    /// For people: at most three decimals.
    pub(crate) fn shown(self) -> String {
        if let Some(whole) = self.whole() {
            return whole.to_string();
        }
        let rounded = format!("{:.3}", self.0);
        match rounded.trim_end_matches('0').trim_end_matches('.') {
            "0" | "-0" => self.0.to_string(),
            short => short.to_owned(),
        }
    }
}

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.whole() {
            Some(whole) => serializer.serialize_i64(whole),
            None => serializer.serialize_f64(self.0),
        }
    }
}

/// A percentage to four decimals: 29, not 28.999999999999996.
pub(crate) fn percent(exact: f64) -> f64 {
    let rounded = (exact * 1e4).round() / 1e4;
    if rounded >= 100.0 { exact } else { rounded }
}

#[cfg(test)]
mod tests {
    use super::{Figure, percent};

    #[test]
    fn whole_numbers_have_no_fraction() {
        let json = |value| serde_json::to_string(&Figure(value)).unwrap();
        assert_eq!(
            (json(3.0), json(-0.0), json(0.5)),
            ("3".into(), "0".into(), "0.5".into())
        );
        assert_eq!(json(1e300), "1e+300");
        assert_eq!(json(9_007_199_254_740_992.0), "9007199254740992");
    }

    #[test]
    fn people_see_few_decimals() {
        let shown = |value| Figure(value).shown();
        assert_eq!(
            (shown(7.0), shown(0.1 + 0.2), shown(2.5)),
            ("7".into(), "0.3".into(), "2.5".into())
        );
        assert_eq!(shown(0.0001), "0.0001");
    }

    #[test]
    fn a_percentage_reaches_100_only_at_the_end() {
        assert_eq!(percent(29.0 / 100.0 * 100.0), 29.0);
        assert_eq!(percent(100.0), 100.0);
        assert!(percent(99.999_999) < 100.0);
        assert_eq!(percent(100.0 / 3.0), 33.3333);
    }
}
