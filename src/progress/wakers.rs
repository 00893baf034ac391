//! Wakers on their way out of a lock.
//!
//! Owns waking them after it (L2), one that panics included. It must not know whose they are.

use std::task::Waker;

/// Wakers taken out under a lock, to be woken after it.
#[derive(Debug, Default)]
pub(super) struct Wakers {
    /// Nearly always there is one; it needs no allocation.
    first: Option<Waker>,
    others: Vec<Waker>,
}

impl Wakers {
    pub(super) fn extend(&mut self, waker: Option<Waker>) {
        if self.first.is_none() {
            self.first = waker;
        } else {
            self.others.extend(waker);
        }
    }

    /// A waker that panics must not take the reader down with it.
    pub(super) fn wake(self) {
        for waker in self.first.into_iter().chain(self.others) {
            let woken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| waker.wake()));
            if woken.is_err() {
                tracing::error!("a task's waker panicked; its task may not notice the update");
            }
        }
    }
}
