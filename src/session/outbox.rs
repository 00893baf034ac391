//! What is to be written, in which order, and what may still be withdrawn.
//!
//! Owns the queue between callers and the writer: cancels and replies go ahead of requests that are not yet
//! started on the wire. It must not know the stream that is written to.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::flight::Flight;
use crate::sync::{Arc, Mutex, wake};

/// The writer takes about this much at once.
const BATCH_BYTES: usize = 64 * 1024;

/// How much waits of what no call answers for: replies to a server that asks and never reads, and the user's own
/// notifications to such a server.
const MAX_FRAMES: usize = 1024;
const MAX_BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Outbox(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    urgent: VecDeque<Urgent>,
    /// Requests that tell the server to stop something: behind the other signals, ahead of requests.
    errands: VecDeque<Ordered>,
    /// Requests and notifications, keyed by the order they came in, so that any one can be withdrawn.
    ordered: BTreeMap<u64, Ordered>,
    next_order: u64,
    replies: Load,
    /// Answers of handlers that wait.
    answers: usize,
    notifications: Load,
    /// A notification has left and is not known to have arrived.
    #[cfg(feature = "http")]
    posting: bool,
    /// No more comes; the writer ends once all is written.
    closing: bool,
    /// The writer is gone: nothing is written any more.
    dead: bool,
    waker: Option<Waker>,
}

/// How many frames of a kind wait, and their bytes.
#[derive(Debug, Default)]
struct Load {
    frames: usize,
    bytes: usize,
}

impl Load {
    fn add(&mut self, frame: &[u8]) -> Result<(), Full> {
        if self.frames >= MAX_FRAMES || self.bytes + frame.len() > MAX_BYTES {
            return Err(Full);
        }
        self.frames += 1;
        self.bytes += frame.len();
        Ok(())
    }

    fn remove(&mut self, frame: &[u8]) {
        self.frames -= 1;
        self.bytes -= frame.len();
    }
}

#[derive(Debug)]
struct Urgent {
    frame: Vec<u8>,
    what: Signal,
}

#[derive(Clone, Copy, Debug)]
enum Signal {
    /// The cancel of the request with this id.
    Cancel(
        #[cfg_attr(
            not(feature = "http"),
            expect(dead_code, reason = "only HTTP looks for the request's exchange")
        )]
        i64,
    ),
    /// An answer that the reader gave.
    Reply,
    /// The answer of a handler.
    Answer,
}

#[derive(Debug)]
struct Ordered {
    frame: Vec<u8>,
    /// The call whose request this is; told when it leaves the outbox.
    flight: Option<Arc<Flight>>,
}

/// One message that leaves the outbox by itself.
#[cfg(feature = "http")]
#[derive(Debug)]
pub(crate) enum Departure {
    Request {
        frame: Vec<u8>,
        flight: Arc<Flight>,
    },
    Notification(Vec<u8>),
    Reply(Vec<u8>),
    /// The signal that the request with this id should stop.
    Cancel {
        frame: Vec<u8>,
        id: i64,
    },
}

/// What may leave now, where each message goes by itself. Cancels always may.
#[cfg(feature = "http")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    pub(crate) replies: bool,
    /// For requests and notifications.
    pub(crate) ordered: bool,
    /// For requests that tell the server to stop something.
    pub(crate) errands: bool,
}

/// More waits to be written than the server reads.
#[derive(Debug)]
pub(crate) struct Full;

impl Outbox {
    /// Queues a request; its place is what `withdraw` takes. Whoever calls this sees to it that it leaves, by `wake`.
    pub(crate) fn push_request(&self, frame: Vec<u8>, flight: Arc<Flight>) -> u64 {
        self.0.lock().push(frame, Some(flight))
    }

