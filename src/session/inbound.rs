//! Requests of the server that a handler serves, between the reader and the task that runs handlers.
//!
//! Owns their form, how many may be open at once, and which are at work, so that the server can cancel one. It must
//! not know handlers, tasks or the wire.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::jsonrpc::Key;
use crate::sync::{Mutex, wake};

/// How many requests are open at once, from their arrival until their answer leaves: those at work and 64 more.
const OPEN: usize = 80;
/// How many bytes of params wait for a handler, unless a single request has more.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// A request of the server to this client, `elicitation/create` for instance; see
/// [`Connect::on_request`](crate::Connect::on_request).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerRequest {
    /// Its method.
    pub method: String,
    /// Its params, verbatim.
    pub params: Option<Box<RawValue>>,
}

impl ServerRequest {
    /// The params as a type.
    ///
    /// # Errors
    ///
    /// Fails where the params do not have the form of `T`; absent ones are read as `null`.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.params.as_ref().map_or("null", |params| params.get()))
    }
}

/// The queue of one connection. Nothing is taken in before [`serve`](Self::serve).
#[derive(Debug, Default)]
pub(crate) struct Inbound(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The methods that are served.
    methods: Vec<String>,
    waiting: VecDeque<Asked>,
    waiting_bytes: usize,
    /// Those that a handler has, by the order in which they came.
    working: Vec<(u64, Key<'static>)>,
    /// Those of them that the server has cancelled since.
    cancelled: VecDeque<u64>,
    next_order: u64,
    closed: bool,
    waker: Option<Waker>,
}

/// A request that waits for its handler.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Ids are the server's, which may repeat one; this is ours.
    pub(crate) order: u64,
    pub(crate) id: Key<'static>,
    pub(crate) request: ServerRequest,
}

/// What becomes of a request as it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Queued,
    /// No handler is there for this method.
    Unserved,
    /// Too many are open.
    Refused,
}

/// What the task that runs handlers has to do next.
#[derive(Debug)]
pub(crate) enum Work {
    Serve(Asked),
    /// Stop the handler of the request with this order.
    Cancel(u64),
}

impl Asked {
    fn bytes(&self) -> usize {
        let params = self.request.params.as_ref();
        params.map_or(0, |params| params.get().len())
    }
}

impl Inbound {
    /// Takes requests with these methods in from now on.
    pub(crate) fn serve(&self, methods: Vec<String>) {
        let before = std::mem::replace(&mut self.0.lock().methods, methods);
        drop(before);
    }

    /// Takes a request in; `unwritten` answers of earlier ones have not left yet.
    pub(super) fn offer(
        &self,
        id: &Key<'_>,
        method: &str,
        params: Option<&RawValue>,
        unwritten: usize,
    ) -> Fate {
        let waker = {
            let mut state = self.0.lock();
            if state.closed || !state.methods.iter().any(|served| served == method) {
                return Fate::Unserved;
            }
            let asked = Asked {
                order: state.next_order,
                id: id.clone().into_owned(),
                request: ServerRequest {
                    method: method.to_owned(),
                    params: params.map(ToOwned::to_owned),
                },
            };
            let open = state.waiting.len() + state.working.len() + unwritten;
            let bytes = state.waiting_bytes + asked.bytes();
            if open >= OPEN || (bytes > WAITING_BYTES && !state.waiting.is_empty()) {
                return Fate::Refused;
            }
            state.next_order += 1;
            state.waiting_bytes = bytes;
            state.waiting.push_back(asked);
            state.waker.take()
        };
        wake(waker);
        Fate::Queued
    }

    /// The server does not want the answer to its request any more; nothing happens where that is on its way.
    pub(super) fn cancel(&self, id: &Key<'_>) {
        let (removed, waker) = {
            let mut state = self.0.lock();
            let state = &mut *state;
            let waiting = std::mem::take(&mut state.waiting);
            let (removed, kept): (Vec<_>, Vec<_>) =
                waiting.into_iter().partition(|asked| asked.id == *id);
            state.waiting = kept.into();
            state.waiting_bytes -= removed.iter().map(Asked::bytes).sum::<usize>();
            let cancelled = &mut state.cancelled;
            state.working.retain(|(order, working)| {
                let wanted = working != id;
                if !wanted {
                    cancelled.push_back(*order);
                }
                wanted
            });
            (removed, state.waker.take())
        };
        drop(removed);
        wake(waker);
    }

    /// What to do next; a new request only where there is room for its handler.
    ///
    /// Ready with nothing when the connection is over.
    pub(crate) fn poll_next(&self, room: bool, cx: &Context<'_>) -> Poll<Option<Work>> {
        let mut waker = Some(cx.waker().clone());
        let poll = {
            let mut state = self.0.lock();
            if state.closed {
                Poll::Ready(None)
            } else if let Some(work) = state.next(room) {
                Poll::Ready(Some(work))
            } else {
                std::mem::swap(&mut state.waker, &mut waker);
                Poll::Pending
            }
        };
        drop(waker);
        poll
    }

    /// A handler is done; false where the server has cancelled its request, so that no answer may be sent.
    ///
    /// Race: a cancel that comes after this finds nothing, and the answer that is on its way is passed over by the
    /// server.
    pub(crate) fn finish(&self, order: u64) -> bool {
        let mut state = self.0.lock();
        let place = state
            .working
            .iter()
            .position(|(working, _)| *working == order);
        place
            .map(|place| state.working.swap_remove(place))
            .is_some()
    }

    /// The connection is over: what waits is dropped, and the task that runs handlers ends.
    pub(super) fn close(&self) {
        let (waiting, waker) = {
            let mut state = self.0.lock();
            state.closed = true;
            state.waiting_bytes = 0;
            (std::mem::take(&mut state.waiting), state.waker.take())
        };
        drop(waiting);
        wake(waker);
    }
}

impl State {
    fn next(&mut self, room: bool) -> Option<Work> {
        if let Some(order) = self.cancelled.pop_front() {
            return Some(Work::Cancel(order));
        }
        if !room {
            return None;
        }
        let asked = self.waiting.pop_front()?;
        self.waiting_bytes -= asked.bytes();
        self.working.push((asked.order, asked.id.clone()));
        Some(Work::Serve(asked))
    }
}
