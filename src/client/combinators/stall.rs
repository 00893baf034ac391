//! `stalled`: silence as an event.
//!
//! Owns its public face. It must not know the rule, which is `progress::combine::stall`.

use std::time::Duration;

use super::super::clock;
use super::adapter::{Adapter, combinator};
use crate::progress::combine::stall::{Listening, StallEvent};

/// Updates, and silences; made by [`stalled`](crate::UpdatesExt::stalled).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Stalled<S>(Adapter<S, Listening>);

impl<S> Stalled<S> {
    pub(super) fn new(inner: S, after: Duration) -> Self {
        Self(Adapter::new(inner, Listening::new(after, clock::now())))
    }
}

combinator!(Stalled yields StallEvent);
