//! What must happen: tokens, calls and subscribers as plain data, without wakers, locks or tasks.

use std::time::Duration;

use mcp_progress::{Clock, StreamEnd};

use super::{Form, TOKENS};

pub(super) const IDLE: Duration = Duration::from_secs(5);
pub(super) const TOTAL: Duration = Duration::from_secs(12);

/// How a call ends, and the last update that its error names.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Result,
    Rpc(Option<f64>),
    Cancelled(Option<f64>),
    TimedOut(Clock, Option<f64>),
    Lost,
    /// The token is carried by another call in flight.
    Refused,
}

/// What the server has written and the client has not read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Frame {
    Update { token: usize, value: f64 },
    Response { call: usize, is_error: bool },
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// Subscribers wait for a call.
    Free,
    Live(usize),
    Over,
}

#[derive(Debug)]
struct Slot {
    token: usize,
    phase: Phase,
    last: Option<f64>,
}

#[derive(Debug)]
pub(super) struct Call {
    pub(super) id: i64,
    slot: Option<usize>,
    form: Form,
    pub(super) written: bool,
    pub(super) cancels: usize,
    pending: Vec<f64>,
    /// What its handler must have seen, in order.
    pub(super) seen: Vec<f64>,
    /// What the server sent for it before its end.
    sent: usize,
    pub(super) outcome: Option<Outcome>,
    /// Its future has run since the outcome was there.
    resolved: bool,
    /// Given up by its owner, who sees no outcome.
    pub(super) dropped: bool,
    started: Duration,
    sign: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Member {
    slot: Option<usize>,
    is_stream: bool,
    /// In its mailbox.
    pub(super) pending: Vec<f64>,
    /// What a callback must have seen, in order.
    pub(super) seen: Vec<f64>,
    pub(super) end: Option<StreamEnd>,
}

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) late_updates: u64,
    pub(super) foreign_updates: u64,
    pub(super) late_responses: u64,
    pub(super) retyped: u64,
    pub(super) delivered: u64,
}

#[derive(Debug)]
pub(super) struct Model {
    pub(super) connected: bool,
    pub(super) calls: Vec<Call>,
    pub(super) members: Vec<Member>,
    pub(super) counts: Counts,
    slots: Vec<Slot>,
    /// The slot that each token leads to.
    table: [Option<usize>; TOKENS],
    retired: [Option<StreamEnd>; TOKENS],
    next_id: i64,
}

impl Model {
    /// `next_id` is that of the first call after the handshake.
    pub(super) fn new(next_id: i64) -> Self {
        Self {
            connected: true,
            calls: Vec::new(),
            members: Vec::new(),
            counts: Counts::default(),
            slots: Vec::new(),
            table: [None; TOKENS],
            retired: [None; TOKENS],
            next_id,
        }
    }

    pub(super) fn live(&self) -> usize {
        self.calls.iter().filter(|call| self.is_live(call)).count()
    }

    pub(super) fn registrations(&self) -> usize {
        self.table.iter().flatten().count()
    }

    fn is_live(&self, call: &Call) -> bool {
        call.slot
            .is_some_and(|slot| matches!(self.slots[slot].phase, Phase::Live(_)))
            && call.outcome.is_none()
            && !call.dropped
    }

    pub(super) fn start(&mut self, token: usize, form: Form, now: Duration) -> usize {
        let index = self.calls.len();
        let mut call = Call {
            id: self.next_id,
            slot: None,
            form,
            written: false,
            cancels: 0,
            pending: Vec::new(),
            seen: Vec::new(),
            sent: 0,
            outcome: None,
            resolved: false,
            dropped: false,
            started: now,
            sign: None,
        };
        self.next_id += 1;
        let taken = self.table[token].map(|slot| self.slots[slot].phase);
        if !self.connected {
            call.outcome = Some(Outcome::Lost);
            call.resolved = true;
            self.retired[token] = Some(StreamEnd::Disconnected);
        } else if matches!(taken, Some(Phase::Live(_))) {
            call.outcome = Some(Outcome::Refused);
            call.resolved = true;
        } else {
            let slot = self.slot_of(token);
            self.slots[slot].phase = Phase::Live(index);
            call.slot = Some(slot);
        }
        self.calls.push(call);
        if self.is_live(&self.calls[index]) {
            // Starting polls once: callbacks that were there before have their turn.
            self.hand_over(index);
        }
        index
    }

