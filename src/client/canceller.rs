//! The cancel button of a call.
//!
//! Owns cancelling from any task or thread. It must not know who awaits the call.

use std::fmt;
use std::time::Duration;

use super::clock;
use super::core::Core;
use crate::error::Error;
use crate::progress::end::StreamEnd;
use crate::session::calls::Session;
use crate::session::flight::Flight;
use crate::sync::Arc;

/// The longest grace, a year.
const MAX_GRACE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Cancels one call; cheap to clone, usable from any thread, with or without a runtime.
///
/// It keeps neither the call nor the connection alive.
#[derive(Clone)]
pub struct Canceller {
    /// None where the request could not be sent.
    call: Option<(Arc<Session>, Arc<Flight>)>,
    grace: Duration,
}

impl Canceller {
    pub(super) fn of(core: Option<&Core>) -> Self {
        Self {
            call: core.map(|core| (core.session().clone(), core.flight().clone())),
            grace: core.map_or(Duration::ZERO, |core| core.limits().cancel_grace),
        }
    }

    /// Cancels the call and tells the server, with a reason that it may log. A call that is over stays as it is, also
    /// where its response has arrived but was not taken yet.
    ///
    /// The call ends at once with [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled), discarding waiting updates.
    /// With [`cancel_grace`](crate::Request::cancel_grace) it goes on until the response comes or the grace is over; a
    /// result that still comes is given, an error counts as cancelled.
    ///
    /// Returns whether there was something to cancel.
    pub fn cancel(&self, reason: impl AsRef<str>) -> bool {
        let Some((session, flight)) = &self.call else {
            return false;
        };
        let reason = reason.as_ref();
        let now = clock::now();
        // A grace beyond what the clock can count is one without end: the call's other clocks still run.
        let until = now.checked_add(self.grace).unwrap_or(now + MAX_GRACE);
        if !self.grace.is_zero() && session.cancel_with_grace(flight, until, reason) {
            return true;
        }
        let error = Error::cancelled().with_context(flight.context(now));
        session.abandon(flight, StreamEnd::Cancelled, reason, Some(error))
    }
}

impl fmt::Debug for Canceller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canceller")
            .field("id", &self.call.as_ref().map(|(_, flight)| flight.id()))
            .finish_non_exhaustive()
    }
}
