//! Who else hears of a call: the subscribers of its slot.
//!
//! Owns joining, reading and leaving. It must not know tables, nor what the call itself has waiting.

use std::collections::VecDeque;
use std::task::{Context, Poll};

use super::end::StreamEnd;
use super::mailbox::{Mailbox, Overflow};
use super::slot::Slot;
use super::subscriber::{Subscriber, SubscriberKind};
use super::wakers::Wakers;
use crate::model::progress::Update;

impl Slot {
    /// The next updates of one stream.
    pub(crate) fn poll_stream(
        &self,
        key: u32,
        spare: &mut VecDeque<Update>,
        cx: &Context<'_>,
    ) -> Poll<Option<StreamEnd>> {
        let mut waker = Some(cx.waker().clone());
        let poll = {
            let mut state = self.state.lock();
            // Set as soon as the call is over.
            let end = state.end;
            match state
                .subscribers
                .iter_mut()
                .find(|subscriber| subscriber.key == key)
            {
                // Taken out by `leave_all`, whatever became of the call since then.
                None => Poll::Ready(Some(StreamEnd::Unregistered)),
                Some(subscriber) if !subscriber.mailbox.is_empty() => {
                    subscriber.mailbox.swap(spare);
                    Poll::Ready(None)
                }
                Some(_) if end.is_some() => Poll::Ready(end),
                Some(subscriber) => {
                    if let SubscriberKind::Stream(installed) = &mut subscriber.kind {
                        std::mem::swap(installed, &mut waker);
                    }
                    Poll::Pending
                }
            }
        };
        drop(waker);
        poll
    }

    /// Adds a subscriber, who first sees the last value if there is one. Whoever adds a callback wakes the slot
    /// afterwards: a last value is work for a call that may be asleep.
    pub(super) fn join(&self, overflow: Overflow, kind: SubscriberKind) -> u32 {
        let mut mailbox = Mailbox::new(overflow);
        let mut state = self.state.lock();
        // Whoever comes after the end finds the end, and nothing else.
        if !state.phase.is_over()
            && let Some(last) = state.inbox.newest()
        {
            let mut last = last.clone();
            last.merged = 0;
            mailbox.push(last);
        }
        let key = state.next_key;
        state.next_key += 1;
        state.subscribers.push(Subscriber { key, mailbox, kind });
        key
    }

    /// Removes one subscriber; true where nobody is left and no call holds the slot.
    pub(crate) fn leave(&self, key: u32) -> bool {
        let (_removed, vacant);
        {
            let mut state = self.state.lock();
            let index = state
                .subscribers
                .iter()
                .position(|subscriber| subscriber.key == key);
            _removed = index.map(|index| state.subscribers.remove(index));
            vacant = state.is_vacant();
        }
        vacant
    }

    /// Removes every subscriber, ending streams with `Unregistered`; true as for `leave`.
    pub(crate) fn leave_all(&self) -> bool {
        let (mut removed, vacant);
        {
            let mut state = self.state.lock();
            removed = std::mem::take(&mut state.subscribers);
            vacant = state.is_vacant();
        }
        let mut wakers = Wakers::default();
        for subscriber in &mut removed {
            match &mut subscriber.kind {
                SubscriberKind::Stream(waker) => wakers.extend(waker.take()),
                SubscriberKind::Callback(cell) => cell.end(),
            }
        }
        wakers.wake();
        vacant
    }
}
