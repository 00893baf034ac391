//! How fast work is done, on a fading average.
//!
//! Owns the arithmetic of rates. It must not know what the work is, nor what tells of it.

use std::time::Duration;

/// Work and time fade to a half in this long, or in a quarter of all that was measured where that is longer.
const HALF_LIFE: f64 = 10.0;
const OF_MEASURED: f64 = 0.25;

/// What was done, and in how long; both fade alike.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    work: f64,
    /// Seconds.
    time: f64,
    /// Seconds, unfaded.
    measured: f64,
}

impl Pace {
    /// Counts work that was done in `time`, the time before included in which nothing was.
    pub(crate) fn add(&mut self, work: f64, time: Duration) {
        let time = time.as_secs_f64();
        self.measured += time;
        if self.measured <= 0.0 {
            // What comes in one go at the beginning says how far the work is, not how fast.
            return;
        }
        let half_life = (self.measured * OF_MEASURED).max(HALF_LIFE);
        let kept = (-time / half_life).exp2();
        self.work = self.work.mul_add(kept, work);
        self.time = self.time.mul_add(kept, time);
    }

    /// Work in a second; none before any time was measured.
    pub(crate) fn rate(&self) -> Option<f64> {
        let rate = self.work / self.time;
        (self.time > 0.0 && rate.is_finite()).then_some(rate)
    }

    /// How long `rest` takes at this pace; none while nothing moves.
    pub(crate) fn time_for(&self, rest: f64) -> Option<Duration> {
        let rate = self.rate().filter(|rate| *rate > 0.0)?;
        Duration::try_from_secs_f64(rest / rate).ok()
    }
}
