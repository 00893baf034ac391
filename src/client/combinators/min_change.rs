//! `min_change`: no update that changes next to nothing.
//!
//! Owns its public face. It must not know the rule, which is `progress::combine::min_change`.

use super::adapter::{Adapter, combinator};
use crate::model::progress::Progress;
use crate::progress::combine::min_change::MinChanging;

/// Only updates that change enough; made by [`min_change`](crate::UpdatesExt::min_change).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct MinChange<S>(Adapter<S, MinChanging>);

impl<S> MinChange<S> {
    pub(super) fn new(inner: S, fraction: f64) -> Self {
        Self(Adapter::new(inner, MinChanging::new(fraction)))
    }
}

combinator!(MinChange yields Progress);
