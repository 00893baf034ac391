//! Bounded broadcast of what no call waits for: notifications and diagnostics.
//!
//! Owns the mailboxes. When one is full its oldest items go, and are counted. It must not know what it carries.

use std::collections::VecDeque;
use std::sync::Weak;
use std::task::{Context, Poll, Waker};

use crate::sync::{Arc, Mutex, wake};

/// A mailbox keeps this many items,
const MAX_ITEMS: usize = 1024;
/// and this many bytes, as far as items have a size.
const MAX_BYTES: usize = 1024 * 1024;

/// The sending side.
#[derive(Debug)]
pub(crate) struct Feed<T> {
    receivers: Mutex<Receivers<T>>,
}

#[derive(Debug)]
struct Receivers<T> {
    list: Vec<Weak<Mutex<Mailbox<T>>>>,
    closed: bool,
}

#[derive(Debug)]
struct Mailbox<T> {
    queue: VecDeque<(Arc<T>, usize)>,
    bytes: usize,
    missed: u64,
    closed: bool,
    waker: Option<Waker>,
}

/// The receiving side.
#[derive(Debug)]
pub(crate) struct Receiver<T>(Arc<Mutex<Mailbox<T>>>);

impl<T> Feed<T> {
    pub(crate) fn new() -> Self {
        Self {
            receivers: Mutex::new(Receivers {
                list: Vec::new(),
                closed: false,
            }),
        }
    }

    /// A receiver of all that is sent from now on.
    pub(crate) fn receiver(&self) -> Receiver<T> {
        let mut receivers = self.receivers.lock();
        let mailbox = Arc::new(Mutex::new(Mailbox {
            queue: VecDeque::new(),
            bytes: 0,
            missed: 0,
            closed: receivers.closed,
            waker: None,
        }));
        receivers
            .list
            .retain(|receiver| receiver.strong_count() > 0);
        receivers.list.push(Arc::downgrade(&mailbox));
        Receiver(mailbox)
    }

    /// Sends one item of about `bytes` bytes; it is made only if somebody listens.
    pub(crate) fn send(&self, bytes: usize, make: impl FnOnce() -> T) {
        let receivers: Vec<_> = self
            .receivers
            .lock()
            .list
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        if receivers.is_empty() {
            return;
        }
        let item = Arc::new(make());
        for receiver in receivers {
            let mut removed = Vec::new();
            let waker = {
                let mut mailbox = receiver.lock();
                mailbox.push(item.clone(), bytes, &mut removed);
                mailbox.waker.take()
            };
            wake(waker);
        }
    }

    /// Ends every receiver once it has read what it holds.
    pub(crate) fn close(&self) {
        let receivers: Vec<_> = {
            let mut receivers = self.receivers.lock();
            receivers.closed = true;
            receivers
                .list
                .drain(..)
                .filter_map(|receiver| receiver.upgrade())
                .collect()
        };
        for receiver in receivers {
            let waker = {
                let mut mailbox = receiver.lock();
                mailbox.closed = true;
                mailbox.waker.take()
            };
            wake(waker);
        }
    }
}

impl<T> Mailbox<T> {
    fn push(&mut self, item: Arc<T>, bytes: usize, removed: &mut Vec<Arc<T>>) {
        while self.queue.len() >= MAX_ITEMS
            || (self.bytes + bytes > MAX_BYTES && !self.queue.is_empty())
        {
            if let Some((oldest, size)) = self.queue.pop_front() {
                self.bytes -= size;
                self.missed += 1;
                removed.push(oldest);
            }
        }
        self.bytes += bytes;
        self.queue.push_back((item, bytes));
    }
}

impl<T> Receiver<T> {
    pub(crate) fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<Arc<T>>> {
        let mut waker = Some(cx.waker().clone());
        let poll = {
            let mut mailbox = self.0.lock();
            if let Some((item, bytes)) = mailbox.queue.pop_front() {
                mailbox.bytes -= bytes;
                Poll::Ready(Some(item))
            } else if mailbox.closed {
                Poll::Ready(None)
            } else {
                std::mem::swap(&mut mailbox.waker, &mut waker);
                Poll::Pending
            }
        };
        drop(waker);
        poll
    }

    pub(crate) fn missed(&self) -> u64 {
        self.0.lock().missed
    }
}
