//! Owns the running of tasks by whichever connection is served. Must not know what they do.
//!
//! No task of the runtime is started: a connection runs them along with its own scripts, and when it ends, or its
//! future is dropped, hands on what is left.

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What the connections of one server share about its running tasks.
#[derive(Default)]
pub(crate) struct Crew(Mutex<State>);

#[derive(Default)]
struct State {
    /// What nobody runs at present.
    waiting: Vec<BoxFuture<'static, ()>>,
    /// The shifts that could, by their numbers.
    shifts: HashMap<u64, Waker>,
    begun: u64,
}

/// The part of the work that one connection does.
pub(crate) struct Shift {
    crew: Arc<Crew>,
    number: u64,
    running: FuturesUnordered<BoxFuture<'static, ()>>,
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").finish_non_exhaustive()
    }
}

impl fmt::Debug for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shift").finish_non_exhaustive()
    }
}

impl Crew {
    /// Gives work to whoever looks first.
    pub(crate) fn push(&self, work: BoxFuture<'static, ()>) {
        self.give([work]);
    }

    pub(crate) fn shift(self: &Arc<Self>) -> Shift {
        let mut state = self.lock();
        state.begun += 1;
        Shift {
            crew: Arc::clone(self),
            number: state.begun,
            running: FuturesUnordered::new(),
        }
    }

    fn give(&self, work: impl IntoIterator<Item = BoxFuture<'static, ()>>) {
        let mut state = self.lock();
        state.waiting.extend(work);
        let shifts: Vec<Waker> = state.shifts.values().cloned().collect();
        drop(state);
        shifts.into_iter().for_each(Waker::wake);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned crew is still whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shift {
    /// Works on. Ready where there is nothing left to do; more may come later.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let mut state = self.crew.lock();
            // With each look, so that work which comes between the look and the wait wakes this one.
            state.shifts.insert(self.number, cx.waker().clone());
            let taken = std::mem::take(&mut state.waiting);
            drop(state);
            let more = !taken.is_empty();
            self.running.extend(taken);
            while let Poll::Ready(Some(())) = self.running.poll_next_unpin(cx) {}
            if !more {
                break;
            }
        }
        if self.running.is_empty() {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for Shift {
    fn drop(&mut self) {
        self.crew.lock().shifts.remove(&self.number);
        let left = std::mem::take(&mut self.running);
        if !left.is_empty() {
            self.crew.give(left);
        }
    }
}
