//! One connection's protocol state, free of I/O: which requests are in flight, and how each of them ends.
//!
//! Owns registering, cancelling and abandoning a call, and the loss of the connection. It must not know sockets,
//! tasks or timers.

use std::collections::VecDeque;
use std::time::Instant;

use super::feed::Feed;
use super::flight::{Flight, Follow, Kind, Launch};
use super::inbound::Inbound;
use super::notification::Notification;
use super::outbox::Outbox;
use super::stats::{Counters, Stats};
use super::support::TaskTools;
use super::wire::{self, Message, Wire};
use crate::error::{Error, ErrorKind};
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::Overflow;
use crate::progress::phase::Phase;
use crate::progress::registry::ProgressRegistry;
use crate::progress::slot::Slot;
use crate::progress::tally::Tally;
use crate::progress::tokens::Tokens;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering, Table};

/// How many finished ids are remembered, to tell a late response from a foreign one.
const RETIRED: usize = 1024;

#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) registry: ProgressRegistry,
    pub(super) in_flight: Table<i64, Arc<Flight>>,
    /// Calls between two requests, or that go on as a task, by the slot they have.
    pub(super) ongoing: Table<usize, Arc<Flight>>,
    /// Requests that nobody waits for.
    pub(super) errands: Table<i64, Arc<Flight>>,
    /// How many subscriptions for the states of tasks are open.
    pub(crate) task_listens: AtomicU64,
    /// And how many may be.
    pub(crate) task_listens_at_most: AtomicU64,
    /// Told of each of those, which is to be given up after a while.
    pub(crate) on_errand: std::sync::OnceLock<OnErrand>,
    pub(crate) outbox: Outbox,
    pub(crate) counters: Counters,
    pub(crate) notifications: Feed<Notification>,
    pub(crate) inbound: Inbound,
    next_id: AtomicU64,
    retired: Mutex<VecDeque<Retired>>,
    /// Which tools run as tasks (revision 2025-11-25), as far as they were listed.
    pub(crate) task_tools: TaskTools,
    wire: Mutex<Arc<Wire>>,
    /// Whether an update must name a live token exactly.
    pub(crate) strict_tokens: AtomicBool,
    /// What is known of the server's tools, where requests depend on it.
    #[cfg(feature = "http")]
    pub(crate) tools: std::sync::OnceLock<super::tools::ToolBook>,
    /// Sends a request at once, where the transport needs no writer for that.
    #[cfg(feature = "http")]
    pub(crate) direct: std::sync::OnceLock<Direct>,
    /// Whether something at the server is to outlive this connection.
    left_open: AtomicBool,
    closed: AtomicBool,
    /// Why the connection is gone.
    lost: Mutex<Option<Error>>,
}

/// An id that is over.
#[derive(Clone, Copy, Debug)]
struct Retired {
    id: i64,
    /// Whether its call was ended from this side before a response, which may create a task.
    abandoned: bool,
}

/// Is given the requests that nobody waits for.
pub(crate) struct OnErrand(pub(crate) Box<dyn Fn(Arc<Flight>) + Send + Sync>);

impl std::fmt::Debug for OnErrand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OnErrand")
    }
}

/// Sends the request that waits, if it is the only one; false where the writer must be woken.
#[cfg(feature = "http")]
pub(crate) struct Direct(pub(crate) Box<dyn Fn() -> bool + Send + Sync>);

#[cfg(feature = "http")]
impl std::fmt::Debug for Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Direct")
    }
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
    pub(crate) follow: Follow,
    /// How often it may be sent again where its reply breaks off; over byte streams it never is.
    #[cfg_attr(
        not(feature = "http"),
        expect(dead_code, reason = "only HTTP sends again")
    )]
    pub(crate) reissues: u64,
}

