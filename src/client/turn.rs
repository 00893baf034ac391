//! Who runs next: how long a call goes on with its handlers, and how it and the reader give way.
//!
//! Owns fairness between tasks on one thread. It must not know what handlers or readers do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::task::yield_now;

use super::clock::{self, Timer};

/// So many handlers run before the clock is looked at: reading it costs as much as a quick handler.
pub(crate) const HANDLERS: u32 = 32;

/// Quick handlers go on for this long. One read brings up to some 800 updates: a call that stopped after a fixed few
/// would fall behind a server that writes as fast as it is read, and see its updates merged.
const LENGTH: Duration = Duration::from_millis(2);

/// So long the reader waits for a thread that is blocked.
const PATIENCE: Duration = Duration::from_millis(1);

/// One poll's worth of handlers.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    began: Option<Instant>,
    handlers: u32,
}

impl Turn {
    /// Counts one handler that has run; true where others on this thread should run now.
    pub(crate) fn is_over(&mut self) -> bool {
        self.handlers += 1;
        // Most turns are one update long, and the clock would cost more than all the rest of them.
        if self.handlers == 1 {
            return false;
        }
        let began = *self.began.get_or_insert_with(clock::now);
        self.handlers.is_multiple_of(HANDLERS)
            && clock::now().saturating_duration_since(began) >= LENGTH
    }
}

/// Polls again once all that is ready has had its turn, for a future that returns `Pending` now.
///
/// Not a plain wake: on a single-threaded runtime a call with a backlog would then come before the reader, which
/// gives way likewise, again and again.
pub(crate) fn give_way(cx: &mut Context<'_>) {
    let _ = pin!(yield_now()).poll(cx);
}

/// Lets the calls that a read has woken run before the next read. Without this, a consumer on the same thread sees
/// nearly all of its updates merged away.
#[derive(Debug)]
pub(crate) struct Reading {
    runtime: Handle,
    timer: Timer,
}

impl Reading {
    /// How much the reader takes in before it gives way, unless a mailbox fills sooner or there is nothing to read.
    ///
    /// Calls are woken for their updates at the end of such a turn: with a thousand calls at once, each is then woken
    /// for several updates and not for every one. Where there is only this thread, others wait for it, so it is short.
    pub(crate) fn bytes(&self) -> usize {
        match self.runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 64 * 1024,
            _ => 1024 * 1024,
        }
    }

    pub(crate) fn new() -> Self {
        Self {
            runtime: Handle::current(),
            timer: Timer::default(),
        }
    }

    /// Comes back when nothing else is ready on this thread, so that the reader never runs ahead of the calls that it
    /// has woken.
    ///
    /// A plain wake is no use here. On a single-threaded runtime the future of `block_on`, often the consumer, is polled
    /// only once in a while; on several threads another worker would take the reader and read on while the calls still
    /// wait for this one.
    ///
    /// Race: a handler that blocks this thread would hold the reader up, and with it every other call. Where there are
    /// other threads, one of them then wakes it.
    pub(crate) async fn give_way(&mut self) {
        let mut idle = pin!(yield_now());
        if self.runtime.runtime_flavor() == RuntimeFlavor::CurrentThread {
            return idle.await;
        }
        self.timer.set(clock::now() + PATIENCE, &self.runtime);
        poll_fn(|cx| match idle.as_mut().poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => self.timer.poll(cx),
        })
        .await;
    }
}
