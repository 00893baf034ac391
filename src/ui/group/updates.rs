//! A group's progress as a stream.
//!
//! Owns what one who looks on has seen. It must not know what changes the group.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream, StreamExt};

use super::shared::Shared;
use crate::progress::group::GroupProgress;
use crate::sync::Arc;

/// How far a [`ProgressGroup`](crate::ProgressGroup) is, whenever that changes: a [`Stream`] of the newest state only.
///
/// It gives the state of the moment first, and then each time what has become of it: changes between two looks are one. It
/// needs no runtime. It ends once every handle of the group and every member is gone, since nothing can change any more.
#[derive(Debug)]
pub struct GroupUpdates {
    shared: Arc<Shared>,
    name: u64,
    seen: Option<u64>,
    ended: bool,
}

impl GroupUpdates {
    pub(super) fn of(shared: &Arc<Shared>) -> Self {
        Self {
            name: shared.stream(),
            shared: Arc::clone(shared),
            seen: None,
            ended: false,
        }
    }

    /// The next change, or nothing once there can be none.
    ///
    /// # Cancel safety
    ///
    /// A change is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<GroupProgress> {
        StreamExt::next(self).await
    }
}

impl Stream for GroupUpdates {
    type Item = GroupProgress;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<GroupProgress>> {
        let this = self.get_mut();
        let change = ready!(this.shared.poll_change(this.name, &mut this.seen, cx));
        this.ended = change.is_none();
        Poll::Ready(change)
    }
}

impl FusedStream for GroupUpdates {
    fn is_terminated(&self) -> bool {
        self.ended
    }
}

impl Drop for GroupUpdates {
    fn drop(&mut self) {
        self.shared.forget(self.name);
    }
}
