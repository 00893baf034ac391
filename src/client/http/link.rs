//! What all exchanges of one connection share: the handshake session, the calls at work, and the headers.
//!
//! Owns that state behind one short lock. It must not know how a reply is read.

use std::time::Instant;

use bytes::Bytes;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, oneshot, watch};
use tokio::task::AbortHandle;

use super::told::Told;
use crate::error::{Error, ErrorKind};
use crate::model::version::ProtocolVersion;
use crate::progress::end::StreamEnd;
use crate::session::calls::Session;
use crate::session::flight::{Flight, Kind};
use crate::session::mirror;
use crate::sync::{Arc, IdMap, Mutex};
use crate::transport::http::channel::{Channel, Outgoing};
use crate::transport::http::header::SESSION_ID;

const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// Both forms of a reply (all revisions of Streamable HTTP, "Sending Messages").
const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// So many requests that tell the server to stop something leave without waiting for a free connection.
const ERRANDS: usize = 16;

#[derive(Debug)]
pub(crate) struct Link {
    pub(super) session: Arc<Session>,
    pub(super) channel: Channel,
    /// The longest message in bytes.
    pub(super) limit: usize,
    /// Whether tools that are declared safe to call twice are called again when their reply breaks off.
    pub(super) reissue_safe: bool,
    /// Held by whoever opens a new handshake session for all.
    pub(super) renewing: tokio::sync::Mutex<()>,
    /// Whether the server's own stream is open.
    pub(super) stream: watch::Sender<ServerStream>,
    /// Told when no exchange is under way any more.
    idle: Notify,
    /// Told when that stream must be opened anew.
    pub(super) restart: Notify,
    pub(super) told: Told,
    /// Those that may still be opened.
    pub(super) connections: Arc<Semaphore>,
    pub(super) runtime: Handle,
    state: Mutex<State>,
}

/// The state of the stream that belongs to no request (GET).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ServerStream {
    /// Not asked for yet.
    Idle,
    Opening,
    Open,
    /// The server has none.
    Refused,
}

#[derive(Debug, Default)]
struct State {
    /// Where HTTP+SSE wants messages to be posted; none for Streamable HTTP.
    post_to: Option<Url>,
    session_id: Option<HeaderValue>,
    /// How many handshake sessions there were before this one.
    generation: u64,
    exchanges: IdMap<Exchange>,
    /// How many of those are errands.
    errands: usize,
    /// How many messages are on their way that end a call without an exchange.
    telling: usize,
    /// Calls whose answer comes on the server's own stream.
    adopted: Vec<(Arc<Flight>, u32)>,
    tasks: Vec<AbortHandle>,
}

/// The handle on the exchange of one request.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) flight: Arc<Flight>,
    pub(super) leg: u32,
    pub(super) task: AbortHandle,
    /// Ends it before its time, once: with the message that tells the server to stop, or with nothing, where nobody waits
    /// for the rest.
    pub(super) abandon: Option<oneshot::Sender<Option<Vec<u8>>>>,
}

impl Exchange {
    fn is_errand(&self) -> bool {
        matches!(self.flight.kind, Kind::Errand)
    }
}

/// A message to the server that the end of the connection waits for.
#[derive(Debug)]
pub(super) struct Telling(Arc<Link>);

impl Drop for Telling {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.telling -= 1;
        drop(state);
        self.0.idle.notify_waiters();
    }
}

impl Link {
    pub(crate) fn new(
        session: Arc<Session>,
        channel: Channel,
        runtime: Handle,
        limit: usize,
        reissue_safe: bool,
    ) -> Self {
        let connections = Arc::new(Semaphore::new(channel.max_connections));
        Self {
            session,
            channel,
            connections,
            limit,
            reissue_safe,
            renewing: tokio::sync::Mutex::new(()),
            stream: watch::Sender::new(ServerStream::Idle),
            idle: Notify::new(),
            restart: Notify::new(),
            told: Told::default(),
            runtime,
            state: Mutex::new(State::default()),
        }
    }

    pub(super) fn is_modern(&self, method: &str) -> bool {
        method == "server/discover" || self.session.wire().is_modern()
    }

    /// Whether the server speaks HTTP+SSE (2024-11-05).
    pub(super) fn is_sse(&self) -> bool {
        self.state.lock().post_to.is_some()
    }

    pub(super) fn post_to(&self, url: Url) {
        self.state.lock().post_to = Some(url);
    }

