//! `milestones`: only the updates that reach something.
//!
//! Owns its public face. It must not know the rule, which is `progress::combine::milestones`.

use super::adapter::{Adapter, combinator};
use crate::progress::combine::milestones::{MilestoneEvent, Reaching};

/// Each milestone once; made by [`milestones`](crate::UpdatesExt::milestones).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Milestones<S>(Adapter<S, Reaching>);

impl<S> Milestones<S> {
    pub(super) fn new(inner: S, milestones: impl IntoIterator<Item = f64>) -> Self {
        Self(Adapter::new(inner, Reaching::new(milestones)))
    }

    /// How many updates have come since the last milestone, and are counted in none.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.0.machine().left_out()
    }
}

combinator!(Milestones yields MilestoneEvent);
