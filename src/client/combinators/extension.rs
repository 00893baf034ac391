//! The methods that every stream of updates has.
//!
//! Owns their names and what they promise. It must not know how they keep it.

use std::time::Duration;

use futures::stream::Stream;

use super::estimate::WithEstimate;
use super::milestones::Milestones;
use super::min_change::MinChange;
use super::monotone::Monotone;
use super::stall::Stalled;
use super::throttle::Throttle;
use crate::model::progress::Progress;
use crate::progress::combine::monotonic::Monotonic;

/// What can be done to a stream of updates: a [`Call`](crate::Call), a subscription ([`Updates`](crate::Updates)), or one
/// of these again.
///
/// ```
/// use mcp_progress::{Client, UpdatesExt as _};
/// use serde_json::json;
/// # #[cfg(feature = "testing")]
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> mcp_progress::Result<()> {
/// # let client = Client::connect(mcp_progress::testing::ScriptedServer::demo()).await?;
///
/// // Over `&mut call`, so that the call is still there for its result afterwards.
/// let mut call = client.call_tool("burst", json!({"n": 1000})).start();
/// let mut updates = (&mut call).throttle(8.0);
/// let mut stood_for = 0;
/// while let Some(update) = updates.next().await {
///     stood_for += 1 + update.merged;
/// }
/// drop(updates);
/// let result = call.await?;
/// assert_eq!(stood_for, 1000);
/// # assert!(!result.is_error);
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "testing"))]
/// # fn main() {}
/// ```
///
/// All of them:
///
/// * let an update of kind [`Status`](crate::UpdateKind::Status) pass at once and as it is, behind what they hold;
/// * count what they leave out: the next update that goes on says in [`merged`](Progress::merged) how many it stands for,
///   and keeps the `gap` and `regressed` of those;
/// * end when the stream below has ended and what they hold has gone on, and stay ended;
/// * hold what they hold themselves: dropping a future of `next` loses nothing, dropping the combinator loses what it
///   holds. One over `&mut call` does not cancel the call when dropped;
/// * take nonsense (NaN, negative numbers, zero) for a wish that was not made, as each says, and never panic on it.
///
/// They drive the stream below and do nothing while they are not polled. [`throttle`](Self::throttle) and
/// [`stalled`](Self::stalled) need a timer: that of the tokio runtime on which they are made, or else of the one on which
/// they are polled. Without any, a held update goes on with the next one or at the end, and silences are not told. Timers
/// are good to a millisecond, and the runtime needs its time driver, as for every client.
///
/// A stream that is not `Unpin` goes through [`Box::pin`] first.
pub trait UpdatesExt: Stream<Item = Progress> {
    /// At most `hz` updates a second: the first goes on at once, the newest of those that came too early when the interval
    /// is over, the last at the end. Only the last, and one that a status pushes out, may come sooner than an interval
    /// after the one before.
    ///
    /// For a screen 8 to 30 are right. Zero, NaN, infinity and negative numbers let all updates pass.
    ///
    /// The extension traits of other crates may have a `throttle` too. Where both are in scope, write
    /// `UpdatesExt::throttle(updates, 8.0)`.
    fn throttle(self, hz: f64) -> Throttle<Self>
    where
        Self: Sized + Unpin,
    {
        Throttle::new(self, hz)
    }

    /// Only updates whose [`fraction`](Progress::fraction) lies `fraction` or more away from that of the last that went on,
    /// in either direction: 0.01 for whole percents. A new message alone is no change.
    ///
    /// The first goes on, the one that completes the work, the first of each [`leg`](Progress::leg), and at the end the
    /// last. Where there is no fraction, for want of an honest total, no change is too small: every update goes on, and
    /// [`throttle`](Self::throttle) helps.
    ///
    /// Zero, NaN and negative numbers let all updates pass.
    fn min_change(self, fraction: f64) -> MinChange<Self>
    where
        Self: Sized + Unpin,
    {
        MinChange::new(self, fraction)
    }