    /// The POST of a request; `name` is the tool, prompt or resource that it names.
    pub(super) fn post(&self, frame: Bytes, method: &str, name: Option<&str>) -> Outgoing {
        let mut headers = HeaderMap::with_capacity(8);
        if self.is_modern(method) {
            let known = |tool: &str| self.session.tools.get()?.get(tool);
            for (name, value) in mirror::headers(method, name, &frame, known) {
                // What the mirror gives is ASCII; a tool's own header name was judged when the tools were listed.
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(&*name), HeaderValue::try_from(&*value))
                {
                    headers.insert(name, value);
                }
            }
        }
        self.posted(frame, Some(method), headers)
    }

    /// The POST of a message that is no request.
    pub(super) fn post_notice(&self, frame: Bytes) -> Outgoing {
        self.posted(frame, None, HeaderMap::with_capacity(8))
    }

    fn posted(&self, frame: Bytes, method: Option<&str>, mut headers: HeaderMap) -> Outgoing {
        headers.insert(ACCEPT, BOTH);
        headers.insert(CONTENT_TYPE, JSON);
        self.add_session(&mut headers, method);
        let url = self.state.lock().post_to.clone();
        Outgoing {
            method: Method::POST,
            url: url.unwrap_or_else(|| self.channel.url.clone()),
            headers,
            body: frame,
        }
    }

    /// The GET of an event stream, from behind the event with this id.
    pub(super) fn get(&self, last_event_id: Option<&str>) -> Outgoing {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(ACCEPT, EVENTS);
        // An id that HTTP cannot carry is left out: then the stream begins anew.
        if let Some(id) = last_event_id.and_then(|id| HeaderValue::from_bytes(id.as_bytes()).ok()) {
            headers.insert(LAST_EVENT_ID, id);
        }
        self.add_session(&mut headers, None);
        self.bare(Method::GET, headers)
    }

    /// The DELETE that ends the handshake session, if there is one.
    pub(super) fn delete(&self) -> Option<Outgoing> {
        self.session_id()?;
        // A task that was left to the server would go with its session.
        if self.session.is_left_open() {
            return None;
        }
        let mut headers = HeaderMap::new();
        self.add_session(&mut headers, None);
        Some(self.bare(Method::DELETE, headers))
    }

    fn bare(&self, method: Method, headers: HeaderMap) -> Outgoing {
        Outgoing {
            method,
            url: self.channel.url.clone(),
            headers,
            body: Bytes::new(),
        }
    }

    fn add_session(&self, headers: &mut HeaderMap, method: Option<&str>) {
        // `initialize` opens a session and agrees on a revision: it has neither yet.
        if method == Some("initialize") {
            return;
        }
        let version = match self.session.wire().version {
            None if method == Some("server/discover") => Some(ProtocolVersion::LATEST),
            version => version,
        };
        // The header came with 2025-06-18.
        if let Some(version) = version.filter(|version| *version >= ProtocolVersion::V2025_06_18) {
            headers.insert(VERSION, HeaderValue::from_static(version.as_str()));
        }
        if let Some(id) = self.session_id() {
            headers.insert(SESSION_ID, id);
        }
    }

    /// The handshake session that another client began, and that is left as it is at the end.
    pub(super) fn join_session(&self, id: &HeaderValue) {
        self.begin_session(Some(id));
        self.session.leave_open();
    }

    /// The id of the handshake session, where there is one.
    pub(crate) fn session_name(&self) -> Option<String> {
        let id = self.session_id()?;
        id.to_str().ok().map(str::to_owned)
    }

    fn session_id(&self) -> Option<HeaderValue> {
        self.state.lock().session_id.clone()
    }

    /// The handshake session has this id from now on, or none.
    pub(super) fn begin_session(&self, id: Option<&HeaderValue>) {
        let mut id = id.cloned();
        if let Some(id) = &mut id {
            id.set_sensitive(true);
        }
        let mut state = self.state.lock();
        state.session_id = id;
        state.generation += 1;
    }

    /// Which handshake session this is, where there is one.
    pub(super) fn generation(&self) -> Option<u64> {
        let state = self.state.lock();
        state.session_id.as_ref().map(|_| state.generation)
    }

    pub(super) fn enter(&self, id: i64, exchange: Exchange) {
        let mut state = self.state.lock();
        state.errands += usize::from(exchange.is_errand());
        state.exchanges.insert(id, exchange);
    }

    /// Whether another request may leave, without a free connection, that tells the server to stop something.
    pub(super) fn has_room_for_errands(&self) -> bool {
        self.state.lock().errands < ERRANDS
    }

    /// Takes the exchange of a request out, to abandon it or because it is over.
    pub(super) fn leave(&self, id: i64) -> Option<Exchange> {
        let mut state = self.state.lock();
        let left = state.exchanges.remove(&id);
        let errand = left.as_ref().is_some_and(Exchange::is_errand);
        state.errands -= usize::from(errand);
        let idle = state.exchanges.is_empty();
        drop(state);
        if errand {
            // Another one may wait for its room.
            self.session.outbox.wake();
        }
        if idle {
            self.idle.notify_waiters();
        }
        left
    }

    /// What ends an exchange before its time; none where it is over. It stays on the list until the server is told.
    pub(super) fn abandon(&self, id: i64) -> Option<oneshot::Sender<Option<Vec<u8>>>> {
        self.state.lock().exchanges.get_mut(&id)?.abandon.take()
    }

    /// The end of the connection waits for what is told until this is dropped.
    pub(super) fn telling(self: &Arc<Self>) -> Telling {
        self.state.lock().telling += 1;
        Telling(self.clone())
    }

    /// Ends the exchanges that nobody waits for any more: of calls that were answered on another stream, and of a probe
    /// that was given up. What is cancelled ends by itself, when that is told.
    pub(super) fn end_needless(&self) {
        let mut state = self.state.lock();
        if state.exchanges.is_empty() {
            return;
        }
        let needless: Vec<_> = state
            .exchanges
            .values_mut()
            .filter(|exchange| {
                let flight = &exchange.flight;
                let probed = matches!(flight.kind, Kind::Negotiation);
                let answered = is_over(flight, exchange.leg) && !flight.slot.is_dead();
                answered || (probed && flight.slot.is_dead())
            })
            .filter_map(|exchange| exchange.abandon.take())
            .collect();
        drop(state);
        for abandon in needless {
            let _ = abandon.send(None);
        }
    }

    /// A request is sent again under another id.
    pub(super) fn rename(&self, old: i64, new: i64) {
        let mut state = self.state.lock();
        if let Some(exchange) = state.exchanges.remove(&old) {
            state.exchanges.insert(new, exchange);
        }
    }

    /// The answer to this call comes on the server's own stream.
    pub(super) fn adopt(&self, flight: Arc<Flight>, leg: u32) {
        let mut state = self.state.lock();
        state.adopted.retain(|(flight, leg)| !is_over(flight, *leg));
        state.adopted.push((flight, leg));
    }

    /// The calls whose answer the server's own stream brings.
    pub(super) fn adopted(&self) -> Vec<(Arc<Flight>, u32)> {
        let mut state = self.state.lock();
        if state.adopted.is_empty() {
            return Vec::new();
        }
        state.adopted.retain(|(flight, leg)| !is_over(flight, *leg));
        state.adopted.clone()
    }

    /// The server's own stream is gone for good: nobody else answers these calls.
    pub(super) fn orphan(&self, why: &str, now: Instant) {
        for (flight, leg) in self.adopted() {
            let error = Error::new(ErrorKind::ConnectionLost, why)
                .with_hint("the server took the request; whether it acted on it is unknown");
            self.session
                .fail(&flight, leg, error, StreamEnd::Disconnected, now);
        }
    }

    /// A task that ends with the connection.
    pub(super) fn keep(&self, task: AbortHandle) {
        let mut state = self.state.lock();
        state.tasks.retain(|task| !task.is_finished());
        state.tasks.push(task);
    }

    /// Stops every exchange and task.
    pub(super) fn stop(&self) {
        let (exchanges, tasks) = {
            let mut state = self.state.lock();
            state.adopted.clear();
            state.errands = 0;
            (
                std::mem::take(&mut state.exchanges),
                std::mem::take(&mut state.tasks),
            )
        };
        for (_, exchange) in exchanges {
            exchange.task.abort();
        }
        for task in tasks {
            task.abort();
        }
    }

    /// Waits until no exchange is under way, and all is told.
    pub(super) async fn idle(&self) {
        loop {
            // Before the look, so that the word which comes between look and wait is heard.
            let idle = self.idle.notified();
            {
                let state = self.state.lock();
                if state.exchanges.is_empty() && state.telling == 0 {
                    return;
                }
            }
            idle.await;
        }
    }
}

/// Whether this request of the call has its response, or the call is over.
pub(super) fn is_over(flight: &Flight, leg: u32) -> bool {
    flight.slot.is_past(leg)
}
