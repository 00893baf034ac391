//! The states of a call.
//!
//! Owns their names and order. It must not know what changes them.
//!
//! States: `Free` (subscribers wait for a call) → `Queued` → `Sent` → `Settled` (a response, or an error that
//! takes its place) or `Dead` (the call is gone). From `Settled` and `Dead` nothing leads back. A call that goes on
//! after a response is `Between` two requests, and from there `Queued` again or `Settled` or `Dead`.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Free,
    Queued,
    Sent,
    Between,
    Settled,
    Dead,
}

impl Phase {
    pub(crate) const fn is_over(self) -> bool {
        matches!(self, Self::Settled | Self::Dead)
    }
}
