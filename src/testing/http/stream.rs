//! Owns what one stream of server-sent events holds: what was written, what was read, and how it ends.
//! Must not know HTTP, nor how events are spelt.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// How many events a stream keeps for clients that come back.
const KEPT: usize = 10_000;

/// What becomes of events once they are read, and of those that nobody reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeping {
    /// Kept for a reader that comes back.
    Stored,
    /// Kept until they are read.
    Queued,
    /// Gone when they are read, or when the reader goes.
    Passing,
}

/// How a reader is cut off while the stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// The body ends in good order.
    Closed,
    /// The connection breaks.
    Broken,
}

/// The messages to one place of the client, with a reader at most at any time. Its clones are handles to the same.
#[derive(Clone, Debug)]
pub(crate) struct Stream(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    number: u64,
    keeping: Keeping,
    state: Mutex<State>,
    /// Something was written, or the stream ended, or another reader came.
    written: Notify,
    /// Something was read, or the reader went.
    read: Notify,
}

#[derive(Debug, Default)]
struct State {
    events: VecDeque<Event>,
    /// How many events were ever written. The first has the number 1.
    written: u64,
    /// How many of them a reader has had.
    read: u64,
    /// The beginning of a line whose end is not written yet.
    partial: Vec<u8>,
    /// How many scripts will still write here before the stream ends. A stream without any never ends by itself.
    players: usize,
    ended: bool,
    /// Where the present reader is cut off: behind the event of this number.
    cut: Option<(u64, Cut)>,
    /// Which reader is the present one. Those before it are over.
    reader: u64,
    attached: bool,
}

#[derive(Debug)]
struct Event {
    line: Vec<u8>,
    /// Whether the next event was written together with this one.
    joined: bool,
}

/// What a reader finds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Events that were written together: the number of the first, and their lines.
    Events(u64, Vec<Vec<u8>>),
    End,
    Cut(Cut),
}

impl Stream {
    pub(crate) fn new(number: u64, keeping: Keeping) -> Self {
        Self(Arc::new(Shared {
            number,
            keeping,
            state: Mutex::default(),
            written: Notify::new(),
            read: Notify::new(),
        }))
    }

    pub(crate) fn number(&self) -> u64 {
        self.0.number
    }

    pub(crate) fn keeping(&self) -> Keeping {
        self.0.keeping
    }

