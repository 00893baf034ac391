//! What became of an update.
//!
//! Owns the answer that a slot gives for each. It must not know who counts it.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The call is over.
    Late,
    Delivered {
        /// The slot must be woken at the end of the reader's turn.
        touched: bool,
        regressed: bool,
        /// A mailbox is a quarter full: who reads it should run.
        crowded: bool,
    },
}
