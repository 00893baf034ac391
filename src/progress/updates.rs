//! A stream of one token's updates.
//!
//! Owns the reading side of a mailbox. It pulls and needs no executor. It must not know calls.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{FusedStream, Stream, StreamExt};

use super::end::StreamEnd;
use super::membership::Membership;
use crate::model::progress::{Progress, Update};
use crate::model::token::ProgressToken;

/// The updates of one token, as a [`Stream`] of its own.
///
/// It fills while nobody reads it, within its [`Overflow`](crate::Overflow) policy, and holds nothing else up. It
/// ends once the token is finished and what it holds has been read; [`end`](Self::end) then says why. Dropping it
/// unsubscribes.
#[derive(Debug)]
#[must_use = "the stream unsubscribes when dropped"]
pub struct Updates {
    token: ProgressToken,
    membership: Option<Membership>,
    taken: VecDeque<Update>,
    end: Option<StreamEnd>,
}

impl Updates {
    pub(crate) fn of(membership: Membership) -> Self {
        let token = membership.slot.token().clone();
        Self {
            token,
            membership: Some(membership),
            taken: VecDeque::new(),
            end: None,
        }
    }

    pub(crate) const fn ended(token: ProgressToken, end: StreamEnd) -> Self {
        Self {
            token,
            membership: None,
            taken: VecDeque::new(),
            end: Some(end),
        }
    }

    /// The token whose updates these are.
    #[must_use]
    pub const fn token(&self) -> &ProgressToken {
        &self.token
    }

    /// Why the stream ended; nothing while it has not.
    #[must_use]
    pub const fn end(&self) -> Option<StreamEnd> {
        self.end
    }

    /// The next update, or nothing once the stream has ended.
    ///
    /// # Cancel safety
    ///
    /// An update is taken only when it is returned: dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Progress> {
        StreamExt::next(self).await
    }
}

impl Stream for Updates {
    type Item = Progress;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let this = self.get_mut();
        loop {
            if let Some(update) = this.taken.pop_front() {
                return Poll::Ready(Some(update.of(this.token.clone())));
            }
            let Some(membership) = &this.membership else {
                return Poll::Ready(None);
            };
            match membership
                .slot
                .poll_stream(membership.key, &mut this.taken, cx)
            {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {}
                Poll::Ready(Some(end)) => {
                    this.end = Some(end);
                    this.membership = None;
                }
            }
        }
    }
}

impl FusedStream for Updates {
    fn is_terminated(&self) -> bool {
        self.membership.is_none() && self.taken.is_empty()
    }
}
