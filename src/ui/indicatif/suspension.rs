//! Taking all of somebody else's `MultiProgress` off the screen.
//!
//! Owns that who has done so may do it once more inside. It must not know lines.

use std::thread::{self, ThreadId};

use ::indicatif::MultiProgress;

use crate::sync::Mutex;

/// Which thread has the screen for itself. `MultiProgress::suspend` holds a lock meanwhile, and would wait for itself where a
/// question is asked inside of another.
#[derive(Debug, Default)]
pub(super) struct Suspension(Mutex<Option<ThreadId>>);

impl Suspension {
    /// Does `write` while nothing of `multi` is on the screen.
    pub(super) fn around<R>(&self, multi: &MultiProgress, write: impl FnOnce() -> R) -> R {
        let here = Some(thread::current().id());
        if *self.0.lock() == here {
            return write();
        }
        multi.suspend(|| {
            *self.0.lock() = here;
            let _over = Over(self);
            write()
        })
    }
}

/// Also where `write` panics.
struct Over<'a>(&'a Suspension);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        *self.0.0.lock() = None;
    }
}
