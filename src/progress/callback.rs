//! A registered callback, and the promise that it does not start after its guard was dropped.
//!
//! Owns the hand-over between the call that runs the callback and the guard that ends it. It must not know where
//! updates come from.

use std::fmt;

use crate::model::progress::Progress;
use crate::sync::Mutex;

/// The function that a user registered.
pub(crate) type BoxedCallback = Box<dyn FnMut(Progress) + Send>;

/// Holds the callback between its invocations.
pub(crate) struct CallbackCell(Mutex<State>);

enum State {
    Resting(BoxedCallback),
    /// Taken out by the call's future, which runs it without a lock (L2).
    Running,
    Ended,
}

impl CallbackCell {
    pub(crate) fn new(callback: BoxedCallback) -> Self {
        Self(Mutex::new(State::Resting(callback)))
    }

    /// Runs the callback unless it was ended.
    ///
    /// Race: `end` may come between taking the callback out and its return. Taking it out is its start, so that
    /// it "may still be running", and it is dropped here afterwards.
    pub(crate) fn invoke(&self, update: Progress) {
        let mut callback = {
            let mut state = self.0.lock();
            match std::mem::replace(&mut *state, State::Running) {
                State::Resting(callback) => callback,
                other => {
                    *state = other;
                    return;
                }
            }
        };
        // Should it panic, the cell stays `Running` and the callback is gone: it is not run again.
        callback(update);
        let mut state = self.0.lock();
        let ended = matches!(*state, State::Ended);
        if ended {
            drop(state);
            drop(callback);
        } else {
            *state = State::Resting(callback);
        }
    }

    /// No invocation starts after this has returned.
    pub(crate) fn end(&self) {
        let before = std::mem::replace(&mut *self.0.lock(), State::Ended);
        // The lock is released: the callback's own drop may do what it likes.
        drop(before);
    }
}

impl fmt::Debug for CallbackCell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackCell").finish_non_exhaustive()
    }
}
