//! The group and its members, as users hold them.
//!
//! Owns joining and leaving. It must not know arithmetic.

use super::shared::Owner;
use super::updates::GroupUpdates;
use crate::model::progress::Progress;
use crate::progress::group::GroupProgress;
use crate::sync::Arc;

/// Many calls as one weighted progress. Members join and leave while it runs, from any thread; clones are the same group.
///
/// * The fraction **never falls and never jumps** when somebody joins or leaves: what is shown stays where it is, and the rest of
///   the way stands for the rest of the work. Nor does a member's own part fall, whatever its server says.
/// * A member counts 0 until it has a total; one that never gets one counts when it finishes.
/// * It is 1 once the last member at work has **finished**, and below 1 as long as somebody is at work. Where the last one *leaves*, it
///   stays where it is: a batch that was stopped at 40 % is not done.
/// * **After 1** it stays at 1, whoever joins. So let all join that are known before the first one finishes, or keep one member for
///   the planning, and finish it when all is planned.
///
/// ```
/// use mcp_progress::ProgressGroup;
///
/// let group = ProgressGroup::new();
/// let (small, large) = (group.join(1.0), group.join(3.0));
/// small.set_fraction(0.5);
/// assert_eq!(group.snapshot().fraction, 0.125);
/// small.finish();
/// assert_eq!(group.snapshot().fraction, 0.25);
/// // Twice the work is left now, and the bar does not move.
/// let late = group.join(3.0);
/// assert_eq!(group.snapshot().fraction, 0.25);
/// large.finish();
/// assert_eq!(group.snapshot().fraction, 0.625);
/// drop(late); // leaves
/// assert_eq!(group.snapshot().fraction, 0.625);
/// ```
///
/// A call feeds a group with [`Call::in_group`](crate::Call::in_group). What it costs is one short lock for each update; it
/// remembers the members at work, and counts the others.
#[derive(Clone, Debug, Default)]
pub struct ProgressGroup {
    owner: Arc<Owner>,
}

impl ProgressGroup {
    /// A group without members, at 0.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member, which is at 0.
    ///
    /// What `weight` counts is up to you: bytes, seconds, or 1 for each. One that is not a finite number above 0 counts as 1, and all
    /// are held within 10⁻¹⁰⁰ and 10¹⁰⁰.
    pub fn join(&self, weight: f64) -> GroupMember {
        let name = self
            .owner
            .shared
            .change(|group, now| (group.join(weight, now), true));
        GroupMember {
            owner: Arc::clone(&self.owner),
            name,
        }
    }

    /// How far the group is now.
    #[must_use]
    pub fn snapshot(&self) -> GroupProgress {
        self.owner.shared.snapshot()
    }

    /// The group's progress as a stream, from now on. It does not hold the group: see [`GroupUpdates`] for its end.
    ///
    /// ```
    /// # use mcp_progress::ProgressGroup;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let group = ProgressGroup::new();
    /// let mut updates = group.updates();
    /// let member = group.join(1.0);
    /// drop(group);
    /// member.finish();
    /// let mut last = None;
    /// while let Some(progress) = updates.next().await {
    ///     last = Some(progress.percent());
    /// }
    /// assert_eq!(last, Some(100.0));
    /// # }
    /// ```
    #[must_use]
    pub fn updates(&self) -> GroupUpdates {
        GroupUpdates::of(&self.owner.shared)
    }
}

/// One piece of work in a [`ProgressGroup`]. Dropping it without [`finish`](Self::finish) leaves the group.
#[derive(Debug)]
#[must_use = "a member that is dropped leaves the group"]
pub struct GroupMember {
    owner: Arc<Owner>,
    name: u64,
}

impl GroupMember {
    /// Takes over how far an update is. One without an honest total ([`Progress::fraction`]), or lower than before, changes
    /// nothing.
    pub fn update(&self, update: &Progress) {
        if let Some(fraction) = update.fraction() {
            self.set_fraction(fraction);
        }
    }

    /// The done part of this member's work, from 0 to 1. What is lower than before, or no number, changes nothing; what is
    /// more than 1 is 1.
    pub fn set_fraction(&self, fraction: f64) {
        self.owner
            .shared
            .change(|group, now| ((), group.raise(self.name, fraction, now)));
    }

    /// The work is over, and counts in full. Use it too for work that failed where the rest goes on: the bar then comes to its
    /// end with the last of them.
    pub fn finish(self) {
        // The drop that follows finds no member of this name.
        self.owner
            .shared
            .change(|group, now| (group.finish(self.name, now), true));
    }
}

impl Drop for GroupMember {
    fn drop(&mut self) {
        self.owner
            .shared
            .change(|group, now| ((), group.leave(self.name, now)));
    }
}
