//! What a transport tells of a single request, where each has an exchange of its own.
//!
//! Owns failing one call without the others, sending one again under a new id, and what lists of tools leave out. It
//! must not know HTTP.

use std::time::Instant;

use super::calls::Session;
use super::flight::Flight;
use super::stats::DiagnosticKind;
use super::tools::ToolBook;
use crate::error::Error;
use crate::progress::end::StreamEnd;
use crate::progress::slot::Outcome;
use crate::sync::Arc;

impl Session {
    /// Ends one call with an error of the transport of this leg; nothing happens where that is past already.
    pub(crate) fn fail(
        &self,
        flight: &Arc<Flight>,
        leg: u32,
        error: Error,
        end: StreamEnd,
        now: Instant,
    ) {
        let error = error.with_context(flight.context(now));
        if flight.slot.settle_leg(leg, Err(error), end, now) {
            self.forget(flight, end);
            flight.slot.wake();
        }
    }

    /// Gives a call in flight a new id, under which it is sent once more; none where it is over.
    pub(crate) fn renumber(&self, flight: &Arc<Flight>) -> Option<i64> {
        let id = self.mint_id();
        let old = flight.id();
        self.in_flight.insert(id, flight.clone());
        flight.set_id(id);
        self.retire_id(old, false);
        drop(
            self.in_flight
                .remove_if(&old, |other| Arc::ptr_eq(other, flight)),
        );
        // Race: the call may have been dropped after its first id was taken out and before the second was in.
        if flight.slot.phase().is_over() {
            drop(
                self.in_flight
                    .remove_if(&id, |other| Arc::ptr_eq(other, flight)),
            );
            self.retire_id(id, flight.may_yet_become_task());
            return None;
        }
        Some(id)
    }

    /// Takes in what the server's tools ask of requests that call them, from now on.
    pub(crate) fn know_tools(&self) {
        let _ = self.tools.set(ToolBook::new());
    }

    /// A result without the tools that must not be used.
    pub(super) fn screened(&self, flight: &Flight, outcome: Outcome) -> Outcome {
        match (self.tools.get(), outcome) {
            (Some(tools), Ok(result)) if flight.method == "tools/list" => {
                Ok(tools.screen(result, |tool, reason| {
                    self.counters
                        .note(DiagnosticKind::InvalidTool, || format!("{tool}: {reason}"));
                    tracing::warn!(tool, reason, "a tool is left out of the list");
                }))
            }
            (_, outcome) => outcome,
        }
    }
}
