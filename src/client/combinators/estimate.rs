//! `with_estimate`: how fast the work goes, and how long it will still take.
//!
//! Owns its public face. It must not know the arithmetic, which is `progress::combine::estimate`.

use super::adapter::{Adapter, combinator};
use crate::progress::combine::estimate::{Estimated, Measuring};

/// Updates with rate and remaining time; made by [`with_estimate`](crate::UpdatesExt::with_estimate).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct WithEstimate<S>(Adapter<S, Measuring>);

impl<S> WithEstimate<S> {
    pub(super) fn new(inner: S) -> Self {
        Self(Adapter::new(inner, Measuring::default()))
    }
}

combinator!(WithEstimate yields Estimated);
