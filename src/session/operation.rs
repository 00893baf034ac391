//! An operation of more than one request: a call that goes on after a response.
//!
//! Owns which responses those are, the step to the next request under the same token, and the end. It must not know who
//! answers what the server asks, nor how a task is watched.

use std::time::Instant;

use serde_json::value::RawValue;

use super::calls::Session;
use super::flight::{Created, Flight, Follow, Kind, Launch};
use super::peek;
use super::read::Read;
use super::stats::DiagnosticKind;
use super::wire::Message;
use crate::error::Error;
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::Overflow;
use crate::progress::phase::Phase;
use crate::progress::slot::{Outcome, Slot};
use crate::progress::tally::Tally;
use crate::sync::{Arc, Ordering};

/// A task that was created elsewhere.
#[derive(Debug)]
pub(crate) struct Adoption {
    pub(crate) task: Created,
    /// The token that the request carried, where one is known.
    pub(crate) token: Option<ProgressToken>,
    pub(crate) own: Option<Overflow>,
    /// What is counted, where somebody watches.
    pub(crate) tally: Option<Tally>,
}

impl Session {
    /// Whether the call goes on after this response. A task is noted with the call, before anything else is done.
    pub(super) fn goes_on(&self, flight: &Flight, raw: &RawValue) -> bool {
        let follow = flight.follow;
        let created = |task: Option<peek::CreatedTask<'_>>| {
            task.is_some_and(|(id, state)| {
                let (id, state) = (Box::from(&*id), Box::from(state));
                let _ = flight.task.set(Box::new(Created {
                    id,
                    state,
                    adopted: false,
                }));
                true
            })
        };
        if follow.augmented {
            return created(peek::created_task_2025(raw.get()));
        }
        if !follow.input && !follow.task {
            return false;
        }
        match peek::result_type(raw.get()).as_deref() {
            Some("input_required") => follow.input,
            Some("task") => follow.task && created(peek::created_task(raw.get())),
            _ => false,
        }
    }

    /// Takes in a response after which the call goes on: its id is over, its token is not.
    pub(super) fn suspend(&self, flight: &Arc<Flight>, raw: Box<RawValue>, read: &mut Read) {
        let id = flight.id();
        self.retire_id(id, false);
        // A server may guess the id of a request that was not written; it must not be written in place of the next one.
        if let Some(order) = flight.order() {
            self.outbox.withdraw(order);
        }
        let same = |other: &Arc<Flight>| Arc::ptr_eq(other, flight);
        self.ongoing.insert(flight.key(), flight.clone());
        // Race: the same response may come on two streams at once. Who takes the id out of the table has it.
        let taken = self.in_flight.remove_if(&id, same).is_some();
        if taken && flight.slot.suspend(raw, read.now) {
            if flight.slot.grace_until().is_some() {
                self.cancel_task_of(flight);
            }
            read.answered(flight.slot.clone());
        } else {
            // Race: the call was given up while its response came in.
            if flight.slot.phase().is_over() {
                drop(self.ongoing.remove_if(&flight.key(), same));
                self.cancel_task_of(flight);
            }
            self.counters
                .note(DiagnosticKind::LateResponse, || format!("id {id}"));
        }
    }

    /// A response to a call that was given up: a task that it creates is stopped, since nobody will watch it.
    pub(super) fn stop_late_task(&self, id: i64, raw: &RawValue, now: Instant) {
        if !self.is_abandoned(id) {
            return;
        }
        let task = if self.wire().is_modern() {
            let is_task = peek::result_type(raw.get()).as_deref() == Some("task");
            is_task.then(|| peek::created_task(raw.get())).flatten()
        } else {
            peek::created_task_2025(raw.get())
        };
        if let Some((task, _)) = task {
            self.cancel_task(&task, now);
        }
    }

    /// Sends the next request of an operation, under a new id and the same token.
    pub(crate) fn relaunch(&self, flight: &Arc<Flight>, message: &Message) -> Result<(), Error> {
        let id = self.mint_id();
        let token = flight.tracked.then(|| flight.slot.token());
        let frame = self.wire().request(id, message, token);
        flight.set_id(id);
        self.in_flight.insert(id, flight.clone());
        let same = |other: &Arc<Flight>| Arc::ptr_eq(other, flight);
        drop(self.ongoing.remove_if(&flight.key(), same));
        // Race: the call may have been given up, or the connection lost, before the new id was in the table.
        if self.is_closed() || !flight.slot.relaunch() {
            drop(self.in_flight.remove_if(&id, same));
            self.retire_id(id, flight.may_yet_become_task());
            return Err(self.lost_error());
        }
        self.post(flight, frame);
        Ok(())
    }

    /// Ends an operation between two requests, or as a task.
    pub(crate) fn conclude(&self, flight: &Arc<Flight>, outcome: Outcome, now: Instant) {
        let end = match &outcome {
            Ok(_) => StreamEnd::Completed,
            Err(_) if flight.slot.grace_until().is_some() => StreamEnd::Cancelled,
            Err(_) => StreamEnd::Failed,
        };
        let outcome = outcome.map_err(|error| error.with_context(flight.context(now)));
        if flight.slot.settle(outcome, end, now) {
            self.forget(flight, end);
            flight.slot.wake();
        }
    }

    /// Makes a call of a task that was created elsewhere, over another connection.
    pub(crate) fn adopt(&self, adoption: Adoption, now: Instant) -> Result<Arc<Flight>, Error> {
        let tracked = adoption.token.is_some();
        let slot = match adoption.token {
            Some(token) => self.claim(&token, adoption.own)?,
            None => {
                let token = ProgressToken::generate();
                Arc::new(Slot::new(token, Phase::Queued, adoption.own))
            }
        };
        if let Some(tally) = adoption.tally {
            slot.watch(tally);
        }
        slot.begin_between(now);
        let launch = Launch {
            #[cfg(any(feature = "http", feature = "indicatif"))]
            name: None,
            method: "tools/call".into(),
            base: None,
            follow: Follow::default(),
            slot,
            kind: Kind::Call,
            tracked,
            #[cfg(feature = "http")]
            reissues: 0,
        };
        // Ids are minted for what goes over the wire; this one only tells the call from others.
        let flight = Arc::new(Flight::new(self.mint_id(), launch, now));
        let _ = flight.task.set(Box::new(adoption.task));
        self.ongoing.insert(flight.key(), flight.clone());
        // Inserted, then checked, as in `register`.
        if self.is_closed() {
            flight.slot.kill(StreamEnd::Disconnected, None);
            self.forget(&flight, StreamEnd::Disconnected);
            return Err(self.lost_error().with_context(flight.context(now)));
        }
        Ok(flight)
    }

    /// Gives a call up without telling the server: its task goes on there.
    pub(crate) fn release(&self, flight: &Arc<Flight>) {
        flight.task_told.store(true, Ordering::Relaxed);
        self.leave_open();
        if flight.slot.kill(StreamEnd::Cancelled, None).is_some() {
            self.forget(flight, StreamEnd::Cancelled);
        }
    }
}