    /// The slot that the token leads to, made if there is none.
    fn slot_of(&mut self, token: usize) -> usize {
        *self.table[token].get_or_insert_with(|| {
            self.slots.push(Slot {
                token,
                phase: Phase::Free,
                last: None,
            });
            self.slots.len() - 1
        })
    }

    /// The writer has taken what was queued.
    pub(super) fn write(&mut self, now: Duration) {
        for index in 0..self.calls.len() {
            if self.is_live(&self.calls[index]) && !self.calls[index].written {
                self.calls[index].written = true;
                self.calls[index].sign.get_or_insert(now);
            }
        }
    }

    /// The reader has taken what the server wrote, and every call was polled.
    pub(super) fn read(&mut self, frames: &[Frame], now: Duration) {
        let mut settled = Vec::new();
        for frame in frames {
            match *frame {
                Frame::Update { token, value } => self.update(token, value, now),
                Frame::Response { call, is_error } => {
                    if self.is_live(&self.calls[call]) {
                        settled.push((call, is_error));
                        let end = [StreamEnd::Completed, StreamEnd::Failed][usize::from(is_error)];
                        self.end_slot(call, end);
                    } else {
                        self.counts.late_responses += 1;
                    }
                }
            }
        }
        for (call, is_error) in settled {
            self.hand_over(call);
            let last = self.last(call);
            self.calls[call].outcome = Some(match is_error {
                true => Outcome::Rpc(last),
                false => Outcome::Result,
            });
            let call = &self.calls[call];
            if call.form.listens() {
                assert_eq!(call.seen.len(), call.sent, "the model itself is wrong");
            }
            self.silence_callbacks(self.calls.iter().position(|other| other.id == call.id));
        }
        for call in 0..self.calls.len() {
            if self.is_live(&self.calls[call]) {
                self.hand_over(call);
            }
        }
        self.resolve();
    }

    fn resolve(&mut self) {
        for call in &mut self.calls {
            call.resolved = call.outcome.is_some() && !call.dropped;
        }
    }

    fn update(&mut self, token: usize, value: f64, now: Duration) {
        // Tokens 1 and 2 are 7 and "7": each stands in for the other where only that one is known.
        let other = [None, Some(2), Some(1)][token];
        let retyped = self.table[token].is_none();
        let slot = self.table[token].or_else(|| self.table[other?]);
        let Some(slot) = slot else {
            match self.retired[token] {
                Some(_) => self.counts.late_updates += 1,
                None => self.counts.foreign_updates += 1,
            }
            return;
        };
        self.counts.retyped += u64::from(retyped);
        self.counts.delivered += 1;
        self.slots[slot].last = Some(value);
        for member in self
            .members
            .iter_mut()
            .filter(|member| member.slot == Some(slot))
        {
            member.pending.push(value);
        }
        if let Phase::Live(call) = self.slots[slot].phase {
            let call = &mut self.calls[call];
            call.sent += 1;
            call.sign = Some(now);
            if call.form.listens() {
                call.pending.push(value);
            }
        }
    }

    /// The call's future has run its own handler and the callbacks of its token.
    fn hand_over(&mut self, call: usize) {
        let slot = self.calls[call].slot;
        let call = &mut self.calls[call];
        call.seen.append(&mut call.pending);
        for member in &mut self.members {
            if member.slot == slot && !member.is_stream {
                member.seen.append(&mut member.pending);
            }
        }
    }

    fn silence_callbacks(&mut self, call: Option<usize>) {
        let slot = call.and_then(|call| self.calls[call].slot);
        for member in &mut self.members {
            if slot.is_some() && member.slot == slot && !member.is_stream {
                member.pending.clear();
                member.slot = None;
            }
        }
    }

    /// Takes the token out of the table; streams end and keep what they hold.
    fn end_slot(&mut self, call: usize, end: StreamEnd) {
        if let Some(slot) = self.calls[call].slot {
            self.finish_slot(slot, end);
        }
    }

    fn finish_slot(&mut self, slot: usize, end: StreamEnd) {
        let token = self.slots[slot].token;
        self.slots[slot].phase = Phase::Over;
        self.table[token] = None;
        self.retired[token] = Some(end);
        for member in &mut self.members {
            if member.slot == Some(slot) && member.is_stream {
                member.end = Some(end);
            }
        }
    }

