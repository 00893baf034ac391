//! One connection's protocol state, free of I/O: which requests are in flight, and how each of them ends.
//!
//! Owns registering, cancelling and abandoning a call, and the loss of the connection. It must not know sockets,
//! tasks or timers.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::time::Instant;

use super::feed::Feed;
use super::flight::{Flight, Kind};
use super::notification::Notification;
use super::outbox::Outbox;
use super::stats::{Counters, Stats};
use super::wire::{self, Message, Wire};
use crate::error::{Error, ErrorKind};
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::Overflow;
use crate::progress::phase::Phase;
use crate::progress::registry::ProgressRegistry;
use crate::progress::slot::Slot;
use crate::progress::tokens::Tokens;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, Table};

/// How many finished ids are remembered, to tell a late response from a foreign one.
const RETIRED: usize = 1024;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) registry: ProgressRegistry,
    pub(super) in_flight: Table<i64, Arc<Flight>>,
    pub(crate) outbox: Outbox,
    pub(crate) counters: Counters,
    pub(crate) notifications: Feed<Notification>,
    next_id: AtomicU64,
    retired: Mutex<VecDeque<i64>>,
    wire: Mutex<Arc<Wire>>,
    closed: AtomicBool,
    /// Why the connection is gone.
    lost: Mutex<Option<Error>>,
}

/// A call to be registered.
#[derive(Debug)]
pub(crate) struct NewCall {
    pub(crate) message: Message,
    /// None leaves progress out.
    pub(crate) token: Option<ProgressToken>,
    /// The policy of the call's own mailbox, where it has a handler or is a stream.
    pub(crate) own: Option<Overflow>,
    pub(crate) kind: Kind,
}

impl Session {
    pub(crate) fn new(registry: ProgressRegistry) -> Self {
        Self {
            registry,
            in_flight: Table::new(),
            outbox: Outbox::default(),
            counters: Counters::new(),
            notifications: Feed::new(),
            next_id: AtomicU64::new(1),
            retired: Mutex::new(VecDeque::new()),
            wire: Mutex::new(Arc::new(Wire::handshake(None))),
            closed: AtomicBool::new(false),
            lost: Mutex::new(None),
        }
    }

    pub(crate) fn wire(&self) -> Arc<Wire> {
        self.wire.lock().clone()
    }

    pub(crate) fn set_wire(&self, wire: Wire) {
        let before = std::mem::replace(&mut *self.wire.lock(), Arc::new(wire));
        drop(before);
    }

    fn tokens(&self) -> &Arc<Tokens> {
        self.registry.tokens()
    }

