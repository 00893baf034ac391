//! `monotonic`: values that never fall.
//!
//! Owns its public face. It must not know the rule, which is `progress::combine::monotonic`.

use super::adapter::{Adapter, combinator};
use crate::model::progress::Progress;
use crate::progress::combine::monotonic::{Monotonic, Rising};

/// Values that never fall; made by [`monotonic`](crate::UpdatesExt::monotonic) and
/// [`monotonic_by`](crate::UpdatesExt::monotonic_by).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Monotone<S>(Adapter<S, Rising>);

impl<S> Monotone<S> {
    pub(super) fn new(inner: S, mode: Monotonic) -> Self {
        Self(Adapter::new(inner, Rising::new(mode)))
    }

    /// How many updates were dropped since the last that went on, and are counted in none: after the end, those that
    /// nothing followed.
    #[must_use]
    pub const fn left_out(&self) -> u64 {
        self.0.machine().left_out()
    }
}

combinator!(Monotone yields Progress);
