//! What the builder of a client collects of typed handlers.
//!
//! Owns their form beside the table of methods. It must not know single methods.

use super::elicitation::Elicitation;
use crate::model::{ClientCapabilities, Root};
use crate::sync::{Arc, Mutex};

/// What the builder has collected.
#[derive(Clone, Default)]
pub(crate) struct Asks {
    /// What the handlers are good for, before the user's own words on that.
    pub(crate) offered: ClientCapabilities,
    pub(crate) elicitation: Elicitation,
    /// The roots that are listed without a handler; they can be set anew.
    pub(crate) roots: Option<Arc<Mutex<Vec<Root>>>>,
}
