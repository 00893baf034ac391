//! A subscriber's place in a slot.
//!
//! Owns giving it up on drop. It must not know what kind of subscriber it is.

use super::slot::Slot;
use super::tokens::Tokens;
use crate::sync::Arc;

/// A subscriber's place in a slot, given up on drop.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(super) tokens: Arc<Tokens>,
    pub(crate) slot: Arc<Slot>,
    pub(crate) key: u32,
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.slot.leave(self.key) {
            self.tokens.vacate(&self.slot);
        }
    }
}
