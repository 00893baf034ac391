//! How long to wait before a stream is opened again.
//!
//! Owns the growth and the jitter. It must not know what is opened.

use std::time::Duration;

/// Before the first try, where the server does not say,
const FIRST: Duration = Duration::from_millis(500);
/// and at most.
const MOST: Duration = Duration::from_secs(30);

/// The pauses between the tries to open one stream again.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    /// What the server asked for (`retry`), in force until it asks for something else.
    wanted: Option<Duration>,
}

impl Backoff {
    /// The server wants to be asked again after this time, and not before.
    pub(super) const fn want(&mut self, pause: Duration) {
        self.wanted = Some(pause);
    }

    /// What the server wants, or nothing.
    pub(super) fn wanted(&self) -> Duration {
        self.wanted.unwrap_or_default()
    }

    /// A try has worked.
    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The pause before the next try.
    ///
    /// The first is what the server wants, exactly (2025-11-25, Streamable HTTP, "Sending Messages"). Others double,
    /// with a quarter of jitter, so that clients which lost one server together do not come back together.
    pub(super) fn next(&mut self) -> Duration {
        let base = self.wanted.unwrap_or(FIRST);
        let grown = base.saturating_mul(1 << self.failures.min(16));
        let first = self.failures == 0;
        self.failures += 1;
        match self.wanted {
            Some(wanted) if first => wanted,
            // A server may want more than the limit, and is not asked sooner.
            wanted => {
                let jitter = 1.0 + fastrand::f64() / 4.0;
                grown
                    .min(MOST)
                    .mul_f64(jitter)
                    .max(wanted.unwrap_or_default())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, FIRST, MOST};
    use std::time::Duration;

    #[test]
    fn the_servers_wish_is_kept_to_the_millisecond() {
        let mut backoff = Backoff::default();
        backoff.want(Duration::from_millis(500));
        assert_eq!(backoff.next(), Duration::from_millis(500));
        let second = backoff.next();
        assert!((1000..=1250).contains(&second.as_millis()), "{second:?}");
        backoff.succeeded();
        assert_eq!(backoff.next(), Duration::from_millis(500));
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_never_fall_below_the_wish() {
        let mut backoff = Backoff::default();
        let mut least = FIRST;
        for _ in 0..40 {
            let pause = backoff.next();
            assert!(pause >= least && pause <= least.mul_f64(1.26), "{pause:?}");
            least = (least * 2).min(MOST);
        }
        backoff.want(Duration::from_secs(90));
        assert!(backoff.next() >= Duration::from_secs(90));
    }
}
