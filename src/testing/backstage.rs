//! Owns what the connections of one server share beside its record. Must not know connections.

use crate::testing::config::Config;
use crate::testing::input::desk::Desk;
use crate::testing::tasks::crew::Crew;
use crate::testing::tasks::ledger::Ledger;
use std::sync::Arc;

/// What the connections of one server share.
#[derive(Debug, Default)]
pub(crate) struct Backstage {
    pub(crate) desk: Arc<Desk>,
    pub(crate) ledger: Ledger,
    pub(crate) crew: Arc<Crew>,
}

impl Backstage {
    /// Whether a subscription for the task of this id is agreed to.
    pub(crate) fn agrees(&self, config: &Config, task: &str) -> bool {
        let notifies = config
            .tasks
            .as_ref()
            .is_some_and(|hosting| hosting.notifies(true));
        notifies && self.ledger.get(task).is_ok()
    }
}