    /// Queues lines as one write and returns the number of the last event.
    pub(crate) fn write(&self, bytes: &[u8]) -> u64 {
        let mut state = self.lock();
        let gone = self.0.keeping == Keeping::Passing && !state.attached && state.reader > 0;
        if state.ended || gone {
            return 0;
        }
        let mut rest = bytes;
        let mut joined = false;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let mut line = std::mem::take(&mut state.partial);
            line.extend_from_slice(&rest[..end]);
            rest = &rest[end + 1..];
            if joined && let Some(last) = state.events.back_mut() {
                last.joined = true;
            }
            joined = true;
            state.written += 1;
            state.events.push_back(Event {
                line,
                joined: false,
            });
        }
        state.partial.extend_from_slice(rest);
        state.trim(self.0.keeping);
        let last = state.written;
        drop(state);
        self.0.written.notify_waiters();
        last
    }

    /// Like [`write`](Self::write), and waits until a reader has had it. Without a reader it does not wait.
    pub(crate) async fn write_through(&self, bytes: &[u8]) {
        let last = self.write(bytes);
        // Also where nobody reads, a flood must let others have their turn.
        tokio::task::yield_now().await;
        loop {
            let mut read = pin!(self.0.read.notified());
            // Before the look, so that a change between the look and the wait is not missed.
            read.as_mut().enable();
            if self.lock().has_read(last) {
                return;
            }
            read.await;
        }
    }

    /// One more script writes here. When the last of them is done the stream ends.
    pub(crate) fn begin(&self) {
        self.lock().players += 1;
    }

    pub(crate) fn done(&self) {
        let mut state = self.lock();
        state.players = state.players.saturating_sub(1);
        let last = state.players == 0;
        drop(state);
        if last {
            self.end();
        }
    }

    pub(crate) fn end(&self) {
        self.lock().ended = true;
        self.0.written.notify_waiters();
        self.0.read.notify_waiters();
    }

    pub(crate) fn is_ended(&self) -> bool {
        self.lock().ended
    }

    /// Whether somebody reads.
    pub(crate) fn is_attached(&self) -> bool {
        self.lock().attached
    }

    /// Cuts off the present reader behind what is written so far, if there is a reader.
    pub(crate) fn cut(&self, how: Cut) {
        let mut state = self.lock();
        if state.attached {
            state.cut = Some((state.written, how));
        }
        drop(state);
        self.0.written.notify_waiters();
    }

    /// Lets a reader in, in the place of an earlier one. It begins behind the event of that number, or where the
    /// last reader stopped.
    pub(crate) fn attach(&self, after: Option<u64>) -> Cursor {
        let mut state = self.lock();
        state.reader += 1;
        state.attached = true;
        state.cut = None;
        let cursor = Cursor {
            stream: self.clone(),
            reader: state.reader,
            position: after.unwrap_or(state.read),
        };
        drop(state);
        self.0.written.notify_waiters();
        cursor
    }

    /// Whether the stream ever had an event of this number.
    pub(crate) fn has(&self, event: u64) -> bool {
        event <= self.lock().written
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned state is still whole.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number of the oldest event that is still there.
    fn first(&self) -> u64 {
        self.written + 1 - self.events.len() as u64
    }

    /// Whether nobody has to wait any more for the reader to have had this event.
    fn has_read(&self, event: u64) -> bool {
        self.read >= event || !self.attached || self.ended
    }

    fn trim(&mut self, keeping: Keeping) {
        let limit = match keeping {
            Keeping::Stored => KEPT,
            Keeping::Queued | Keeping::Passing => 0,
        };
        while self.events.len() > limit {
            let unread = self.first() > self.read;
            // What the present reader has not had yet is never dropped; without one the oldest give way.
            if unread && (self.attached || self.events.len() <= KEPT) {
                return;
            }
            self.events.pop_front();
        }
    }
}

/// The place of one reader in a stream. Dropping it leaves the stream.
#[derive(Debug)]
pub(crate) struct Cursor {
    stream: Stream,
    reader: u64,
    /// The number of the last event that this reader had.
    position: u64,
}

impl Cursor {
    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Waits for what comes next, at most so many events.
    ///
    /// Dropping the future loses nothing.
    pub(crate) async fn next(&mut self, most: usize) -> Found {
        loop {
            let stream = self.stream.clone();
            let mut written = pin!(stream.0.written.notified());
            // Before the look, so that a change between the look and the wait is not missed.
            written.as_mut().enable();
            if let Some(found) = self.look(most) {
                return found;
            }
            written.await;
        }
    }

    fn look(&mut self, most: usize) -> Option<Found> {
        let shared = &self.stream.0;
        let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.reader != self.reader {
            return Some(Found::End);
        }
        let until = match state.cut {
            Some((at, how)) if self.position >= at => {
                state.cut = None;
                return Some(Found::Cut(how));
            }
            Some((at, _)) => at,
            None => state.written,
        };
        self.position = self.position.max(state.first() - 1);
        if self.position >= until {
            return state.ended.then_some(Found::End);
        }
        let first = self.position + 1;
        let start = usize::try_from(first - state.first()).unwrap_or(usize::MAX);
        let room = usize::try_from(until - self.position).unwrap_or(usize::MAX);
        let mut lines = Vec::new();
        for event in state.events.iter().skip(start).take(room.min(most)) {
            lines.push(event.line.clone());
            if !event.joined {
                break;
            }
        }
        self.position += lines.len() as u64;
        state.read = state.read.max(self.position);
        state.trim(shared.keeping);
        drop(state);
        shared.read.notify_waiters();
        Some(Found::Events(first, lines))
    }
}

impl Drop for Cursor {
    fn drop(&mut self) {
        let mut state = self.stream.lock();
        if state.reader == self.reader {
            state.attached = false;
            state.cut = None;
        }
        drop(state);
        self.stream.0.read.notify_waiters();
    }
}