    /// Values that never fall: [`monotonic_by`](Self::monotonic_by) with [`Monotonic::Drop`].
    fn monotonic(self) -> Monotone<Self>
    where
        Self: Sized + Unpin,
    {
        self.monotonic_by(Monotonic::Drop)
    }

    /// Values that never fall: what becomes of an update whose `progress` is less than that of an earlier one. Equal
    /// values pass.
    ///
    /// Each [`leg`](Progress::leg) begins anew, as another request counts from a beginning of its own. Totals are left
    /// alone, so that the share of the whole may still fall where a total grows.
    fn monotonic_by(self, mode: Monotonic) -> Monotone<Self>
    where
        Self: Sized + Unpin,
    {
        Monotone::new(self, mode)
    }

    /// Only the updates that are the first to come to one of these parts of the whole, each from 0 to 1, in any order.
    ///
    /// Each milestone is reached once, also where the value falls and rises again or another leg begins. Without an
    /// honest total none is reached. Numbers that are no part of the whole are no milestones.
    ///
    /// ```no_run
    /// # use mcp_progress::{UpdatesExt as _, combinators::MilestoneEvent};
    /// # async fn example(updates: mcp_progress::Updates) {
    /// let mut quarters = updates.milestones([0.25, 0.5, 0.75]);
    /// while let Some(event) = quarters.next().await {
    ///     if let MilestoneEvent::Reached { milestones, update, .. } = event {
    ///         tracing::info!(?milestones, %update);
    ///     }
    /// }
    /// # }
    /// ```
    fn milestones(self, milestones: impl IntoIterator<Item = f64>) -> Milestones<Self>
    where
        Self: Sized + Unpin,
    {
        Milestones::new(self, milestones)
    }

    /// All updates, and an event where none has come for so long, from now or from the last one on; then another when that
    /// is over, with the next update or with the end of the stream.
    ///
    /// It knows silence, not its reason: a server may be at work, or a handler of this client may be waiting for a person.
    /// The time is that of reading: an update that is there already ends a silence however late it is taken.
    ///
    /// With [`Duration::ZERO`] silence is no event.
    ///
    /// ```no_run
    /// # use mcp_progress::{UpdatesExt as _, combinators::StallEvent};
    /// # use std::time::Duration;
    /// # async fn example(updates: mcp_progress::Updates) {
    /// let mut updates = updates.stalled(Duration::from_secs(10));
    /// while let Some(event) = updates.next().await {
    ///     match event {
    ///         StallEvent::Update(update) => tracing::info!(%update),
    ///         StallEvent::Stalled { silence, .. } => tracing::warn!(?silence, "no sign of life"),
    ///         StallEvent::Resumed { silence, ended, .. } => tracing::info!(?silence, ended),
    ///         _ => {}
    ///     }
    /// }
    /// # }
    /// ```
    fn stalled(self, after: Duration) -> Stalled<Self>
    where
        Self: Sized + Unpin,
    {
        Stalled::new(self, after)
    }

    /// All updates, with how fast the work goes and how long it will still take.
    ///
    /// The rate is work done over time taken, both measured from the first update on and both fading: what lies ten seconds
    /// back counts half, or what lies a quarter of the time measured back, where that is longer, so that the estimate of
    /// an hour's work does not jump with every update. Time is that of arrival, so a slow reader does not slow the rate.
    /// What comes in one go after a gap counts for the time of the gap.
    ///
    /// Without an honest total there is a rate and no remaining time. Where the value falls or another leg begins,
    /// nothing is known again until two more updates have come; [`monotonic`](Self::monotonic) before this helps with
    /// servers that count carelessly. A status repeats what was known, and no remaining time once the task is over.
    ///
    /// Estimates are those of the last update and do not count down in a silence: see [`stalled`](Self::stalled).
    fn with_estimate(self) -> WithEstimate<Self>
    where
        Self: Sized + Unpin,
    {
        WithEstimate::new(self)
    }
}

impl<S: Stream<Item = Progress> + ?Sized> UpdatesExt for S {}
