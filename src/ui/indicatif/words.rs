//! Times and rates as a bar has room for them.
//!
//! Owns their short forms. It must not know where they stand.

use std::time::Duration;

/// `5s`, `1m05s`, `2h03m`, `3d04h`: cut to whole seconds.
pub(super) fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{minutes}m{:02}s", seconds % 60),
        3_600..86_400 => format!("{hours}h{:02}m", minutes % 60),
        _ => format!("{days}d{:02}h", hours % 24),
    }
}

/// As [`time`], but with a decimal below a minute: `1.2s`.
pub(super) fn exact_time(exact: Duration) -> String {
    if exact.as_secs() >= 60 {
        return time(exact);
    }
    let tenths = exact.as_millis() / 100;
    format!("{}.{}s", tenths / 10, tenths % 10)
}

/// How long something will still take: rounded up, so that zero is the end.
pub(super) fn rest(rest: Duration) -> String {
    let seconds = rest.as_secs() + u64::from(rest.subsec_nanos() > 0);
    time(Duration::from_secs(seconds))
}

/// `12/s`, `1.5/s`, `0.25/s`, `3.4k/s`; none where it would be nothing.
pub(super) fn rate(rate: f64) -> Option<String> {
    const UNITS: [&str; 5] = ["", "k", "M", "G", "T"];
    let mut number = rate;
    let mut unit = 0;
    while number >= 999.5 && unit + 1 < UNITS.len() {
        number /= 1_000.0;
        unit += 1;
    }
    let digits = if number < 0.995 {
        2
    } else {
        usize::from(number < 9.95)
    };
    (0.005..999.5)
        .contains(&number)
        .then(|| format!("{number:.digits$}{}/s", UNITS[unit]))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{exact_time, rate, rest, time};

    #[test]
    fn times_get_coarser() {
        let shown = |seconds| time(Duration::from_secs(seconds));
        assert_eq!(
            [0, 59, 65, 3_599, 3_780, 90_000].map(shown),
            ["0s", "59s", "1m05s", "59m59s", "1h03m", "1d01h"]
        );
        let exact = |millis| exact_time(Duration::from_millis(millis));
        assert_eq!(
            [0, 1_299, 59_999, 60_000].map(exact),
            ["0.0s", "1.2s", "59.9s", "1m00s"]
        );
    }

    #[test]
    fn the_rest_is_nothing_only_at_the_end() {
        let shown = |millis| rest(Duration::from_millis(millis));
        assert_eq!(
            [0, 1, 1_000, 59_001].map(shown),
            ["0s", "1s", "1s", "1m00s"]
        );
    }

    #[test]
    fn rates_keep_two_or_three_digits() {
        let shown = |number| rate(number).unwrap_or_default();
        assert_eq!(
            [0.25, 1.0, 2.5, 9.96, 999.0, 999.6, 3_400.0, 5e9].map(shown),
            [
                "0.25/s", "1.0/s", "2.5/s", "10/s", "999/s", "1.0k/s", "3.4k/s", "5.0G/s"
            ]
        );
        for absurd in [0.0, 0.001, -1.0, 1e300, f64::NAN, f64::INFINITY] {
            assert_eq!(rate(absurd), None, "{absurd}");
        }
    }
}