    /// Makes a call live and queues its request: id and token are in the tables before the first byte.
    pub(crate) fn register(&self, call: NewCall, now: Instant) -> Result<Arc<Flight>, Error> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed).cast_signed();
        let tracked = call.token.is_some();
        let slot = match call.token {
            Some(token) => self
                .tokens()
                .claim(&token, call.own)
                .map_err(|_| duplicate(&token))?,
            None => Arc::new(Slot::new(
                ProgressToken::generate(),
                Phase::Queued,
                call.own,
            )),
        };
        let frame = self
            .wire()
            .request(id, &call.message, tracked.then(|| slot.token()));
        let flight = Arc::new(Flight {
            id,
            method: call.message.method,
            slot,
            started: now,
            kind: call.kind,
            tracked,
            order: OnceLock::new(),
            told: AtomicBool::new(false),
        });
        self.in_flight.insert(id, flight.clone());
        // Inserted, then checked: `disconnect` sets the flag, then drains, so that one of the two sees the other.
        if self.closed.load(Ordering::SeqCst) {
            flight.slot.kill(StreamEnd::Disconnected, None);
            self.forget(&flight, StreamEnd::Disconnected);
            return Err(self.lost_error().with_context(flight.context(now)));
        }
        let order = self.outbox.push_request(frame, flight.slot.clone());
        let _ = flight.order.set(order);
        Ok(flight)
    }

    /// Queues a notification.
    pub(crate) fn notify(&self, message: &Message) -> Result<(), Error> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(self.lost_error());
        }
        self.outbox
            .push_notification(Wire::notification(message))
            .map_err(|_| {
                Error::new(
                    ErrorKind::ConnectionLost,
                    "the server does not read: too many notifications wait to be written",
                )
            })
    }

    /// Ends a call from this side and tells the server, if the request has left.
    ///
    /// Synchronous, without a runtime, on any thread. False where the call was over already; then nothing is told.
    pub(crate) fn abandon(
        &self,
        flight: &Arc<Flight>,
        end: StreamEnd,
        reason: &str,
        error: Option<Error>,
    ) -> bool {
        let Some(phase) = flight.slot.kill(end, error.map(Err)) else {
            return false;
        };
        self.forget(flight, end);
        match phase {
            Phase::Sent => self.tell_cancelled(flight, reason),
            _ => {
                if let Some(order) = flight.order.get() {
                    self.outbox.withdraw(*order);
                }
            }
        }
        true
    }

    /// Queues the signal that the server should stop.
    pub(crate) fn tell_cancelled(&self, flight: &Flight, reason: &str) {
        let negotiation = matches!(flight.kind, Kind::Negotiation);
        if !negotiation && !flight.told.swap(true, Ordering::Relaxed) {
            self.outbox.push_cancel(wire::cancelled(flight.id, reason));
        }
    }

    /// Takes a call out of the tables and remembers that it was there.
    pub(super) fn forget(&self, flight: &Arc<Flight>, end: StreamEnd) {
        // The ring first: whoever misses the table must find the id here.
        {
            let mut retired = self.retired.lock();
            retired.push_back(flight.id);
            if retired.len() > RETIRED {
                retired.pop_front();
            }
        }
        let removed = self
            .in_flight
            .remove_if(&flight.id, |other| Arc::ptr_eq(other, flight));
        if flight.tracked {
            self.tokens().retire(&flight.slot, end);
        }
        drop(removed);
        if let Kind::Listen(feed) = &flight.kind {
            feed.close();
        }
    }

    pub(super) fn is_retired(&self, id: i64) -> bool {
        self.retired
            .lock()
            .iter()
            .rev()
            .any(|retired| *retired == id)
    }

    /// No new call is taken from here on; the first reason given counts.
    pub(crate) fn refuse(&self, error: Error) {
        let refused = {
            let mut lost = self.lost.lock();
            if lost.is_none() {
                lost.replace(error)
            } else {
                Some(error)
            }
        };
        self.closed.store(true, Ordering::SeqCst);
        drop(refused);
    }

    /// The connection is gone: every call ends with `error`, after what it has received.
    pub(crate) fn disconnect(&self, error: Error, now: Instant) {
        self.refuse(error);
        for flight in self.in_flight.values() {
            let written = flight.slot.phase() == Phase::Sent;
            let hint = if written {
                "the request was written; whether the server acted on it is unknown"
            } else {
                "the request was never written, so it can be sent again without harm"
            };
            let error = self
                .lost_error()
                .with_hint(hint)
                .with_context(flight.context(now));
            if flight.slot.settle(Err(error), StreamEnd::Disconnected) {
                self.forget(&flight, StreamEnd::Disconnected);
                flight.slot.wake();
            }
        }
        self.tokens().close();
        self.notifications.close();
        self.counters.feed.close();
        self.outbox.close();
    }

    fn lost_error(&self) -> Error {
        let lost = self.lost.lock();
        lost.as_ref().map_or_else(
            || Error::new(ErrorKind::ConnectionLost, "the connection is closed"),
            Error::duplicate,
        )
    }

    /// The calls in flight, at about this moment.
    pub(crate) fn flights(&self) -> Vec<Arc<Flight>> {
        self.in_flight.values()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counters.snapshot();
        stats.live_calls = self.in_flight.len();
        stats.registrations = self.registry.len();
        stats.queued_frames = self.outbox.len();
        stats
    }
}

fn duplicate(token: &ProgressToken) -> Error {
    let text = format!("the progress token {token:?} is carried by another call in flight");
    Error::new(ErrorKind::InvalidInput, text)
        .with_hint("wait for that call, or leave `progress_token` out and let the client mint one")
}
