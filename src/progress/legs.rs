//! The requests of one operation, one after the other.
//!
//! Owns the step from one request to the next under the same token: a response after which the call goes on, and the next
//! request. It must not know why it goes on, nor ids.
//!
//! Race: with two streams the response to one leg may come twice, and what carried a leg may find out that it broke off
//! when the next one is under way. So whoever ends a leg names it, and finds it past.

use std::time::Instant;

use serde_json::value::RawValue;

#[cfg(feature = "http")]
use super::end::StreamEnd;
use super::phase::Phase;
#[cfg(feature = "http")]
use super::slot::Outcome;
use super::slot::Slot;
use super::tally::News;
use crate::sync::Ordering;

impl Slot {
    /// Which request of the operation is under way, from 1.
    #[cfg(feature = "http")]
    pub(crate) fn leg(&self) -> u32 {
        self.state.lock().leg
    }

    /// Whether this leg has its response, or the call is over.
    #[cfg(feature = "http")]
    pub(crate) fn is_past(&self, leg: u32) -> bool {
        self.past.load(Ordering::Acquire) >= u64::from(leg)
    }

    /// The request has its response, and the call goes on from it; false where the call is over.
    ///
    /// Whoever calls this wakes the slot afterwards.
    pub(crate) fn suspend(&self, response: Box<RawValue>, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.phase.is_over() {
            // Dropped after the guard, since parameters outlive locals: L2 holds.
            return false;
        }
        state.phase = Phase::Between;
        if let Some(tally) = &mut state.tally {
            tally.hear(now);
        }
        state.interim = true;
        state.outcome = Some(Ok(response));
        self.past.store(state.leg.into(), Ordering::Release);
        true
    }

    /// Puts the slot of an operation that was begun elsewhere between two requests, before anybody else has it.
    pub(crate) fn begin_between(&self, now: Instant) {
        let mut state = self.state.lock();
        if state.phase == Phase::Queued {
            state.phase = Phase::Between;
            state.sent_at = Some(now);
            state.sign_at = Some(now);
            if let Some(tally) = &mut state.tally {
                tally.listen(now);
            }
            self.past.store(state.leg.into(), Ordering::Release);
        }
    }

    /// The next request of the operation is queued; false where the call is over. Its progress may begin anew.
    pub(crate) fn relaunch(&self) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Between {
            return false;
        }
        state.phase = Phase::Queued;
        state.leg = state.leg.saturating_add(1);
        state.highest = f64::NEG_INFINITY;
        // As for the first: the idle clock starts when the request is written.
        state.sign_at = None;
        state.byte_at = None;
        let leg = state.leg;
        if let Some(tally) = &mut state.tally {
            tally.tell(News::Leg(leg));
        }
        true
    }

    /// Ends the call with an outcome, unless this leg is past; false, and `outcome` dropped, where it is.
    #[cfg(feature = "http")]
    pub(crate) fn settle_leg(
        &self,
        leg: u32,
        outcome: Outcome,
        end: StreamEnd,
        now: Instant,
    ) -> bool {
        let mut state = self.state.lock();
        if state.phase.is_over() || state.phase == Phase::Between || state.leg != leg {
            // As in `suspend`.
            return false;
        }
        let before = self.settle_in(&mut state, outcome, end, now);
        drop(state);
        drop(before);
        true
    }
}
