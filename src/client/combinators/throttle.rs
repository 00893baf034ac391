//! `throttle`: no more than so many updates a second.
//!
//! Owns its public face. It must not know the rule, which is `progress::combine::throttle`.

use super::adapter::{Adapter, combinator};
use crate::model::progress::Progress;
use crate::progress::combine::throttle::Throttling;

/// At most so many updates a second; made by [`throttle`](crate::UpdatesExt::throttle).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Throttle<S>(Adapter<S, Throttling>);

impl<S> Throttle<S> {
    pub(super) fn new(inner: S, hz: f64) -> Self {
        Self(Adapter::new(inner, Throttling::new(hz)))
    }
}

combinator!(Throttle yields Progress);
