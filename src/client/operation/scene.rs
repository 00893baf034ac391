//! What the work on a call has at hand.
//!
//! Owns nothing but the bundle. It must not know the work.

use crate::client::handle::Client;
use crate::client::limits::Limits;
use crate::progress::slot::Outcome;
use crate::session::calls::Session;
use crate::session::flight::Flight;
use crate::sync::Arc;

/// All that what follows a response needs.
#[derive(Clone, Debug)]
pub(super) struct Scene {
    pub(super) client: Client,
    pub(super) session: Arc<Session>,
    pub(super) flight: Arc<Flight>,
    pub(super) limits: Limits,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Step {
    /// The next request of the call is queued.
    Relaunched,
    Over(Outcome),
}
