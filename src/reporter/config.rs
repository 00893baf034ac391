//! How often and how hard a reporter sends, for one reporter and for the whole process.
//!
//! Owns the options and the process-wide default. It must not know what is sent.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::error::ReporterError;
use crate::sync::Mutex;

/// The options of a reporter. [`ReporterBuilder`](crate::reporter::ReporterBuilder) has them one by one.
#[derive(Clone, Debug, PartialEq)]
pub struct ReporterConfig {
    pub(super) emit_hz: f64,
    pub(super) min_change: f64,
    pub(super) allow_equal: bool,
    pub(super) retry_delay: RangeInclusive<Duration>,
    pub(super) attempts: u32,
    pub(super) paced_end: bool,
    pub(super) life_cycle: bool,
}

/// What the next reporters begin with, where the program has set it.
static DEFAULT: Mutex<Option<ReporterConfig>> = Mutex::new(None);

/// The library's own defaults, whatever the process-wide ones are.
impl Default for ReporterConfig {
    fn default() -> Self {
        Self {
            emit_hz: 8.0,
            min_change: 0.0,
            allow_equal: false,
            retry_delay: Duration::from_millis(100)..=Duration::from_millis(500),
            attempts: 5,
            paced_end: false,
            life_cycle: true,
        }
    }
}

impl ReporterConfig {
    /// The library's own defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many updates a second go out at most; 0 for each. Default 8.
    ///
    /// With 0 updates wait in a queue, up to 16,384 and 1 MiB of text; beyond that the newest replaces the last one there.
    #[must_use]
    pub const fn emit_hz(mut self, hz: f64) -> Self {
        self.emit_hz = hz;
        self
    }

    /// The least change that is worth an update, as a fraction of the total, 0 to 1. Default 0: any.
    ///
    /// A value that brings less waits until more has come together, or for the end. A new message, a new total, the total
    /// reached, and the first value are worth an update anyway; so is every value as long as there is no total.
    #[must_use]
    pub const fn min_change(mut self, fraction: f64) -> Self {
        self.min_change = fraction;
        self
    }

    /// Whether a message, a total or a call with the same value goes out by itself, with the value of the update before.
    /// Default no: the specification wants each value to be larger than the last.
    #[must_use]
    pub const fn allow_equal(mut self, allow: bool) -> Self {
        self.allow_equal = allow;
        self
    }

    /// The pause before a send that failed is tried again: a random one out of this range. Default 100 to 500
    /// milliseconds.
    #[must_use]
    pub const fn retry_delay(mut self, range: RangeInclusive<Duration>) -> Self {
        self.retry_delay = range;
        self
    }

    /// How often an update is tried before it is given up, counted and told; at least once. Default 5.
    #[must_use]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Whether the last update waits for the end of its interval too, so that the result of the operation is that much
    /// later. Default no: it goes out at once.
    #[must_use]
    pub const fn paced_end(mut self, paced: bool) -> Self {
        self.paced_end = paced;
        self
    }

    /// Whether life-cycle events (started, 25, 50 and 75 %, completed, failed, cancelled) are offered to the sink as log
    /// messages. Default yes. They go to `tracing` in any case.
    #[must_use]
    pub const fn life_cycle(mut self, offer: bool) -> Self {
        self.life_cycle = offer;
        self
    }

    /// The time between two updates; zero for none.
    pub(super) fn interval(&self) -> Result<Duration, ReporterError> {
        if self.emit_hz == 0.0 {
            return Ok(Duration::ZERO);
        }
        let whole = |hz: &f64| hz.is_finite() && *hz > 0.0;
        Some(self.emit_hz)
            .filter(whole)
            .and_then(|hz| Duration::try_from_secs_f64(hz.recip()).ok())
            .ok_or_else(|| ReporterError::BadConfig(format!("emit_hz {}", self.emit_hz)))
    }

    fn check(&self) -> Result<(), ReporterError> {
        self.interval()?;
        let bad = |what: String| Err(ReporterError::BadConfig(what));
        if !(0.0..=1.0).contains(&self.min_change) {
            return bad(format!("min_change {}", self.min_change));
        }
        if self.attempts == 0 {
            return bad("attempts 0".to_owned());
        }
        if self.retry_delay.is_empty() {
            return bad(format!("retry_delay {:?}", self.retry_delay));
        }
        Ok(())
    }

    pub(super) fn checked(self) -> Result<Self, ReporterError> {
        self.check().map(|()| self)
    }
}

/// What reporters begin with from now on that do not say otherwise, in the whole process.
///
/// # Errors
///
/// [`ReporterError::BadConfig`] where an option makes no sense; the default stays as it was.
pub fn set_default_config(config: ReporterConfig) -> Result<(), ReporterError> {
    *DEFAULT.lock() = Some(config.checked()?);
    Ok(())
}

/// What a reporter begins with that does not say otherwise.
#[must_use]
pub fn default_config() -> ReporterConfig {
    DEFAULT.lock().clone().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let new = ReporterConfig::new;
        for bad in [
            new().emit_hz(-1.0),
            new().emit_hz(f64::NAN),
            new().emit_hz(f64::INFINITY),
            new().emit_hz(1e-300),
            new().min_change(1.5),
            new().min_change(f64::NAN),
            new().attempts(0),
            new().retry_delay(Duration::from_secs(2)..=Duration::from_secs(1)),
        ] {
            let refused = bad.clone().checked();
            assert!(
                matches!(refused, Err(ReporterError::BadConfig(_))),
                "{bad:?} is taken"
            );
        }
        assert_eq!(new().interval(), Ok(Duration::from_millis(125)));
        assert_eq!(new().emit_hz(0.0).interval(), Ok(Duration::ZERO));
    }
}
