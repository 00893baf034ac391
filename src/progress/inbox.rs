//! What a call itself has waiting, and the newest update of its token.
//!
//! Owns that the newest update is always to be had, also after it was taken out or given up. It must not know locks,
//! wakers or other subscribers.

use std::collections::VecDeque;

use super::mailbox::{Mailbox, Overflow};
use crate::model::progress::Update;

#[derive(Debug)]
pub(super) struct Inbox {
    /// None where the call wants no updates for itself.
    mailbox: Option<Mailbox>,
    /// The newest update, unless it waits in the mailbox: a copy for each would cost more than all else here.
    last: Option<Update>,
}

/// What putting an update in leaves behind.
#[derive(Debug)]
pub(super) struct Put {
    /// To be dropped after the lock.
    pub(super) replaced: Option<Update>,
    /// Whether it waits for the call.
    pub(super) waits: bool,
    pub(super) crowded: bool,
}

impl Inbox {
    /// With a mailbox under this policy, or without one.
    pub(super) fn new(overflow: Option<Overflow>) -> Self {
        Self {
            mailbox: overflow.map(Mailbox::new),
            last: None,
        }
    }

    /// The call wants updates from here on, or does not.
    pub(super) fn open(&mut self, overflow: Option<Overflow>) {
        self.mailbox = overflow.map(Mailbox::new);
    }

    pub(super) fn put(&mut self, update: Update) -> Put {
        let Some(mailbox) = &mut self.mailbox else {
            return Put {
                replaced: self.last.replace(update),
                waits: false,
                crowded: false,
            };
        };
        mailbox.push(update);
        Put {
            replaced: None,
            waits: true,
            crowded: mailbox.is_crowded(),
        }
    }

    /// The newest update, wherever it is.
    pub(super) fn newest(&self) -> Option<&Update> {
        let waiting = self.mailbox.as_ref().and_then(Mailbox::newest);
        waiting.or(self.last.as_ref())
    }

    /// Exchanges what waits for `spare`, which must be empty, after merging it if so wished; false where nothing waits.
    pub(super) fn swap(&mut self, spare: &mut VecDeque<Update>, merge: bool) -> bool {
        let Some(mailbox) = self.mailbox.as_mut().filter(|mailbox| !mailbox.is_empty()) else {
            return false;
        };
        if merge {
            mailbox.merge();
        }
        mailbox.swap(spare);
        self.last = spare.back().cloned();
        true
    }

    /// Takes the mailbox away with what waits in it, but not the newest update.
    pub(super) fn close(&mut self) -> Option<Mailbox> {
        let mailbox = self.mailbox.take()?;
        if let Some(newest) = mailbox.newest() {
            self.last = Some(newest.clone());
        }
        Some(mailbox)
    }
}
