//! Owns the reading of a stream into the body of a response. Must not know which request it answers.

use super::options::Options;
use super::sse::Format;
use super::stream::{Cursor, Cut, Found, Keeping, Stream};
use futures::stream;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::UnsyncBoxBody};
use hyper::body::{Bytes, Frame};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// The body of any response of this server.
pub(crate) type Body = UnsyncBoxBody<Bytes, Broken>;

/// The connection breaks here because the script says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Broken;

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection breaks by script")
    }
}

impl std::error::Error for Broken {}

/// A body that is there as a whole.
pub(crate) fn whole(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// What happens when a reader goes before the stream ends.
type Abandoned = Box<dyn FnOnce() + Send>;

/// The reader of one response.
pub(crate) struct Reader {
    cursor: Cursor,
    format: Format,
    opening: Vec<u8>,
    keep_alive: Option<Duration>,
    /// How many events may still go out before the body is closed, if it is closed on purpose.
    left: Option<usize>,
    abandoned: Option<Abandoned>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader")
            .field("cursor", &self.cursor)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Reads the stream from where the last reader stopped.
    pub(crate) fn new(stream: &Stream, options: &Options) -> Self {
        Self {
            cursor: stream.attach(None),
            format: Format {
                crlf: options.crlf,
                stream: None,
            },
            opening: Vec::new(),
            keep_alive: options.keep_alive,
            left: None,
            abandoned: None,
        }
    }

    /// Reads a stream of a handshake session, from behind `after` if it is resumed.
    pub(crate) fn of_session(stream: &Stream, options: &Options, after: Option<u64>) -> Self {
        let mut reader = Self::new(stream, options);
        if let Some(after) = after {
            reader.cursor = stream.attach(Some(after));
        }
        if stream.keeping() == Keeping::Stored {
            reader.format.stream = Some(stream.number());
        }
        let prime = after.is_none().then(|| reader.cursor.position());
        reader.opening = reader.format.opening(prime, options.retry);
        reader
    }

    /// Sends this event before all others.
    pub(crate) fn opened_by(mut self, event: &str, data: &str) -> Self {
        self.opening = self.format.named(event, data);
        self
    }

    /// Closes the body on purpose after so many events.
    pub(crate) fn closing_after(mut self, events: Option<usize>) -> Self {
        self.left = events;
        self
    }

    /// Does this when the reader goes before the stream has ended.
    pub(crate) fn when_abandoned(mut self, act: impl FnOnce() + Send + 'static) -> Self {
        self.abandoned = Some(Box::new(act));
        self
    }

    /// The next bytes of the body; none at its end.
    async fn frame(&mut self) -> Option<Result<Bytes, Broken>> {
        if !self.opening.is_empty() {
            return Some(Ok(std::mem::take(&mut self.opening).into()));
        }
        let most = self.left.unwrap_or(usize::MAX);
        if most == 0 {
            return None;
        }
        let next = self.cursor.next(most);
        let found = match self.keep_alive {
            Some(pause) => match tokio::time::timeout(pause, next).await {
                Ok(found) => found,
                Err(_) => return Some(Ok(self.format.comment().into())),
            },
            None => next.await,
        };
        match found {
            Found::Events(first, lines) => {
                self.left = self.left.map(|left| left.saturating_sub(lines.len()));
                let mut out = Vec::new();
                for (number, line) in (first..).zip(&lines) {
                    self.format.message(&mut out, number, line);
                }
                Some(Ok(out.into()))
            }
            Found::End | Found::Cut(Cut::Closed) => None,
            Found::Cut(Cut::Broken) => {
                // What went out before is flushed while this waits; an error ends the connection without a flush.
                for _turn in 0..3 {
                    tokio::task::yield_now().await;
                }
                Some(Err(Broken))
            }
        }
    }

    /// A body that sends the events as they come.
    pub(crate) fn into_body(self) -> Body {
        let frames = stream::unfold(self, |mut reader| async move {
            let frame = reader.frame().await?;
            Some((frame.map(Frame::data), reader))
        });
        StreamBody::new(Box::pin(frames)).boxed_unsync()
    }

    /// The responses to these requests, in the order in which they come, without all else. Fewer than asked for where
    /// the stream ends before.
    pub(crate) async fn responses(mut self, mut ids: Vec<Value>) -> Result<Vec<Value>, Broken> {
        let mut responses = Vec::new();
        while !ids.is_empty() {
            match self.cursor.next(usize::MAX).await {
                Found::Events(_, lines) => {
                    for line in lines {
                        let message: Value = serde_json::from_slice(&line).unwrap_or_default();
                        let place = ids.iter().position(|id| message["id"] == *id);
                        if let Some(place) = place.filter(|_| message.get("method").is_none()) {
                            ids.remove(place);
                            responses.push(message);
                        }
                    }
                }
                Found::End | Found::Cut(Cut::Closed) => break,
                Found::Cut(Cut::Broken) => return Err(Broken),
            }
        }
        Ok(responses)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(abandoned) = self.abandoned.take()
            && !self.cursor.stream().is_ended()
        {
            abandoned();
        }
    }
}
