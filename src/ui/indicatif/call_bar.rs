//! The bar of one call.
//!
//! Owns that it ends, whatever happens. It must not know how it is drawn.

use super::entry::Entry;
use super::painter;
use super::stage::{Kind, Stage};
use crate::model::progress::Progress;
use crate::sync::Arc;
use crate::ui::mark::Mark;

/// The bar of one call; made by [`Bars::add`](super::bars::Bars::add).
///
/// Dropped without an end it says that the call was cancelled, which is what dropping a call does.
///
/// ```
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mcp_progress::Result<()> {
/// use mcp_progress::ui::{Mark, indicatif::Bars};
/// # use mcp_progress::{Client, testing::ScriptedServer};
/// # use serde_json::json;
/// # let client = Client::connect(ScriptedServer::demo()).await?;
/// # let bars = Bars::hidden();
///
/// let bar = bars.add("count");
/// let result = client
///     .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
///     .on_progress(|update| bar.update(&update))
///     .await;
/// bar.settle(Mark::of_result(&result));
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct CallBar {
    stage: Arc<Stage>,
    entry: Arc<Entry>,
}

impl CallBar {
    pub(super) const fn new(stage: Arc<Stage>, entry: Arc<Entry>) -> Self {
        Self { stage, entry }
    }

    /// Takes an update of the call in. It is drawn with the next drawing, if no other comes before that.
    pub fn update(&self, update: &Progress) {
        if self.stage.kind() != Kind::Nowhere && self.stage.update(&self.entry, update) {
            painter::poke();
        }
    }

    /// Says how the call ended, and leaves that on the screen. The first end stays.
    pub fn settle(&self, mark: Mark) {
        end(&self.stage, &self.entry, Some(mark));
    }

    /// Takes the bar away and leaves nothing on the screen, where the end is told in another way or worth no line.
    pub fn clear(self) {
        end(&self.stage, &self.entry, None);
    }
}

/// Ends a line; without a mark nothing of it stays.
pub(super) fn end(stage: &Stage, entry: &Arc<Entry>, mark: Option<Mark>) {
    if stage.kind() != Kind::Nowhere && stage.settle(entry, mark) {
        painter::poke();
    }
}

impl Drop for CallBar {
    fn drop(&mut self) {
        self.settle(Mark::Cancelled);
    }
}
