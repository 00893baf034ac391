//! What is to be written, in which order, and what may still be withdrawn.
//!
//! Owns the queue between callers and the writer: cancels and replies go ahead of requests that are not yet
//! started on the wire. It must not know the stream that is written to.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::progress::slot::Slot;
use crate::sync::{Arc, Mutex, wake};

/// The writer takes about this much at once.
const BATCH_BYTES: usize = 64 * 1024;

/// Replies to a server that asks and never reads.
const MAX_REPLIES: usize = 1024;
const MAX_REPLY_BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    urgent: VecDeque<Urgent>,
    /// Requests and notifications, keyed by the order they came in, so that any one can be withdrawn.
    ordered: BTreeMap<u64, Ordered>,
    next_order: u64,
    replies: usize,
    reply_bytes: usize,
    /// No more comes; the writer ends once all is written.
    closing: bool,
    /// The writer is gone: nothing is written any more.
    dead: bool,
    waker: Option<Waker>,
}

#[derive(Debug)]
struct Urgent {
    frame: Vec<u8>,
    is_reply: bool,
}

#[derive(Debug)]
struct Ordered {
    frame: Vec<u8>,
    /// The call whose request this is; told when it leaves the outbox.
    slot: Option<Arc<Slot>>,
}

/// The server asks faster than it reads the answers.
#[derive(Debug)]
pub(crate) struct TooManyReplies;

impl Outbox {
    /// Queues a request or a notification; its place is what `withdraw` takes.
    pub(crate) fn push(&self, frame: Vec<u8>, slot: Option<Arc<Slot>>) -> u64 {
        let (order, waker);
        {
            let mut state = self.0.lock();
            order = state.next_order;
            state.next_order += 1;
            if !state.dead {
                state.ordered.insert(order, Ordered { frame, slot });
            }
            waker = state.waker.take();
        }
        wake(waker);
        order
    }

    /// Queues a cancel ahead of what is not yet started.
    ///
    /// The number of cancels is bounded by the number of requests written, so that this cannot fail.
    pub(crate) fn push_cancel(&self, frame: Vec<u8>) {
        let waker = {
            let mut state = self.0.lock();
            if !state.dead {
                state.urgent.push_back(Urgent {
                    frame,
                    is_reply: false,
                });
            }
            state.waker.take()
        };
        wake(waker);
    }

    /// Queues the answer to a request of the server.
    pub(crate) fn push_reply(&self, frame: Vec<u8>) -> Result<(), TooManyReplies> {
        let waker = {
            let mut state = self.0.lock();
            if state.replies >= MAX_REPLIES || state.reply_bytes + frame.len() > MAX_REPLY_BYTES {
                return Err(TooManyReplies);
            }
            state.replies += 1;
            state.reply_bytes += frame.len();
            if !state.dead {
                state.urgent.push_back(Urgent {
                    frame,
                    is_reply: true,
                });
            }
            state.waker.take()
        };
        wake(waker);
        Ok(())
    }

    /// Takes a request back that has not been started; nothing happens where it has.
    pub(crate) fn withdraw(&self, order: u64) {
        let removed = self.0.lock().ordered.remove(&order);
        drop(removed);
    }

    /// Moves what is to be written into `buffer` and marks its calls as sent.
    ///
    /// Ready with false when the outbox is closed and empty: the writer's work is done.
    pub(crate) fn poll_take(
        &self,
        buffer: &mut Vec<u8>,
        now: impl FnOnce() -> Instant,
        cx: &Context<'_>,
    ) -> Poll<bool> {
        let mut waker = Some(cx.waker().clone());
        let mut taken = Vec::new();
        let poll = {
            let mut state = self.0.lock();
            state.take(buffer, now, &mut taken);
            if !buffer.is_empty() {
                Poll::Ready(true)
            } else if state.closing {
                Poll::Ready(false)
            } else {
                std::mem::swap(&mut state.waker, &mut waker);
                Poll::Pending
            }
        };
        drop(waker);
        drop(taken);
        poll
    }

    /// No more comes after what is queued now.
    pub(crate) fn close(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.closing = true;
            state.waker.take()
        };
        wake(waker);
    }

    /// The writer is gone: drops what is queued, and all that comes.
    pub(crate) fn abort(&self) {
        let dropped = {
            let mut state = self.0.lock();
            state.dead = true;
            state.closing = true;
            (
                std::mem::take(&mut state.urgent),
                std::mem::take(&mut state.ordered),
                state.waker.take(),
            )
        };
        wake(dropped.2);
    }

    /// Frames that wait to be written.
    pub(crate) fn len(&self) -> usize {
        let state = self.0.lock();
        state.urgent.len() + state.ordered.len()
    }
}

impl State {
    fn take(
        &mut self,
        buffer: &mut Vec<u8>,
        now: impl FnOnce() -> Instant,
        taken: &mut Vec<Ordered>,
    ) {
        while buffer.len() < BATCH_BYTES
            && let Some(urgent) = self.urgent.pop_front()
        {
            buffer.extend_from_slice(&urgent.frame);
            if urgent.is_reply {
                self.replies -= 1;
                self.reply_bytes -= urgent.frame.len();
            }
        }
        if self.ordered.is_empty() {
            return;
        }
        let now = now();
        while buffer.len() < BATCH_BYTES
            && let Some((_, ordered)) = self.ordered.pop_first()
        {
            // Race: the call may have been dropped after its frame was queued and before it could withdraw it.
            // The slot decides; a frame that it refuses is never written and needs no cancel.
            if ordered.slot.as_ref().is_none_or(|slot| slot.mark_sent(now)) {
                buffer.extend_from_slice(&ordered.frame);
            }
            taken.push(ordered);
        }
    }
}
