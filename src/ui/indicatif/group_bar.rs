//! The bar of a group.
//!
//! Owns how it ends where nobody says so. It must not know how it is drawn.

use super::call_bar::end;
use super::entry::Entry;
use super::stage::Stage;
use crate::sync::Arc;
use crate::ui::group::handle::ProgressGroup;
use crate::ui::mark::Mark;

/// The bar of a whole group; made by [`Bars::group`](super::bars::Bars::group).
///
/// It follows the group by itself. Dropped without an end it says that the group is done where all its members have finished,
/// that it was cancelled where one is still at work, and otherwise that it has failed, since one has left.
#[derive(Debug)]
pub struct GroupBar {
    stage: Arc<Stage>,
    entry: Arc<Entry>,
    group: ProgressGroup,
}

impl GroupBar {
    pub(super) const fn new(stage: Arc<Stage>, entry: Arc<Entry>, group: ProgressGroup) -> Self {
        Self {
            stage,
            entry,
            group,
        }
    }

    /// Says how it ended, and leaves that on the screen. The first end stays.
    pub fn settle(&self, mark: Mark) {
        end(&self.stage, &self.entry, Some(mark));
    }

    /// Takes the bar away and leaves nothing on the screen.
    pub fn clear(self) {
        end(&self.stage, &self.entry, None);
    }
}

impl Drop for GroupBar {
    fn drop(&mut self) {
        let last = self.group.snapshot();
        self.settle(match (last.working(), last.left) {
            (0, 0) => Mark::Done,
            (0, _) => Mark::Failed,
            _ => Mark::Cancelled,
        });
    }
}
