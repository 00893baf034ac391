//! Comments where there is nothing to say.
//!
//! Owns when a stream of events has been silent for too long. It must not know what events say.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures::stream::{FusedStream, Stream};

use super::event::SseEvent;
use crate::client::alarm::Alarm;
use crate::client::clock;

/// Events, and a comment after each silence; made by [`keep_alive`](super::SseExt::keep_alive).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct KeepAlive<S> {
    events: S,
    /// Zero for never.
    every: Duration,
    /// When the last event went out.
    last: Instant,
    alarm: Alarm,
    over: bool,
}

impl<S> KeepAlive<S> {
    pub(super) fn new(events: S, every: Duration) -> Self {
        Self {
            events,
            every,
            last: clock::now(),
            alarm: Alarm::here(),
            over: false,
        }
    }

    /// The events.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.events
    }

    /// When it is time for a comment; none where that is never, or beyond what a clock can say.
    fn deadline(&self) -> Option<Instant> {
        let deadline = self.last.checked_add(self.every)?;
        (!self.every.is_zero()).then_some(deadline)
    }
}

impl<S: Stream<Item = SseEvent> + Unpin> Stream for KeepAlive<S> {
    type Item = SseEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<SseEvent>> {
        let this = self.get_mut();
        if this.over {
            return Poll::Ready(None);
        }
        // Events before the time: a comment beside an event that is there already keeps nothing alive.
        if let Poll::Ready(event) = Pin::new(&mut this.events).poll_next(cx) {
            this.last = clock::now();
            this.over = event.is_none();
            return Poll::Ready(event);
        }
        loop {
            let Some(deadline) = this.deadline() else {
                return Poll::Pending;
            };
            // It may ring for a deadline that has moved on since; then it is set anew.
            let rang = ready!(this.alarm.poll(deadline, cx));
            if rang >= deadline {
                this.last = clock::now().max(rang);
                return Poll::Ready(Some(SseEvent::comment("keep-alive")));
            }
        }
    }
}

impl<S: Stream<Item = SseEvent> + Unpin> FusedStream for KeepAlive<S> {
    fn is_terminated(&self) -> bool {
        self.over
    }
}
