//! The methods that every stream of events has.
//!
//! Owns their names and what they promise. It must not know how they keep it.

use std::time::Duration;

use futures::stream::Stream;

use super::event::SseEvent;
use super::keep_alive::KeepAlive;
use super::text::SseText;

/// What can be done to a stream of events: those of a call ([`events`](super::events)), or those of many calls and your
/// own, put together with the means of the `futures` crate.
pub trait SseExt: Stream<Item = SseEvent> {
    /// A comment where no event has come for so long, so that no proxy takes the connection for dead, and so that a
    /// browser which went away is noticed. 15 seconds are right for most; [`Duration::ZERO`] is never.
    ///
    /// The timer is that of the tokio runtime on which this is called, or else of the one on which the stream is polled.
    fn keep_alive(self, every: Duration) -> KeepAlive<Self>
    where
        Self: Sized + Unpin,
    {
        KeepAlive::new(self, every)
    }

    /// The body of the response: the text of each event, as results that are never an error.
    fn into_text(self) -> SseText<Self>
    where
        Self: Sized + Unpin,
    {
        SseText::new(self)
    }
}

impl<S: Stream<Item = SseEvent>> SseExt for S {}
