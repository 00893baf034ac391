//! What an incoming frame does.
//!
//! Owns the judgement of every message: which call it is for, or which diagnostic it is. Nothing that a server
//! sends fails a call or the connection, but a malformed response its own call. It must not know how frames are
//! read, and runs no handler.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::calls::Session;
use super::flight::{Flight, Kind};
use super::inbound::Fate;
use super::notification::Notification;
use super::read::Read;
use super::salvage::salvage_response_id;
use super::stats::DiagnosticKind;
use super::wire;
use crate::error::{Error, ErrorKind};
use crate::jsonrpc::{Envelope, ErrorObject, Id, Key, OnePass, Params, split_batch};
use crate::model::progress::ProgressParams;
use crate::progress::end::StreamEnd;
use crate::progress::slot::Outcome;
use crate::sync::{Arc, Table};

type Incoming<'a> = Envelope<'a, ProgressParams<'a>>;

impl Session {
    /// Takes in one frame: a message, or a batch of them.
    ///
    /// # Errors
    ///
    /// Fails where the connection cannot go on: the server asks faster than it reads the answers.
    pub(crate) fn dispatch(&self, frame: &[u8], read: &mut Read) -> Result<(), Error> {
        let frame = bare(frame);
        if frame.first() != Some(&b'[') {
            return self.dispatch_message(frame, read);
        }
        match split_batch(frame) {
            Ok(messages) if messages.is_empty() => {
                self.counters
                    .note(DiagnosticKind::MalformedMessage, || "an empty batch");
                Ok(())
            }
            Ok(messages) => {
                for message in messages {
                    self.dispatch_message(message.get().as_bytes(), read)?;
                }
                Ok(())
            }
            Err(error) => {
                self.note_malformed(frame, &error);
                Ok(())
            }
        }
    }

    /// Takes in what stands behind the last newline when the connection ends.
    ///
    /// It may be a whole message. One that was cut off is counted and fails no call as malformed: the loss of the
    /// connection does, which is what happened.
    ///
    /// # Errors
    ///
    /// As [`dispatch`](Self::dispatch).
    pub(crate) fn dispatch_last(&self, frame: &[u8], read: &mut Read) -> Result<(), Error> {
        let frame = bare(frame);
        match serde_json::from_slice::<IgnoredAny>(frame) {
            Err(error) if error.is_eof() && !frame.is_empty() => {
                self.note_malformed(frame, &error);
                Ok(())
            }
            _ => self.dispatch(frame, read),
        }
    }

    /// A frame beyond the limit, of which only the start is there: its call fails, if the id is in the start.
    pub(crate) fn dispatch_oversized(
        &self,
        start: &[u8],
        length: u64,
        limit: usize,
        read: &mut Read,
    ) {
        self.counters.note(DiagnosticKind::OversizedMessage, || {
            format!(
                "{length} bytes, beginning {}",
                String::from_utf8_lossy(&start[..start.len().min(80)])
            )
        });
        if let Some(id) = salvage_response_id(start) {
            let text = format!(
                "the response has {length} bytes, beyond the limit of {limit} bytes for one message"
            );
            let error = Error::new(ErrorKind::Protocol, text)
                .with_hint("raise `max_message_bytes` if responses of this size are expected");
            self.fail_response(&id, error, read);
        }
    }

    fn dispatch_message(&self, frame: &[u8], read: &mut Read) -> Result<(), Error> {
        if frame.is_empty() {
            return Ok(());
        }
        match Incoming::decode(frame) {
            Ok(envelope) => self.dispatch_envelope(envelope, frame.len(), read),
            Err(error) => self.dispatch_undecodable(frame, &error, read),
        }
    }

