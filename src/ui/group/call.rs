//! A call that feeds a group.
//!
//! Owns the way from a call's updates and its result into the group. It must not know arithmetic.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream, StreamExt};
use serde::de::DeserializeOwned;

use super::handle::{GroupMember, ProgressGroup};
use crate::client::call::{Call, CallResult};
use crate::client::turn::{self, Turn};
use crate::error::Result;
use crate::model::progress::Progress;

impl<T: DeserializeOwned> Call<T> {
    /// Makes the call a member of `group` with this weight ([`ProgressGroup::join`]). Its updates go into the group while the
    /// handle is polled; no task is needed.
    ///
    /// The member finishes with the call's result, be it a tool's own failure (`isError`). It leaves the group where the call ends
    /// in an error, or is dropped.
    ///
    /// ```
    /// # #[cfg(feature = "testing")]
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> mcp_progress::Result<()> {
    /// use futures::future::try_join_all;
    /// use mcp_progress::{Client, ProgressGroup};
    /// use serde_json::json;
    /// # let client = Client::connect(mcp_progress::testing::ScriptedServer::demo()).await?;
    ///
    /// let group = ProgressGroup::new();
    /// let mut total = group.updates();
    /// let calls: Vec<_> = (1..=3)
    ///     .map(|steps| client.call_tool("count", json!({"steps": steps, "delay_ms": 1})))
    ///     .map(|request| request.start().in_group(&group, 1.0).result())
    ///     .collect();
    /// drop(group); // so that the stream ends with the calls
    /// let show = async {
    ///     let mut shown = Vec::new();
    ///     while let Some(progress) = total.next().await {
    ///         shown.push(progress.percent());
    ///     }
    ///     shown
    /// };
    /// let (results, shown) = tokio::join!(try_join_all(calls), show);
    /// assert_eq!(results?.len(), 3);
    /// assert_eq!(shown.last(), Some(&100.0));
    /// # Ok(())
    /// # }
    /// # #[cfg(not(feature = "testing"))]
    /// # fn main() {}
    /// ```
    pub fn in_group(self, group: &ProgressGroup, weight: f64) -> GroupedCall<T> {
        GroupedCall {
            call: self,
            member: group.join(weight),
        }
    }
}

/// A [`Call`] that feeds a [`ProgressGroup`]: as the call, a [`Stream`] of its updates that ends when it does, and then its
/// result. Made by [`Call::in_group`]. Dropping it cancels the call, which then leaves the group.
#[must_use = "dropping the call cancels it"]
pub struct GroupedCall<T> {
    call: Call<T>,
    member: GroupMember,
}

impl<T: DeserializeOwned> GroupedCall<T> {
    /// The call, for its token, its canceller and whatever else needs no owner.
    pub const fn call(&self) -> &Call<T> {
        &self.call
    }

    /// As [`Call::next`].
    ///
    /// # Cancel safety
    ///
    /// As there: an update is taken, and fed into the group, only when it is returned.
    pub async fn next(&mut self) -> Option<Progress> {
        StreamExt::next(self).await
    }

    /// As [`Call::result`]; updates that this handle has not read still go into the group.
    ///
    /// # Errors
    ///
    /// As [`Call::result`].
    pub async fn result(self) -> Result<T> {
        self.await
    }
}

impl<T> GroupedCall<T> {
    fn poll_update(&mut self, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let update = ready!(Pin::new(&mut self.call).poll_next(cx));
        if let Some(update) = &update {
            self.member.update(update);
        }
        Poll::Ready(update)
    }
}

impl<T> Stream for GroupedCall<T> {
    type Item = Progress;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        self.get_mut().poll_update(cx)
    }
}

impl<T> FusedStream for GroupedCall<T> {
    fn is_terminated(&self) -> bool {
        self.call.is_terminated()
    }
}

impl<T: DeserializeOwned> IntoFuture for GroupedCall<T> {
    type Output = Result<T>;
    type IntoFuture = GroupedResult<T>;

    fn into_future(self) -> GroupedResult<T> {
        GroupedResult(State::Running(self))
    }
}

/// The future that awaiting a [`GroupedCall`] makes.
///
/// # Panics
///
/// Polling it after it has given its result panics, as with any future.
#[must_use = "futures do nothing unless polled"]
pub struct GroupedResult<T>(State<T>);

enum State<T> {
    Running(GroupedCall<T>),
    Over(CallResult<T>, GroupMember),
    Done,
}

impl<T: DeserializeOwned> Future for GroupedResult<T> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let state = &mut self.get_mut().0;
        let mut turn = Turn::default();
        while let State::Running(grouped) = state {
            if ready!(grouped.poll_update(cx)).is_some() {
                if turn.is_over() {
                    // Enough for one poll: others on this thread want to run too.
                    turn::give_way(cx);
                    return Poll::Pending;
                }
            } else if let State::Running(grouped) = std::mem::replace(state, State::Done) {
                *state = State::Over(IntoFuture::into_future(grouped.call), grouped.member);
            }
        }
        let State::Over(result, _) = state else {
            panic!("a call gives its result once");
        };
        let result = ready!(Pin::new(result).poll(cx));
        if let State::Over(_, member) = std::mem::replace(state, State::Done)
            && result.is_ok()
        {
            member.finish();
        }
        Poll::Ready(result)
    }
}

impl<T> fmt::Debug for GroupedCall<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupedCall")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for GroupedResult<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupedResult").finish_non_exhaustive()
    }
}
