//! The future of a request with its handler.
//!
//! Owns the alternation of handing updates over and waiting. It must not know how updates arrive.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serde::de::DeserializeOwned;

use super::core::{Core, Event};
use super::handler::Handler;
use super::outcome::decode;
use super::plan::Plan;
use super::turn::{self, Turn};
use crate::error::Result;

/// The future that awaiting a [`Request`](crate::Request) makes.
///
/// # Panics
///
/// Polling it after it has given its result panics, as with any future.
#[must_use = "futures do nothing unless polled"]
pub struct Running<T, H> {
    state: State,
    handler: H,
    result: PhantomData<fn() -> T>,
}

enum State {
    Planned(Box<Plan>),
    Sent(Box<Core>),
    Done,
}

// No field is pinned in place.
impl<T, H> Unpin for Running<T, H> {}

impl<T, H: Handler> Running<T, H> {
    pub(super) fn new(plan: Plan, handler: H) -> Self {
        Self {
            state: State::Planned(Box::new(plan)),
            handler,
            result: PhantomData,
        }
    }
}

impl<T: DeserializeOwned, H: Handler> Future for Running<T, H> {
    type Output = Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T>> {
        let this = self.get_mut();
        let mut core = match std::mem::replace(&mut this.state, State::Done) {
            State::Planned(plan) => match plan.begin(H::LISTENS) {
                Ok(core) => Box::new(core),
                Err(error) => return Poll::Ready(Err(error)),
            },
            State::Sent(core) => core,
            State::Done => panic!("a request was polled after it had given its result"),
        };
        let span = core.span();
        let _entered = span.enter();
        // Out of `self` meanwhile: a handler that panics drops the call, which cancels it.
        let outcome = this.handler_turns(&mut core, cx);
        match outcome {
            Poll::Ready(outcome) => Poll::Ready(decode(&core, outcome)),
            Poll::Pending => {
                this.state = State::Sent(core);
                Poll::Pending
            }
        }
    }
}

impl<T, H: Handler> Running<T, H> {
    fn handler_turns(
        &mut self,
        core: &mut Core,
        cx: &mut Context<'_>,
    ) -> Poll<crate::progress::slot::Outcome> {
        let mut turn = Turn::default();
        loop {
            if self.handler.poll_ready(cx).is_pending() {
                return core.poll_interrupted(cx);
            }
            match ready!(core.poll_event(cx)) {
                Event::Update(update) => self.handler.handle(update),
                Event::Settled(outcome) => return Poll::Ready(outcome),
            }
            if turn.is_over() {
                // Enough for one poll: others on this thread want to run too.
                turn::give_way(cx);
                return Poll::Pending;
            }
        }
    }
}

impl<T, H> fmt::Debug for Running<T, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running").finish_non_exhaustive()
    }
}