    /// Second try for a frame that did not decode: with raw params, then with its invalid UTF-8 replaced.
    fn dispatch_undecodable(
        &self,
        frame: &[u8],
        error: &serde_json::Error,
        read: &mut Read,
    ) -> Result<(), Error> {
        if let Ok(envelope) = Envelope::<'_, Untyped>::decode(frame) {
            // The envelope is sound, so its params were not: those of a progress notification.
            let detail = || format!("{error} in {}", envelope.params_text());
            self.counters.note(DiagnosticKind::MalformedUpdate, detail);
            return Ok(());
        }
        if let Cow::Owned(mended) = String::from_utf8_lossy(frame)
            && let Ok(envelope) = Incoming::decode(mended.as_bytes())
        {
            self.counters
                .note(DiagnosticKind::InvalidUtf8, || mended.clone());
            return self.dispatch_envelope(envelope, mended.len(), read);
        }
        self.note_malformed(frame, error);
        if let Some(id) = salvage_response_id(frame) {
            let error = Error::new(
                ErrorKind::Protocol,
                format!("the response is not valid JSON: {error}"),
            );
            self.fail_response(&id, error, read);
        }
        Ok(())
    }

    fn note_malformed(&self, frame: &[u8], error: &serde_json::Error) {
        self.counters.note(DiagnosticKind::MalformedMessage, || {
            format!("{error} in {}", String::from_utf8_lossy(frame))
        });
    }

    fn dispatch_envelope(
        &self,
        envelope: Incoming<'_>,
        length: usize,
        read: &mut Read,
    ) -> Result<(), Error> {
        match (envelope.method, envelope.id) {
            (Some(method), Id::Absent) => match &envelope.params {
                Params::Typed(params) => self.on_progress(params, read),
                params => self.on_notification(&method, params, read),
            },
            (Some(method), Id::Key(id)) => {
                return self.on_request(&id, &method, raw(&envelope.params));
            }
            (None, Id::Key(id)) if envelope.result.is_some() || envelope.error.is_some() => {
                let outcome = match (envelope.error, envelope.result) {
                    (Some(error), _) => Err(Error::rpc(ErrorObject::from_raw(error))),
                    (None, result) => Ok(result.unwrap_or(RawValue::NULL).to_owned()),
                };
                match (read.scope.open_call(), &outcome) {
                    // Servers refuse a request that they could not read under an id of their own.
                    (Some(flight), Err(_)) if !self.is_known(&id) => {
                        let flight = flight.clone();
                        self.resolve(&flight, outcome, read);
                    }
                    _ => self.on_response(&id, outcome, read),
                }
            }
            (None, Id::Absent | Id::Invalid) if envelope.error.is_some() && read.scope.open_call().is_some() => {
                self.on_nameless_error(envelope.error, read);
            }
            (None, Id::Absent | Id::Invalid) if envelope.error.is_some() => {
                let text = envelope.error.map_or("", RawValue::get);
                self.counters.note(DiagnosticKind::ForeignResponse, || format!("an error without an id: {text}"));
            }
            (None, Id::Key(id)) => {
                let text = "the response has neither a result nor an error";
                self.counters
                    .note(DiagnosticKind::MalformedMessage, || format!("{text}: id {id:?}"));
                self.fail_response(&id, Error::new(ErrorKind::Protocol, text), read);
            }
            (method, id) => self.counters.note(DiagnosticKind::MalformedMessage, || {
                format!("{length} bytes, method {method:?}, {id:?}, neither request, notification nor response")
            }),
        }
        Ok(())
    }

    fn on_response(&self, id: &Key<'_>, outcome: Outcome, read: &mut Read) {
        let Some(flight) = self.flight(id) else {
            let retired = own_id(id).filter(|id| self.is_retired(*id));
            if let (Some(id), Ok(raw)) = (retired, &outcome) {
                self.stop_late_task(id, raw, read.now);
            }
            let kind = if retired.is_some() {
                DiagnosticKind::LateResponse
            } else {
                DiagnosticKind::ForeignResponse
            };
            self.counters.note(kind, || format!("id {id:?}"));
            return;
        };
        self.resolve(&flight, outcome, read);
    }

    fn on_nameless_error(&self, error: Option<&RawValue>, read: &mut Read) {
        if let (Some(error), Some(flight)) = (error, read.scope.open_call()) {
            let flight = flight.clone();
            self.resolve(&flight, Err(Error::rpc(ErrorObject::from_raw(error))), read);
        }
    }

    /// Ends a call with its response.
    pub(crate) fn resolve(&self, flight: &Arc<Flight>, outcome: Outcome, read: &mut Read) {
        if let Ok(raw) = &outcome
            && flight.method == "tools/list"
            && !self.wire().is_modern()
        {
            self.task_tools.note(raw);
        }
        let outcome = match outcome {
            Ok(raw) if self.goes_on(flight, &raw) => return self.suspend(flight, raw, read),
            outcome => outcome,
        };
        let end = match &outcome {
            Ok(_) => StreamEnd::Completed,
            // As for the call itself: an error after a cancel is how the server says that it has stopped.
            Err(_) if flight.slot.grace_until().is_some() => StreamEnd::Cancelled,
            Err(_) => StreamEnd::Failed,
        };
        let outcome = outcome.map_err(|error| error.with_context(flight.context(read.now)));
        #[cfg(feature = "http")]
        let outcome = self.screened(flight, outcome);
        self.forget(flight, end);
        // The token is free again: a later update of this read is looked up anew.
        read.last = None;
        if flight.slot.settle(outcome, end, read.now) {
            read.answered(flight.slot.clone());
        } else {
            self.counters.note(DiagnosticKind::LateResponse, || {
                format!("id {}", flight.id())
            });
        }
    }

    fn fail_response(&self, id: &Key<'_>, error: Error, read: &mut Read) {
        if self.flight(id).is_some() {
            self.on_response(id, Err(error), read);
        }
    }

    /// The call that a response is for, also where the server wrote its id as a string.
    fn flight(&self, id: &Key<'_>) -> Option<Arc<Flight>> {
        let own = own_id(id)?;
        let flight = self.in_flight.get_with(&own, Arc::clone);
        let flight = flight.or_else(|| self.errands.get_with(&own, Arc::clone))?;
        if matches!(id, Key::String(_)) {
            self.counters.note(DiagnosticKind::Retyped, || {
                format!("id {id:?} of {}", flight.method)
            });
        }
        Some(flight)
    }

    /// Whether an id is or was that of a request of ours.
    fn is_known(&self, id: &Key<'_>) -> bool {
        own_id(id).is_some_and(|id| {
            let open = |table: &Table<i64, Arc<Flight>>| table.get_with(&id, |_| ()).is_some();
            open(&self.in_flight) || open(&self.errands) || self.is_retired(id)
        })
    }

    fn on_request(
        &self,
        id: &Key<'_>,
        method: &str,
        params: Option<&RawValue>,
    ) -> Result<(), Error> {
        if self.wire().is_modern() {
            // A client of the modern era writes no responses (revision 2026-07-28, stdio, "Sending Messages").
            self.counters
                .note(DiagnosticKind::UnservedRequest, || method);
            return Ok(());
        }
        let reply = if method == "ping" {
            wire::reply(id, Ok(&Value::Object(Map::new())))
        } else {
            let refusal = match self
                .inbound
                .offer(id, method, params, self.outbox.answers())
            {
                Fate::Queued => return Ok(()),
                Fate::Unserved => ErrorObject::new(
                    ErrorObject::METHOD_NOT_FOUND,
                    format!("{method} is not supported by this client"),
                ),
                Fate::Refused => {
                    ErrorObject::new(ErrorObject::INTERNAL_ERROR, "too many requests at once")
                }
            };
            self.counters
                .note(DiagnosticKind::UnservedRequest, || method);
            wire::reply(id, Err(&refusal))
        };
        self.outbox.push_reply(reply).map_err(|_| {
            Error::new(
                ErrorKind::ConnectionLost,
                "the server keeps sending requests and reads none of the answers; the connection was given up",
            )
        })
    }

    fn on_notification(
        &self,
        method: &str,
        params: &Params<'_, ProgressParams<'_>>,
        read: &mut Read,
    ) {
        let raw = raw(params);
        if method == ProgressParams::METHOD {
            // The params stood before the method, or there are none.
            match raw.map(|raw| serde_json::from_str(raw.get())) {
                Some(Ok(params)) => self.on_progress(&params, read),
                Some(Err(error)) => {
                    self.counters
                        .note(DiagnosticKind::MalformedUpdate, || error.to_string());
                }
                None => self
                    .counters
                    .note(DiagnosticKind::MalformedUpdate, || "no params"),
            }
            return;
        }
        let notification = || Notification {
            method: method.to_owned(),
            params: raw.map(ToOwned::to_owned),
        };
        let bytes = method.len() + raw.map_or(0, |raw| raw.get().len());
        if let Some(named) = raw.and_then(Named::of) {
            if let Some(flight) = named.subscription.as_ref().and_then(|id| self.flight(id))
                && let Kind::Listen(feed) = &flight.kind
            {
                feed.send(bytes, notification);
            }
            if method == "notifications/cancelled"
                && let Some(id) = &named.request
            {
                self.on_cancelled(id, read);
            }
        }
        self.notifications.send(bytes, notification);
    }

    /// The server gives up a request of its own, or ends a subscription of ours.
    fn on_cancelled(&self, id: &Key<'_>, read: &mut Read) {
        if !self.wire().is_modern() {
            // Ids of the server are its own: one of our requests may have the same.
            self.inbound.cancel(id);
            return;
        }
        if self
            .flight(id)
            .is_some_and(|flight| matches!(flight.kind, Kind::Listen(_)))
        {
            let error = Error::new(ErrorKind::Cancelled, "the server ended the subscription");
            self.fail_response(id, error, read);
        }
    }
}

