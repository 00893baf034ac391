//! What all handles of a group share.
//!
//! Owns the lock around the machine, and the waking of those that look on. It must not know the handles.

use std::collections::BTreeMap;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::client::clock;
use crate::progress::group::{Group, GroupProgress};
use crate::sync::{Arc, Mutex, wake};

/// The group behind its lock.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    group: Group,
    /// Rises with each change.
    version: u64,
    /// Nobody is left who could change anything.
    closed: bool,
    /// Who is to be woken, by the name of the stream.
    waiting: BTreeMap<u64, Waker>,
    streams: u64,
}

impl Shared {
    /// Looks at the clock, then at the machine.
    pub(crate) fn snapshot(&self) -> GroupProgress {
        let now = clock::now();
        self.0.lock().group.snapshot(now)
    }

    /// Changes the machine, and wakes who looks on if `change` says that it did.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Group, Instant) -> (R, bool)) -> R {
        let now = clock::now();
        let mut state = self.0.lock();
        let (answer, changed) = change(&mut state.group, now);
        if changed {
            state.version += 1;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            wake_all(waiting);
        }
        answer
    }

    /// The next look of a stream that has seen `seen`: the state where it is another, the end where there will be none.
    pub(super) fn poll_change(
        &self,
        stream: u64,
        seen: &mut Option<u64>,
        cx: &Context<'_>,
    ) -> Poll<Option<GroupProgress>> {
        let now = clock::now();
        // Cloned and dropped outside of the lock: a waker is foreign code (L2).
        let waker = cx.waker().clone();
        let mut state = self.0.lock();
        if *seen != Some(state.version) {
            *seen = Some(state.version);
            return Poll::Ready(Some(state.group.snapshot(now)));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        let before = state.waiting.insert(stream, waker);
        drop(state);
        drop(before);
        Poll::Pending
    }

    /// A name for one more stream.
    pub(super) fn stream(&self) -> u64 {
        let mut state = self.0.lock();
        state.streams += 1;
        state.streams
    }

    /// The stream waits no longer.
    pub(super) fn forget(&self, stream: u64) {
        let waker = self.0.lock().waiting.remove(&stream);
        drop(waker);
    }

    fn close(&self) {
        let mut state = self.0.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        wake_all(waiting);
    }
}

fn wake_all(waiting: BTreeMap<u64, Waker>) {
    for waker in waiting.into_values() {
        wake(Some(waker));
    }
}

/// The right to change the group, held by its handles and its members: with the last of them goes the hope of a change.
#[derive(Debug, Default)]
pub(crate) struct Owner {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.close();
    }
}
