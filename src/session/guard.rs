//! The guard of a call: as long as it lives the call may run, and dropping it cancels.
//!
//! Owns promise 7, at once, on any thread, without a runtime. It must not know who awaits the call.

use super::calls::Session;
use super::flight::Flight;
use crate::progress::end::StreamEnd;
use crate::sync::Arc;

#[derive(Debug)]
pub(crate) struct CallGuard {
    session: Arc<Session>,
    flight: Arc<Flight>,
    over: bool,
}

impl CallGuard {
    pub(crate) const fn new(session: Arc<Session>, flight: Arc<Flight>) -> Self {
        Self {
            session,
            flight,
            over: false,
        }
    }

    pub(crate) const fn session(&self) -> &Arc<Session> {
        &self.session
    }

    pub(crate) const fn flight(&self) -> &Arc<Flight> {
        &self.flight
    }

    /// The call is given up, and its task is left to the server.
    pub(crate) fn release(&mut self) {
        self.over = true;
        self.session.release(&self.flight);
        self.flight.slot.forget_call();
    }

    /// The call has its outcome: nothing is left to cancel.
    pub(crate) fn finish(&mut self) {
        self.over = true;
        self.flight.slot.forget_call();
    }
}

impl Drop for CallGuard {
    fn drop(&mut self) {
        if !self.over {
            let (end, reason) = (StreamEnd::Cancelled, "the caller dropped the call");
            self.session.abandon(&self.flight, end, reason, None);
            self.flight.slot.forget_call();
        }
    }
}
