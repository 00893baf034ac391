//! A stream with a state machine on it, and the timer that the machine asks for.
//!
//! Owns the driving: the stream before the time, fusing, giving way. It must not know what the machines do.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::Stream;

use super::super::alarm::Alarm;
use super::super::clock;
use super::super::turn::{self, Turn};
use crate::model::progress::Progress;
use crate::progress::combine::machine::Machine;

/// What all combinators are inside.
#[derive(Debug)]
pub(crate) struct Adapter<S, M> {
    inner: S,
    machine: M,
    alarm: Alarm,
    /// Whether the stream below has ended: it is not asked again.
    ended: bool,
    /// Whether this stream has said so.
    over: bool,
}

impl<S, M> Adapter<S, M> {
    /// Takes the runtime that this runs on for its timer.
    pub(super) fn new(inner: S, machine: M) -> Self {
        Self {
            inner,
            machine,
            alarm: Alarm::here(),
            ended: false,
            over: false,
        }
    }

    pub(super) const fn machine(&self) -> &M {
        &self.machine
    }

    pub(super) const fn inner(&self) -> &S {
        &self.inner
    }

    pub(super) fn into_inner(self) -> S {
        self.inner
    }

    pub(super) const fn is_over(&self) -> bool {
        self.over
    }
}

impl<S: Stream<Item = Progress> + Unpin, M: Machine> Adapter<S, M> {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<M::Item>> {
        let mut turn = Turn::default();
        loop {
            if let Some(item) = self.machine.pop() {
                return Poll::Ready(Some(item));
            }
            if self.ended {
                self.over = true;
                return Poll::Ready(None);
            }
            match Pin::new(&mut self.inner).poll_next(cx) {
                Poll::Ready(Some(update)) => {
                    // Read anew for each update: those of one poll may be milliseconds apart.
                    self.machine.push(update, clock::now());
                    if let Some(item) = self.machine.pop() {
                        return Poll::Ready(Some(item));
                    }
                    // A flood of which nothing goes on would otherwise keep this thread for itself.
                    if turn.is_over() {
                        turn::give_way(cx);
                        return Poll::Pending;
                    }
                }
                Poll::Ready(None) => {
                    self.ended = true;
                    self.machine.finish(clock::now());
                }
                Poll::Pending => {
                    self.machine.tick(clock::now());
                    if let Some(item) = self.machine.pop() {
                        return Poll::Ready(Some(item));
                    }
                    let Some(deadline) = self.machine.deadline() else {
                        return Poll::Pending;
                    };
                    let rang = ready!(self.alarm.poll(deadline, cx));
                    // Where this is polled outside the runtime of its timer, the two may go by different clocks: what the
                    // timer says counts too, or it would ring for ever.
                    self.machine.tick(clock::now().max(rang));
                }
            }
        }
    }
}

/// Gives a combinator, which is a tuple of one `Adapter`, its face as a stream.
macro_rules! combinator {
    ($name:ident yields $item:ty) => {
        impl<S> $name<S> {
            /// The stream below, for instance to ask a subscription why it ended. Updates taken from it are missing here.
            #[must_use]
            pub const fn get_ref(&self) -> &S {
                self.0.inner()
            }

            /// The stream below. What is held here is lost.
            #[must_use]
            pub fn into_inner(self) -> S {
                self.0.into_inner()
            }
        }

        impl<S> $name<S>
        where
            S: futures::stream::Stream<Item = crate::model::progress::Progress> + Unpin,
        {
            /// The next item, or nothing once the stream has ended.
            ///
            /// # Cancel safety
            ///
            /// Dropping the future loses nothing: what is held is held by the stream.
            pub async fn next(&mut self) -> Option<$item> {
                futures::stream::StreamExt::next(self).await
            }
        }

        impl<S> futures::stream::Stream for $name<S>
        where
            S: futures::stream::Stream<Item = crate::model::progress::Progress> + Unpin,
        {
            type Item = $item;

            fn poll_next(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<Option<$item>> {
                self.get_mut().0.poll(cx)
            }
        }

        impl<S> futures::stream::FusedStream for $name<S>
        where
            S: futures::stream::Stream<Item = crate::model::progress::Progress> + Unpin,
        {
            fn is_terminated(&self) -> bool {
                self.0.is_over()
            }
        }
    };
}
pub(super) use combinator;
