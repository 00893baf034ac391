//! What every combinator is to the adapter that drives it.
//!
//! Owns the order of the driver's questions. It must not know what a machine does with the updates.

use std::time::Instant;

use crate::model::progress::Progress;

/// A combinator without a stream, a timer or a clock.
///
/// Its driver hands over what the stream brings ([`push`](Self::push)); when the stream has nothing, it says how late it
/// is ([`tick`](Self::tick)); when the stream has ended, it says so ([`finish`](Self::finish)). After each of them it takes
/// out what goes on ([`pop`](Self::pop)) until there is nothing.
///
/// The stream is asked before the time, so that an update which is there already is never held to be missing, nor
/// passed over for an older one.
pub(crate) trait Machine {
    type Item;

    /// The stream brought an update.
    fn push(&mut self, update: Progress, now: Instant);

    /// The stream has nothing for the moment.
    fn tick(&mut self, _now: Instant) {}

    /// The stream has ended: what is held goes on.
    fn finish(&mut self, _now: Instant) {}

    /// When `tick` should come at the latest; none where time alone changes nothing.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// The next item that goes on.
    fn pop(&mut self) -> Option<Self::Item>;
}

/// Fractions that differ by less are the same one: 0.06 - 0.05 is a little less than 0.01 in binary.
pub(crate) const ROUNDING: f64 = 1e-9;
