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
    pub(crate) life: LifeSigns,
    pub(crate) reissues: u32,
    /// Whether a result that asks for input is given as it is.
    pub(crate) input_required: bool,
    /// How often a call may be asked for input.
    pub(crate) input_rounds: u32,
    /// Whether the call should become a task, in revision 2025-11-25, and how long the server should keep it.
    pub(crate) task: Option<Option<Duration>>,
    /// Whether servers may answer with a task.
    pub(crate) tasks: bool,
}

/// What the idle clock takes for a sign of life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LifeSigns {
    /// Any byte on the call's own HTTP response stream, keep-alive comments included, and every update. The default.
    ///
    /// A server that works behind keep-alives is alive, and a connection that is dead brings none. On byte streams,
    /// which all calls share, only updates count. Of a call that has become a task, every answer about the task counts too,
    /// over whatever it comes.
    #[default]
    Bytes,
    /// Updates only; of a task, those of its status among them, which come when it changes.
    Updates,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            idle: Some(Duration::from_secs(5 * 60)),
            total: Some(Duration::from_secs(24 * 60 * 60)),
            drain_for: Some(Duration::from_millis(100)),
            cancel_grace: Duration::ZERO,
            overflow: Overflow::default(),
            life: LifeSigns::default(),
            reissues: 0,
            input_required: false,
            input_rounds: 10,
            task: None,
            tasks: true,
        }
    }
}
