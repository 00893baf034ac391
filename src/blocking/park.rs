//! Waiting for a future on the calling thread.
//!
//! Owns parking and waking. It must not know runtimes.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Instant;

use crate::sync::{Arc, AtomicBool, Ordering};

/// Wakes one wait.
///
/// The flag is what counts and the token of the thread only a hint, because waits nest: a callback may make a call of its own, and
/// that inner wait must not lose what was meant for the outer one.
struct Unpark {
    thread: Thread,
    woken: AtomicBool,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.woken.swap(true, Ordering::Release) {
            self.thread.unpark();
        }
    }
}

/// Real time, whatever a runtime around this thread says: a thread that is parked wakes by the clock of the system.
#[expect(
    clippy::disallowed_methods,
    reason = "threads do not park on a paused clock"
)]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Polls `future` on this thread until it is ready.
pub(super) fn block_on<F: Future>(future: Pin<&mut F>) -> F::Output {
    match poll_until(future, None) {
        Some(output) => output,
        None => unreachable!("there is no deadline"),
    }
}

/// Polls `future` on this thread until it is ready or `deadline` has come; at least once.
pub(super) fn block_until<F: Future>(future: Pin<&mut F>, deadline: Instant) -> Option<F::Output> {
    poll_until(future, Some(deadline))
}

fn poll_until<F: Future>(mut future: Pin<&mut F>, deadline: Option<Instant>) -> Option<F::Output> {
    let unpark = Arc::new(Unpark {
        thread: thread::current(),
        woken: AtomicBool::new(false),
    });
    let waker = Waker::from(unpark.clone());
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return Some(output);
        }
        // Acquire: what was done before the wake is seen by the next poll.
        while !unpark.woken.swap(false, Ordering::Acquire) {
            let Some(deadline) = deadline else {
                thread::park();
                continue;
            };
            let left = deadline.saturating_duration_since(now());
            if left.is_zero() {
                return None;
            }
            thread::park_timeout(left);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::pin::pin;
    use std::task::Poll;
    use std::thread;
    use std::time::Duration;

    use super::{block_on, block_until, now};

    /// Ready at the second poll, with a wake from another thread between the two.
    fn woken_from_elsewhere() -> impl Future<Output = u32> {
        let mut polls = 0;
        poll_fn(move |cx| {
            polls += 1;
            if polls == 2 {
                return Poll::Ready(polls);
            }
            let waker = cx.waker().clone();
            thread::spawn(move || waker.wake());
            Poll::Pending
        })
    }

    #[test]
    fn another_thread_wakes() {
        assert_eq!(block_on(pin!(woken_from_elsewhere())), 2);
    }

    /// The wake of the outer wait comes while the inner one is parked, and is still there afterwards.
    #[test]
    fn a_wait_inside_of_a_wait_loses_no_wake() {
        let mut polls = 0;
        let outer = poll_fn(|cx| {
            polls += 1;
            if polls == 1 {
                cx.waker().wake_by_ref();
                assert_eq!(block_on(pin!(woken_from_elsewhere())), 2);
                return Poll::Pending;
            }
            Poll::Ready(())
        });
        block_on(pin!(outer));
        assert_eq!(polls, 2);
    }

    #[test]
    fn a_deadline_ends_the_wait_and_a_ready_future_beats_it() {
        let past = now();
        assert_eq!(block_until(pin!(std::future::pending::<()>()), past), None);
        assert_eq!(block_until(pin!(async { 7 }), past), Some(7));
        let soon = now() + Duration::from_millis(5);
        assert_eq!(block_until(pin!(std::future::pending::<()>()), soon), None);
        assert!(now() >= soon);
    }
}
