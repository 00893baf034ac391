//! A deadline that moves on with every event, and a timer that is seldom set for it.
//!
//! Owns when the timer is set and on which runtime. It must not know what the deadline is for.

use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::runtime::Handle;

use super::clock::Timer;

/// A timer that is set only where it would ring too late, so that a deadline may move on with every update for free.
#[derive(Debug)]
pub(crate) struct Alarm {
    /// None where the stream was made outside a runtime; then that of the first poll which needs it.
    runtime: Option<Handle>,
    timer: Timer,
    /// When it rings.
    at: Option<Instant>,
}

impl Alarm {
    /// An alarm on the runtime that this runs on.
    pub(crate) fn here() -> Self {
        Self {
            runtime: Handle::try_current().ok(),
            timer: Timer::default(),
            at: None,
        }
    }

    /// Ready with the time that has come, at the deadline or before it. Pending for ever without a runtime.
    pub(crate) fn poll(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<Instant> {
        let at = match self.at {
            Some(at) if at <= deadline => at,
            _ => {
                if self.runtime.is_none() {
                    self.runtime = Handle::try_current().ok();
                }
                let Some(runtime) = &self.runtime else {
                    return Poll::Pending;
                };
                self.timer.set(deadline, runtime);
                self.at = Some(deadline);
                deadline
            }
        };
        ready!(self.timer.poll(cx));
        self.at = None;
        Poll::Ready(at)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::time::Duration;

    use futures::poll;

    use super::super::clock;
    use super::Alarm;

    #[tokio::test(start_paused = true)]
    async fn it_rings_at_the_deadline_or_before_it_and_never_after() {
        let begin = clock::now();
        let at = |seconds| begin + Duration::from_secs(seconds);
        let mut alarm = Alarm::here();
        assert!(poll!(poll_fn(|cx| alarm.poll(at(10), cx))).is_pending());
        // Sooner than was said first: the timer is set back.
        let rang = poll_fn(|cx| alarm.poll(at(3), cx)).await;
        assert_eq!((rang, clock::now()), (at(3), at(3)));
        assert!(poll!(poll_fn(|cx| alarm.poll(at(5), cx))).is_pending());
        // Later: it is left as it is, and says for when it rang.
        let rang = poll_fn(|cx| alarm.poll(at(20), cx)).await;
        assert_eq!((rang, clock::now()), (at(5), at(5)));
    }
}