    /// Queues a request that tells the server to stop something; false where nothing is written any more.
    pub(crate) fn push_errand(&self, frame: Vec<u8>, flight: Arc<Flight>) -> bool {
        let waker = {
            let mut state = self.0.lock();
            if state.dead {
                return false;
            }
            let flight = Some(flight);
            state.errands.push_back(Ordered { frame, flight });
            state.waker.take()
        };
        wake(waker);
        true
    }

    /// Wakes the writer.
    pub(crate) fn wake(&self) {
        let waker = self.0.lock().waker.take();
        wake(waker);
    }

    /// Takes the one request that waits, where nothing else does and no notification is on its way that it must not
    /// overtake. Nothing where there is one that must go through the writer.
    #[cfg(feature = "http")]
    pub(crate) fn take_only(&self, now: Instant) -> Option<(Vec<u8>, Arc<Flight>)> {
        let mut state = self.0.lock();
        let alone = state.ordered.len() == 1 && state.urgent.is_empty() && !state.posting;
        let is_request = |next: &Ordered| next.flight.is_some();
        if !alone || !state.ordered.values().next().is_some_and(is_request) {
            return None;
        }
        let (_, next) = state.ordered.pop_first()?;
        // Race: as in `take`.
        let wanted = next.is_wanted(now);
        drop(state);
        next.flight
            .filter(|_| wanted)
            .map(|flight| (next.frame, flight))
    }

    /// The notification that left last has arrived: what waits behind it may go.
    #[cfg(feature = "http")]
    pub(crate) fn posted(&self) {
        self.0.lock().posting = false;
    }

    /// Queues a notification behind the requests that wait.
    pub(crate) fn push_notification(&self, frame: Vec<u8>) -> Result<(), Full> {
        let waker = {
            let mut state = self.0.lock();
            state.notifications.add(&frame)?;
            state.push(frame, None);
            state.waker.take()
        };
        wake(waker);
        Ok(())
    }

    /// Queues a cancel ahead of what is not yet started.
    ///
    /// The number of cancels is bounded by the number of requests written, so that this cannot fail.
    pub(crate) fn push_cancel(&self, id: i64, frame: Vec<u8>) {
        let waker = {
            let mut state = self.0.lock();
            if !state.dead {
                state.urgent.push_back(Urgent {
                    frame,
                    what: Signal::Cancel(id),
                });
            }
            state.waker.take()
        };
        wake(waker);
    }

    /// Queues the answer to a request of the server.
    pub(crate) fn push_reply(&self, frame: Vec<u8>) -> Result<(), Full> {
        let waker = {
            let mut state = self.0.lock();
            state.replies.add(&frame)?;
            if !state.dead {
                state.urgent.push_back(Urgent {
                    frame,
                    what: Signal::Reply,
                });
            }
            state.waker.take()
        };
        wake(waker);
        Ok(())
    }

    /// Queues the answer of a handler to a request of the server.
    ///
    /// Their number is bounded by that of the requests that may be open, so that this cannot fail.
    pub(crate) fn push_answer(&self, frame: Vec<u8>) {
        let waker = {
            let mut state = self.0.lock();
            if !state.dead {
                state.answers += 1;
                state.urgent.push_back(Urgent {
                    frame,
                    what: Signal::Answer,
                });
            }
            state.waker.take()
        };
        wake(waker);
    }

    /// How many answers of handlers wait to be written.
    pub(crate) fn answers(&self) -> usize {
        self.0.lock().answers
    }

