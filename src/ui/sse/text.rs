//! Events as the pieces of a response's body.
//!
//! Owns that there is no error. It must not know what events say.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{FusedStream, Stream};

use super::event::SseEvent;

/// The text of events, one piece for each; made by [`into_text`](super::SseExt::into_text).
///
/// It is a stream of results because that is what makers of bodies take.
#[derive(Clone, Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct SseText<S>(S);

impl<S> SseText<S> {
    pub(super) const fn new(events: S) -> Self {
        Self(events)
    }

    /// The events.
    #[must_use]
    pub fn into_inner(self) -> S {
        self.0
    }
}

impl<S: Stream<Item = SseEvent> + Unpin> Stream for SseText<S> {
    type Item = Result<String, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let event = std::task::ready!(Pin::new(&mut self.0).poll_next(cx));
        Poll::Ready(event.map(|event| Ok(event.to_string())))
    }
}

impl<S: FusedStream<Item = SseEvent> + Unpin> FusedStream for SseText<S> {
    fn is_terminated(&self) -> bool {
        self.0.is_terminated()
    }
}