/// Params that are not decoded.
fn raw<'a>(params: &Params<'a, ProgressParams<'_>>) -> Option<&'a RawValue> {
    match params {
        Params::Raw(raw) => Some(raw),
        Params::Absent | Params::Typed(_) => None,
    }
}

/// A frame without the space around it, and without the byte order mark that some runtimes write first.
fn bare(frame: &[u8]) -> &[u8] {
    frame
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(frame)
        .trim_ascii()
}

/// Ids that this client mints are small integers.
fn own_id(id: &Key<'_>) -> Option<i64> {
    match (id, id.retyped()) {
        (Key::Number(number), _) => Some(*number),
        (_, Some(Key::Number(number))) => Some(number),
        _ => None,
    }
}

/// Which request a notification names.
struct Named<'a> {
    /// `_meta["io.modelcontextprotocol/subscriptionId"]` (revision 2026-07-28, "Subscriptions").
    subscription: Option<Key<'a>>,
    /// `requestId` of `notifications/cancelled`.
    request: Option<Key<'a>>,
}

impl<'a> Named<'a> {
    fn of(raw: &'a RawValue) -> Option<Self> {
        #[derive(Deserialize)]
        struct Members<'a> {
            #[serde(rename = "_meta", borrow, default)]
            meta: Option<Meta<'a>>,
            #[serde(rename = "requestId", borrow, default)]
            request: Option<&'a RawValue>,
        }

        #[derive(Deserialize)]
        struct Meta<'a> {
            #[serde(rename = "io.modelcontextprotocol/subscriptionId", borrow, default)]
            subscription: Option<&'a RawValue>,
        }

        let members: Members<'a> = serde_json::from_str(raw.get()).ok()?;
        let key = |raw: Option<&'a RawValue>| match serde_json::from_str(raw?.get()) {
            Ok(Id::Key(key)) => Some(key),
            _ => None,
        };
        Some(Self {
            subscription: members.meta.and_then(|meta| key(meta.subscription)),
            request: key(members.request),
        })
    }
}

/// Params that stay raw whatever the method is.
#[derive(Deserialize)]
struct Untyped {}

impl OnePass<'_> for Untyped {
    // No method has this name, so that no params are decoded.
    const METHOD: &'static str = "";
}

impl Envelope<'_, Untyped> {
    fn params_text(&self) -> &str {
        match self.params {
            Params::Raw(raw) => raw.get(),
            Params::Absent | Params::Typed(_) => "nothing",
        }
    }
}