    fn last(&self, call: usize) -> Option<f64> {
        self.slots[self.calls[call].slot?].last
    }

    /// The call is ended from this side; false where it is over already.
    fn kill(&mut self, call: usize, end: StreamEnd, outcome: Option<Outcome>) -> bool {
        if !self.is_live(&self.calls[call]) {
            return false;
        }
        self.end_slot(call, end);
        self.silence_callbacks(Some(call));
        let call = &mut self.calls[call];
        call.cancels = usize::from(call.written);
        call.pending.clear();
        call.dropped = outcome.is_none();
        call.outcome = outcome;
        true
    }

    pub(super) fn cancel(&mut self, call: usize) -> bool {
        let outcome = Outcome::Cancelled(self.last(call));
        self.kill(call, StreamEnd::Cancelled, Some(outcome))
    }

    pub(super) fn drop_call(&mut self, call: usize) {
        self.kill(call, StreamEnd::Cancelled, None);
        // Cancelled first and then dropped: there was an outcome that nobody took.
        self.calls[call].dropped |= !self.calls[call].resolved;
    }

    /// Time has passed: clocks may have run out.
    pub(super) fn pass(&mut self, now: Duration) {
        for call in 0..self.calls.len() {
            if !self.is_live(&self.calls[call]) {
                continue;
            }
            let total = self.calls[call].started + TOTAL;
            let idle = self.calls[call]
                .sign
                .map_or(Duration::MAX, |sign| sign + IDLE);
            let clock = if total <= idle {
                Clock::Total
            } else {
                Clock::Idle
            };
            if total.min(idle) <= now {
                let outcome = Outcome::TimedOut(clock, self.last(call));
                self.kill(call, StreamEnd::TimedOut, Some(outcome));
            }
        }
        self.resolve();
    }

    /// Adds a stream, which may have ended at once, or a callback; nothing where `get` finds no call.
    pub(super) fn join(&mut self, token: usize, is_stream: bool, waits: bool) -> Option<usize> {
        let mut member = Member {
            slot: None,
            is_stream,
            pending: Vec::new(),
            seen: Vec::new(),
            end: None,
        };
        let live =
            self.table[token].is_some_and(|slot| matches!(self.slots[slot].phase, Phase::Live(_)));
        let free = self.table[token].is_some() || (self.connected && self.retired[token].is_none());
        if live || (waits && free) {
            let slot = self.slot_of(token);
            member.slot = Some(slot);
            member.pending.extend(self.slots[slot].last);
        } else if waits {
            let refused = self.retired[token];
            member.end = refused.or(Some(StreamEnd::Disconnected));
        } else {
            return None;
        }
        self.members.push(member);
        Some(self.members.len() - 1)
    }

    pub(super) fn leave(&mut self, member: usize) {
        if let Some(slot) = self.members[member].slot.take() {
            self.members[member].pending.clear();
            self.vacate(slot);
        }
    }

    fn vacate(&mut self, slot: usize) {
        let held = self.members.iter().any(|member| member.slot == Some(slot));
        if self.slots[slot].phase == Phase::Free && !held {
            self.table[self.slots[slot].token] = None;
        }
    }

    pub(super) fn unregister(&mut self, token: usize) -> bool {
        let Some(slot) = self.table[token] else {
            return false;
        };
        for member in &mut self.members {
            if member.slot == Some(slot) {
                member.slot = None;
                member.pending.clear();
                member.end = Some(StreamEnd::Unregistered);
            }
        }
        self.vacate(slot);
        true
    }

    /// The connection is lost, or closed by the client, which cancels first.
    pub(super) fn disconnect(&mut self, by_client: bool) {
        for call in 0..self.calls.len() {
            if by_client {
                self.cancel(call);
            } else if self.is_live(&self.calls[call]) {
                self.hand_over(call);
                self.end_slot(call, StreamEnd::Disconnected);
                self.silence_callbacks(Some(call));
                self.calls[call].outcome = Some(Outcome::Lost);
            }
        }
        self.connected = false;
        for slot in self.table.into_iter().flatten() {
            self.finish_slot(slot, StreamEnd::Disconnected);
        }
    }
}
