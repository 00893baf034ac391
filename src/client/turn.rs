//! Who runs next: how long a call goes on with its handlers, and how it and the reader give way.
//!
//! Owns fairness between tasks on one thread. It must not know what handlers or readers do.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::runtime::RuntimeFlavor;
use tokio::task::yield_now;

use super::clock;

/// So many handlers run before the clock is looked at: reading it costs as much as a quick handler.
pub(crate) const HANDLERS: u32 = 32;

/// Quick handlers go on for this long. One read brings up to some 800 updates: a call that stopped after a fixed few
/// would fall behind a server that writes as fast as it is read, and see its updates merged.
const LENGTH: Duration = Duration::from_millis(2);

/// One poll's worth of handlers.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    began: Option<Instant>,
    handlers: u32,
}

impl Turn {
    /// Counts one handler that has run; true where others on this thread should run now.
    pub(crate) fn is_over(&mut self) -> bool {
        let began = *self.began.get_or_insert_with(clock::now);
        self.handlers += 1;
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
pub(crate) async fn after_a_read(flavor: &RuntimeFlavor) {
    if *flavor == RuntimeFlavor::CurrentThread {
        // Comes back when nothing else is ready. A plain wake is no use here: the future of `block_on`, often the
        // consumer, is polled only once in a while.
        return yield_now().await;
    }
    // Back of this worker's queue, whence another worker may take it. Not `yield_now`: it ties the reader to this
    // worker until that is idle, and a handler that blocks its thread would hold up every other call.
    let mut stepped_back = false;
    poll_fn(|cx| {
        if stepped_back {
            return Poll::Ready(());
        }
        stepped_back = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
