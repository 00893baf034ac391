//! How long a call may take, and what happens to its updates meanwhile.
//!
//! Owns the options that a client sets for all calls and a call for itself. It must not know how they are enforced.

use std::time::Duration;

use crate::progress::mailbox::Overflow;

/// The options of one call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) idle: Option<Duration>,
    pub(crate) total: Option<Duration>,
    pub(crate) drain_for: Option<Duration>,
    pub(crate) cancel_grace: Duration,
    pub(crate) overflow: Overflow,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Some(Duration::from_secs(5 * 60)),
            total: Some(Duration::from_secs(24 * 60 * 60)),
            drain_for: Some(Duration::from_millis(100)),
            cancel_grace: Duration::ZERO,
            overflow: Overflow::default(),
        }
    }
}
