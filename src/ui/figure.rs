//! Figures of progress, for people and for programs.
//!
//! Owns how they are rounded: a whole number has no fraction, and nothing is 100 % before it is done. It must not know
//! what they count.

use std::fmt;

use serde::{Serialize, Serializer};

/// Up to here every whole number is a float of its own.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A number of an update, written as people write it: `3` and not `3.0`, at most three decimals, and `1e300` where it is out of all proportion. In JSON it has all its
/// decimals, and no fraction where it is whole.
///
/// ```
/// use mcp_progress::ui::Figure;
///
/// assert_eq!(Figure::new(3.0).to_string(), "3");
/// assert_eq!(Figure::new(0.1 + 0.2).to_string(), "0.3");
/// assert_eq!(serde_json::to_string(&Figure::new(2.5)).unwrap(), "2.5");
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure(f64);

impl Figure {
    /// The figure of this number.
    #[must_use]
    pub const fn new(number: f64) -> Self {
        Self(number)
    }

    fn whole(self) -> Option<i64> {
        // The cast cannot lose anything within these bounds.
        (self.0.fract() == 0.0 && self.0.abs() <= EXACT).then_some(self.0 as i64)
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(whole) = self.whole() {
            return write!(f, "{whole}");
        }
        if self.0.abs() > EXACT {
            // Three hundred digits would say nothing more.
            return write!(f, "{:e}", self.0);
        }
        let rounded = format!("{:.3}", self.0);
        match rounded.trim_end_matches('0').trim_end_matches('.') {
            "0" | "-0" => write!(f, "{}", self.0),
            short => f.write_str(short),
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

/// A percentage to four decimals: 29, not 28.999999999999996. What is less than 100 stays less.
///
/// ```
/// assert_eq!(mcp_progress::ui::percent(0.29 * 100.0), 29.0);
/// assert!(mcp_progress::ui::percent(99.999_999) < 100.0);
/// ```
#[must_use]
pub fn percent(exact: f64) -> f64 {
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
        let shown = |value| Figure(value).to_string();
        assert_eq!(
            (shown(7.0), shown(0.1 + 0.2), shown(2.5)),
            ("7".into(), "0.3".into(), "2.5".into())
        );
        assert_eq!(shown(0.0001), "0.0001");
        let absurd = [1e308, -2.5e17, f64::INFINITY, f64::NAN].map(shown);
        assert_eq!(absurd, ["1e308", "-2.5e17", "inf", "NaN"]);
    }

    #[test]
    fn a_percentage_reaches_100_only_at_the_end() {
        assert_eq!(percent(29.0 / 100.0 * 100.0), 29.0);
        assert_eq!(percent(100.0), 100.0);
        assert!(percent(99.999_999) < 100.0);
        assert_eq!(percent(100.0 / 3.0), 33.3333);
    }
}
