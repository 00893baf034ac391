//! How long a line waits before it is tried again.
//!
//! Owns the lengths of pauses. It must not know timers.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(30);

/// The pause after the attempt of this number, from 1: half a second, then twice as long each time, up to 30 seconds.
///
/// `chance`, from 0 to 1, takes up to a half of it away: calls that fail together do not come back together.
pub(crate) fn pause(attempt: u32, chance: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let whole = FIRST.saturating_mul(1 << doublings).min(LONGEST);
    whole.mul_f64(chance.mul_add(-0.5, 1.0))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::pause;

    #[test]
    fn pauses_double_up_to_a_limit() {
        let whole = [1, 2, 3, 7, 100, u32::MAX].map(|attempt| pause(attempt, 0.0).as_millis());
        assert_eq!(whole, [500, 1_000, 2_000, 30_000, 30_000, 30_000]);
        assert_eq!(pause(1, 1.0), Duration::from_millis(250));
        assert_eq!(pause(2, 0.5), Duration::from_millis(750));
    }
}