    /// Whether a notification waits, or has left and is not known to have arrived: an answer would overtake it.
    pub(crate) fn holds_notifications(&self) -> bool {
        let state = self.0.lock();
        #[cfg(feature = "http")]
        let posting = state.posting;
        #[cfg(not(feature = "http"))]
        let posting = false;
        posting || state.notifications.frames > 0
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

    /// The next message that there is room for.
    ///
    /// Ready with nothing when the outbox is closed and empty.
    #[cfg(feature = "http")]
    pub(crate) fn poll_next(
        &self,
        room: Room,
        now: impl FnOnce() -> Instant,
        cx: &Context<'_>,
    ) -> Poll<Option<Departure>> {
        let mut waker = Some(cx.waker().clone());
        let mut refused = Vec::new();
        let poll = {
            let mut state = self.0.lock();
            let next = state.next(room, now, &mut refused);
            if next.is_some() {
                Poll::Ready(next)
            } else if state.closing && state.is_empty() {
                Poll::Ready(None)
            } else {
                std::mem::swap(&mut state.waker, &mut waker);
                Poll::Pending
            }
        };
        drop(waker);
        drop(refused);
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
                std::mem::take(&mut state.errands),
                state.waker.take(),
            )
        };
        wake(dropped.3);
    }

    /// Frames that wait to be written.
    pub(crate) fn len(&self) -> usize {
        let state = self.0.lock();
        state.urgent.len() + state.errands.len() + state.ordered.len()
    }
}

impl Ordered {
    fn is_wanted(&self, now: Instant) -> bool {
        let flight = self.flight.as_ref();
        flight.is_none_or(|flight| flight.slot.mark_sent(now))
    }
}

impl State {
    #[cfg(feature = "http")]
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.errands.is_empty() && self.ordered.is_empty()
    }

    fn push(&mut self, frame: Vec<u8>, flight: Option<Arc<Flight>>) -> u64 {
        let order = self.next_order;
        self.next_order += 1;
        if !self.dead {
            self.ordered.insert(order, Ordered { frame, flight });
        }
        order
    }

    fn leaves(&mut self, urgent: &Urgent) {
        match urgent.what {
            Signal::Cancel(_) => {}
            Signal::Reply => self.replies.remove(&urgent.frame),
            Signal::Answer => self.answers -= 1,
        }
    }

    #[cfg(feature = "http")]
    fn next(
        &mut self,
        room: Room,
        now: impl FnOnce() -> Instant,
        refused: &mut Vec<Ordered>,
    ) -> Option<Departure> {
        let mut urgent = self.urgent.iter();
        let next =
            urgent.position(|urgent| room.replies || matches!(urgent.what, Signal::Cancel(_)));
        if let Some(urgent) = next.and_then(|next| self.urgent.remove(next)) {
            self.leaves(&urgent);
            let Urgent { frame, what } = urgent;
            return Some(match what {
                Signal::Cancel(id) => Departure::Cancel { frame, id },
                Signal::Reply | Signal::Answer => Departure::Reply(frame),
            });
        }
        let errands = room.errands && !self.errands.is_empty();
        if !errands && (!room.ordered || self.ordered.is_empty()) {
            return None;
        }
        let now = now();
        loop {
            // An errand is a signal: it does not wait for a connection.
            let next = if room.errands {
                self.errands.pop_front()
            } else {
                None
            };
            let next = match next {
                None if room.ordered => self.ordered.pop_first()?.1,
                next => next?,
            };
            // Race: as in `take`.
            if !next.is_wanted(now) {
                refused.push(next);
                continue;
            }
            return Some(match next.flight {
                Some(flight) => Departure::Request {
                    frame: next.frame,
                    flight,
                },
                None => {
                    self.notifications.remove(&next.frame);
                    self.posting = true;
                    Departure::Notification(next.frame)
                }
            });
        }
    }

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
            self.leaves(&urgent);
        }
        if self.ordered.is_empty() && self.errands.is_empty() {
            return;
        }
        let now = now();
        while buffer.len() < BATCH_BYTES {
            let errand = self.errands.pop_front();
            let Some(ordered) = errand.or_else(|| Some(self.ordered.pop_first()?.1)) else {
                break;
            };
            // Race: the call may have been dropped after its frame was queued and before it could withdraw it.
            // The slot decides; a frame that it refuses is never written and needs no cancel.
            if ordered.is_wanted(now) {
                buffer.extend_from_slice(&ordered.frame);
            }
            if ordered.flight.is_none() {
                self.notifications.remove(&ordered.frame);
            }
            taken.push(ordered);
        }
    }
}
