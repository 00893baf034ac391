//! Reading the body of a response into the session.
//!
//! Owns the way from bytes to messages, whose turn it is, and which events were there before. It must not know what
//! happens when a stream ends.

use std::collections::{HashSet, VecDeque};
use std::future::{Future, poll_fn};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use futures::future::{FusedFuture, FutureExt};
use reqwest::Response;
use tokio::task::yield_now;

use super::link::{Link, is_over};
use crate::client::clock;
use crate::client::turn::Reading;
use crate::codec::sse::{Event, Item, Sse};
use crate::error::{Error, Result};
use crate::session::flight::Flight;
use crate::session::read::{Read, Scope};
use crate::sync::Arc;
use crate::transport::http::refusal::unreachable;

/// How many events are remembered, to know a replayed one again.
const REMEMBERED: usize = 1024;

/// The reader of one event stream, over all the connections that it takes.
pub(super) struct Reader<'a> {
    link: &'a Link,
    sse: Sse,
    read: Read,
    turn: Option<Reading>,
    intake: usize,
    /// The call whose stream it is.
    own: Option<(Arc<Flight>, u32)>,
    /// Whether the response to that call was seen.
    answered: bool,
    /// What the server wants to be waited before it is asked again.
    pub(super) retry: Option<Duration>,
    /// Where HTTP+SSE wants messages to be posted, once the server has said it.
    pub(super) endpoint: Option<String>,
    /// The length of the last message, where that was longer than it may be. It may have been the response.
    pub(super) too_long: Option<u64>,
    /// How many bytes came on this connection.
    pub(super) bytes: u64,
    last_event_id: Option<String>,
    seen: Seen,
}

impl<'a> Reader<'a> {
    /// The reader of a request's own stream, or of the server's.
    pub(super) fn new(link: &'a Link, own: Option<(&Arc<Flight>, u32, bool)>) -> Self {
        let scope = own.map_or(Scope::Connection, |(flight, leg, alone)| Scope::Call {
            flight: flight.clone(),
            leg,
            alone,
        });
        Self {
            link,
            sse: Sse::new(link.limit),
            read: Read::of(scope, clock::now()),
            turn: None,
            intake: 0,
            own: own.map(|(flight, leg, _)| (flight.clone(), leg)),
            answered: false,
            retry: None,
            endpoint: None,
            too_long: None,
            bytes: 0,
            last_event_id: None,
            seen: Seen::default(),
        }
    }

    pub(super) fn last_event_id(&self) -> Option<&str> {
        self.last_event_id.as_deref()
    }

    /// Begins with another connection of the same stream, which may bring again what was there.
    pub(super) fn resume(&mut self) {
        self.sse = Sse::new(self.link.limit);
        self.bytes = 0;
        self.seen.replaying = true;
    }

    /// Reads on until the next chunk is taken in; false at the end of the body.
    ///
    /// # Errors
    ///
    /// Fails where the connection breaks, or the server is beyond help.
    pub(super) async fn step(&mut self, response: &mut Response) -> Result<bool> {
        let Some(chunk) = self.chunk(response).await? else {
            self.read.finish();
            return Ok(false);
        };
        self.bytes += chunk.len() as u64;
        self.read.again(clock::now());
        let taken = self.take(&chunk);
        self.stamp();
        self.free_answered();
        self.read.wake_answered();
        self.intake += chunk.len();
        if taken.is_err() {
            self.read.finish();
        } else {
            self.give_way().await;
        }
        taken.map(|()| true)
    }

    /// The next chunk. Where none is there yet, the connection's own task has a turn to bring one before the calls are
    /// woken that have updates: then they are woken once for all that has arrived, and not for each chunk of it.
    async fn chunk(&mut self, response: &mut Response) -> Result<Option<Bytes>> {
        let mut reading = pin!(response.chunk());
        let mut turn = pin!(yield_now().fuse());
        let chunk = poll_fn(|cx| {
            let poll = reading.as_mut().poll(cx);
            if poll.is_pending()
                && (self.read.is_idle()
                    || turn.is_terminated()
                    || turn.as_mut().poll(cx).is_ready())
            {
                self.read.finish();
                self.intake = 0;
            }
            poll
        });
        let chunk = chunk.await;
        if chunk.is_err() {
            // What came before the break is seen before what is done about it, which may take long.
            self.read.finish();
        }
        chunk.map_err(unreachable)
    }

    /// Other calls whose response came here have no use for streams of their own.
    fn free_answered(&mut self) {
        let over = self
            .own
            .as_ref()
            .is_some_and(|(flight, leg)| is_over(flight, *leg));
        let own = over && !std::mem::replace(&mut self.answered, over);
        if self.read.answers() > usize::from(own) {
            self.link.end_needless();
        }
    }

    /// Lets the calls run that this reader has work for, so that it never runs far ahead of them.
    async fn give_way(&mut self) {
        if self.intake == 0 {
            return;
        }
        let turn = self.turn.get_or_insert_with(Reading::new);
        if self.intake >= turn.bytes() || self.read.is_crowded() {
            self.read.finish();
            turn.give_way().await;
            self.intake = 0;
        }
    }

