//! Limits of time as they are written on the command line.
//!
//! Owns their form. It must not know which clock they are for.

use std::time::Duration;

/// A limit of time; none where the clock is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Option<Duration>);

/// Reads `1500ms`, `1.5s`, `30s`, `5m`, `2h`, and `0` with or without a unit, which turns a clock off.
pub(crate) fn parse(text: &str) -> Result<Limit, String> {
    const FORM: &str =
        "expected a number with ms, s, m or h, such as 1500ms, 30s, 5m, or 0 for off";
    let unit = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    if !number.starts_with(|c: char| c.is_ascii_digit()) || number.ends_with('.') {
        return Err(FORM.to_owned());
    }
    let number: f64 = number.parse().map_err(|_| FORM.to_owned())?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        "" if number == 0.0 => 0.0,
        _ => return Err(FORM.to_owned()),
    };
    let limit = Duration::try_from_secs_f64(seconds).map_err(|_| "too long".to_owned())?;
    if limit.is_zero() && number > 0.0 {
        return Err("too short".to_owned());
    }
    Ok(Limit((!limit.is_zero()).then_some(limit)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, parse};

    #[test]
    fn units() {
        let ms = |ms| Ok(Limit(Some(Duration::from_millis(ms))));
        assert_eq!(parse("1500ms"), ms(1_500));
        assert_eq!(parse("700ms"), ms(700));
        assert_eq!(parse("1.5s"), ms(1_500));
        assert_eq!(parse("30s"), ms(30_000));
        assert_eq!(parse("5m"), ms(300_000));
        assert_eq!(parse("2h"), ms(7_200_000));
    }

    #[test]
    fn zero_is_off() {
        for zero in ["0", "0s", "0ms", "0.0h"] {
            assert_eq!(parse(zero), Ok(Limit(None)), "{zero}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in [
            "", "s", "5", "-1s", "5 s", "5sec", "1.2.3s", ".5s", "5.s", "1e3s", "inf", "NaN",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert!(parse(&format!("{}h", "9".repeat(40))).is_err());
        assert!(parse("0.0000001ms").is_err());
    }
}