impl Session {
    pub(crate) fn new(registry: ProgressRegistry) -> Self {
        Self {
            registry,
            in_flight: Table::new(),
            ongoing: Table::new(),
            errands: Table::new(),
            task_listens: AtomicU64::new(0),
            task_listens_at_most: AtomicU64::new(u64::MAX),
            on_errand: std::sync::OnceLock::new(),
            outbox: Outbox::default(),
            counters: Counters::new(),
            notifications: Feed::new(),
            inbound: Inbound::default(),
            next_id: AtomicU64::new(1),
            retired: Mutex::new(VecDeque::new()),
            task_tools: TaskTools::default(),
            wire: Mutex::new(Arc::new(Wire::handshake(None))),
            strict_tokens: AtomicBool::new(false),
            #[cfg(feature = "http")]
            tools: std::sync::OnceLock::new(),
            #[cfg(feature = "http")]
            direct: std::sync::OnceLock::new(),
            left_open: AtomicBool::new(false),
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

    /// Whether an update must name a live token exactly to be accepted.
    pub(crate) fn set_strict_tokens(&self, strict: bool) {
        self.strict_tokens.store(strict, Ordering::Relaxed);
    }

    pub(super) fn tokens(&self) -> &Arc<Tokens> {
        self.registry.tokens()
    }

    /// Makes a call live and queues its request: id and token are in the tables before the first byte.
    pub(crate) fn register(&self, call: NewCall, now: Instant) -> Result<Arc<Flight>, Error> {
        self.register_watched(call, None, now)
    }

    /// The same, and counts what becomes of it where there is a tally.
    pub(crate) fn register_watched(
        &self,
        call: NewCall,
        tally: Option<Tally>,
        now: Instant,
    ) -> Result<Arc<Flight>, Error> {
        let id = self.mint_id();
        let tracked = call.token.is_some();
        let slot = match call.token {
            Some(token) => self.claim(&token, call.own)?,
            None => Arc::new(Slot::new(
                ProgressToken::generate(),
                Phase::Queued,
                call.own,
            )),
        };
        if let Some(tally) = tally {
            slot.watch(tally);
        }
        let frame = self
            .wire()
            .request(id, &call.message, tracked.then(|| slot.token()));
        let goes_on = call.follow.input;
        let launch = Launch {
            #[cfg(any(feature = "http", feature = "indicatif"))]
            name: call.message.name.clone(),
            method: call.message.method.clone(),
            base: goes_on.then(|| Box::new(call.message)),
            follow: call.follow,
            slot,
            kind: call.kind,
            tracked,
            #[cfg(feature = "http")]
            reissues: call.reissues,
        };
        let flight = Arc::new(Flight::new(id, launch, now));
        self.in_flight.insert(id, flight.clone());
        // Inserted, then checked: `disconnect` sets the flag, then drains, so that one of the two sees the other.
        if self.closed.load(Ordering::SeqCst) {
            flight.slot.kill(StreamEnd::Disconnected, None);
            self.forget(&flight, StreamEnd::Disconnected);
            return Err(self.lost_error().with_context(flight.context(now)));
        }
        self.post(&flight, frame);
        Ok(flight)
    }

    pub(super) fn claim(
        &self,
        token: &ProgressToken,
        own: Option<Overflow>,
    ) -> Result<Arc<Slot>, Error> {
        let claimed = self.tokens().claim(token, own);
        claimed.map_err(|_| duplicate(token))
    }

    /// Queues the request of a call, and sees to it that it leaves.
    pub(super) fn post(&self, flight: &Arc<Flight>, frame: Vec<u8>) {
        let order = self.outbox.push_request(frame, flight.clone());
        flight.set_order(order);
        #[cfg(feature = "http")]
        let sent = self.direct.get().is_some_and(|send| send.0());
        #[cfg(not(feature = "http"))]
        let sent = false;
        if !sent {
            self.outbox.wake();
        }
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
            Phase::Sent | Phase::Between => self.tell_cancelled(flight, phase, reason),
            _ => {
                if let Some(order) = flight.order() {
                    self.outbox.withdraw(order);
                }
            }
        }
        true
    }

    /// Tells the server to stop, but goes on with the call until it answers, or until `until`; false where the call is not
    /// under way.
    pub(crate) fn cancel_with_grace(
        &self,
        flight: &Arc<Flight>,
        until: Instant,
        reason: &str,
    ) -> bool {
        let phase = flight.slot.begin_grace(until);
        if let Some(phase) = phase {
            self.tell_cancelled(flight, phase, reason);
        }
        phase.is_some()
    }

    /// Queues the signal that the server should stop.
    fn tell_cancelled(&self, flight: &Flight, phase: Phase, reason: &str) {
        if self.cancel_task_of(flight) {
            return;
        }
        // Between two requests none is open that could be cancelled.
        let open = phase == Phase::Sent && !matches!(flight.kind, Kind::Negotiation);
        if open && !flight.told.swap(true, Ordering::Relaxed) {
            let id = flight.id();
            self.outbox.push_cancel(id, wire::cancelled(id, reason));
        }
    }

    /// Takes a call out of the tables and remembers that it was there.
    pub(super) fn forget(&self, flight: &Arc<Flight>, end: StreamEnd) {
        // The ring first: whoever misses the table must find the id here.
        let abandoned = matches!(end, StreamEnd::Cancelled | StreamEnd::TimedOut);
        self.retire_id(flight.id(), abandoned && flight.may_yet_become_task());
        let same = |other: &Arc<Flight>| Arc::ptr_eq(other, flight);
        let removed = (
            self.in_flight.remove_if(&flight.id(), same),
            self.ongoing.remove_if(&flight.key(), same),
            self.errands.remove_if(&flight.id(), same),
        );
        if flight.tracked {
            self.tokens().retire(&flight.slot, end);
        }
        drop(removed);
        if let Kind::Listen(feed) = &flight.kind {
            feed.close();
        }
    }

    pub(crate) fn mint_id(&self) -> i64 {
        self.next_id.fetch_add(1, Ordering::Relaxed).cast_signed()
    }

    pub(super) fn retire_id(&self, id: i64, abandoned: bool) {
        let mut retired = self.retired.lock();
        retired.push_back(Retired { id, abandoned });
        if retired.len() > RETIRED {
            retired.pop_front();
        }
    }

    pub(super) fn is_retired(&self, id: i64) -> bool {
        self.retired
            .lock()
            .iter()
            .rev()
            .any(|retired| retired.id == id)
    }

    /// Whether the call with this id was ended from this side before it had a response, which may create a task.
    pub(super) fn is_abandoned(&self, id: i64) -> bool {
        let retired = self.retired.lock();
        let retired = retired.iter().rev().find(|retired| retired.id == id);
        retired.is_some_and(|retired| retired.abandoned)
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
        for flight in self.flights() {
            let written = flight.slot.phase() == Phase::Sent;
            let hint = if flight.task.get().is_some() {
                "the server may go on with the task; `resume_task` takes it up over a new connection"
            } else if written {
                "the request was written; whether the server acted on it is unknown"
            } else {
                "the request was never written, so it can be sent again without harm"
            };
            let error = self
                .lost_error()
                .with_hint(hint)
                .with_context(flight.context(now));
            if flight.slot.settle(Err(error), StreamEnd::Disconnected, now) {
                self.forget(&flight, StreamEnd::Disconnected);
                flight.slot.wake();
            }
        }
        for errand in self.errands.values() {
            self.forget(&errand, StreamEnd::Disconnected);
        }
        self.tokens().close();
        self.notifications.close();
        self.counters.feed.close();
        self.inbound.close();
        self.outbox.close();
    }

    pub(super) fn lost_error(&self) -> Error {
        let lost = self.lost.lock();
        lost.as_ref().map_or_else(
            || Error::new(ErrorKind::ConnectionLost, "the connection is closed"),
            Error::duplicate,
        )
    }

    /// The calls in flight, at about this moment.
    pub(crate) fn flights(&self) -> Vec<Arc<Flight>> {
        let mut flights = self.in_flight.values();
        flights.extend(self.ongoing.values());
        flights
    }

    /// Something at the server is to outlive this connection: its session is not ended.
    pub(crate) fn leave_open(&self) {
        self.left_open.store(true, Ordering::Relaxed);
    }

    #[cfg(feature = "http")]
    pub(crate) fn is_left_open(&self) -> bool {
        self.left_open.load(Ordering::Relaxed)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst)
    }

    pub(crate) fn stats(&self) -> Stats {
        let mut stats = self.counters.snapshot();
        stats.live_calls = self.in_flight.len() + self.ongoing.len();
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