    fn stamp(&self) {
        match &self.own {
            // An update is a sign of life by itself.
            Some((flight, _)) if self.read.is_at(&flight.slot) => {}
            Some((flight, _)) => flight.slot.stamp(self.read.now()),
            None => {
                for (flight, _) in self.link.adopted() {
                    flight.slot.stamp(self.read.now());
                }
            }
        }
    }

    fn take(&mut self, chunk: &[u8]) -> Result<()> {
        let Self {
            link,
            sse,
            read,
            retry,
            endpoint,
            too_long,
            last_event_id,
            seen,
            ..
        } = self;
        let taken = sse.feed(chunk, |item| match item {
            Item::Retry(milliseconds) => {
                *retry = Some(Duration::from_millis(milliseconds));
                Ok(())
            }
            Item::TooLong { start, length, id } => {
                tracing::debug!(?id, length, "an event is longer than a message may be");
                *too_long = Some(length);
                link.session
                    .dispatch_oversized(start, length, link.limit, read);
                Ok(())
            }
            Item::Event(event) => {
                if event.kind == b"endpoint" {
                    *endpoint = Some(String::from_utf8_lossy(event.data).into_owned());
                    return Ok(());
                }
                // A priming event carries only an id, and other kinds mean nothing in MCP.
                if event.data.is_empty() || !(event.kind.is_empty() || event.kind == b"message") {
                    return Ok(());
                }
                *too_long = None;
                if seen.is_replay(&event) {
                    return Ok(());
                }
                link.session.dispatch(event.data, read)
            }
        });
        if let Some(id) = sse.last_event_id()
            && last_event_id.as_deref() != Some(id)
        {
            *last_event_id = Some(id.to_owned());
        }
        taken
    }

    /// The stream has ended in order. What no blank line closed is discarded by the standard; a whole message in it
    /// is taken all the same, since nothing else will come.
    pub(super) fn salvage(&mut self) -> Result<()> {
        let rest = self.sse.unfinished().unwrap_or_default();
        if rest.is_empty() || serde_json::from_slice::<serde::de::IgnoredAny>(rest).is_err() {
            return Ok(());
        }
        let taken = self.link.session.dispatch(rest, &mut self.read);
        self.read.finish();
        taken
    }

    /// Takes in the body of a JSON reply: one message or a batch.
    pub(super) async fn json(&mut self, response: &mut Response) -> Result<Body> {
        let mut body = Vec::new();
        let mut length = 0_u64;
        while let Some(chunk) = self.chunk(response).await? {
            self.read.again(clock::now());
            self.stamp();
            length += chunk.len() as u64;
            if body.len() + chunk.len() <= self.link.limit {
                body.extend_from_slice(&chunk);
            } else if body.len() < self.link.limit {
                body.extend_from_slice(&chunk[..self.link.limit - body.len()]);
            }
            // A refusal may be endless, and only its start is of use.
            if length > self.link.limit as u64 && !response.status().is_success() {
                break;
            }
        }
        Ok(Body {
            bytes: body,
            length,
        })
    }

    /// Gives a whole JSON body to the session.
    pub(super) fn take_json(&mut self, body: &Body) -> Result<()> {
        let taken = if body.is_cut() {
            let limit = self.link.limit;
            self.link
                .session
                .dispatch_oversized(&body.bytes, body.length, limit, &mut self.read);
            Ok(())
        } else {
            self.link.session.dispatch(&body.bytes, &mut self.read)
        };
        self.free_answered();
        self.read.finish();
        taken
    }

    /// Ends the call whose stream this is with an error that the server gave in another way than by a message.
    pub(super) fn refuse(&mut self, error: Error) {
        let own = self.own.clone();
        if let Some((flight, _)) = own.filter(|(flight, leg)| !is_over(flight, *leg)) {
            self.link
                .session
                .resolve(&flight, Err(error), &mut self.read);
            self.read.finish();
        }
    }
}

/// Whoever has something to see is woken also where the reader is dropped in the middle of its turn.
impl Drop for Reader<'_> {
    fn drop(&mut self) {
        self.read.finish();
    }
}

/// The body of a response, as far as it was kept.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Vec<u8>,
    pub(super) length: u64,
}

impl Body {
    pub(super) const fn is_cut(&self) -> bool {
        self.length > self.bytes.len() as u64
    }
}

/// Which events were there, by id and content.
#[derive(Debug, Default)]
struct Seen {
    hashes: HashSet<u64>,
    order: VecDeque<u64>,
    /// Whether what comes may have been there before: from taking a stream up again until something new comes.
    replaying: bool,
}

impl Seen {
    /// Whether this event was there; if not, it is from now on. Events without an id are never replayed.
    fn is_replay(&mut self, event: &Event<'_>) -> bool {
        let Some(id) = event.id else {
            return false;
        };
        let mut hasher = DefaultHasher::new();
        (id, event.data).hash(&mut hasher);
        let hash = hasher.finish();
        if self.hashes.contains(&hash) {
            return self.replaying;
        }
        self.replaying = false;
        if self.order.len() >= REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.hashes.remove(&oldest);
        }
        self.hashes.insert(hash);
        self.order.push_back(hash);
        false
    }
}
