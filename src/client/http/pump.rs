//! The exchange of one request: POST, reply, and what to do when the reply breaks off.
//!
//! Owns the states of an exchange. It never waits for the call's consumer and always reads, so that a slow one cannot
//! stall a connection that others share. It must not know who awaits the call.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use tokio::sync::{Notify, OwnedSemaphorePermit, oneshot};
use tokio::time::{timeout, timeout_at};

use super::ask;
use super::backoff::Backoff;
use super::content::{error_in_events, error_object, is_json, is_passing, is_stream, renumbered};
use super::farewell::{LINGER, Unanswered, fail, linger};
use super::link::{Link, ServerStream, is_over};
use super::loss::{Broken, lost, silent, too_long, unresumed};
use super::notice;
use super::renewal;
use super::reply::Reader;
use super::server_stream;
use crate::client::clock;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::session::flight::Flight;
use crate::session::stats::DiagnosticKind;
use crate::sync::{Arc, AtomicU64, Ordering};
use crate::transport::http::refusal::refused;

/// So long a cancelled request's own response is waited for, so that the cancel does not overtake the request on
/// another connection.
const OVERTAKING: Duration = Duration::from_secs(1);

/// So long the response of a cancelled request is waited for, where it may create a task.
const CREATION: Duration = Duration::from_secs(10);

const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The exchange of one request.
pub(super) struct Pump {
    link: Arc<Link>,
    flight: Arc<Flight>,
    /// Which of the call's requests this is.
    leg: u32,
    frame: Bytes,
    /// One of the connections that may be open at once.
    _permit: Option<OwnedSemaphorePermit>,
}

impl Pump {
    pub(super) fn new(
        link: Arc<Link>,
        flight: Arc<Flight>,
        frame: Vec<u8>,
        permit: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self {
            link,
            leg: flight.slot.leg(),
            flight,
            frame: frame.into(),
            _permit: permit,
        }
    }

    /// Runs to the end of the exchange. `abandoned` ends it before: with the message that tells the server to
    /// stop, or with nothing, where the answer came elsewhere.
    pub(super) async fn run(mut self, abandoned: oneshot::Receiver<Option<Vec<u8>>>) {
        let link = self.link.clone();
        // Not asked of the call, which may be at its next request by the end.
        let id = AtomicU64::new(self.flight.id().cast_unsigned());
        let mut guard = Unanswered {
            link: link.clone(),
            flight: self.flight.clone(),
            leg: self.leg,
            id: &id,
            adopted: false,
        };
        let head = Notify::new();
        let mut work = std::pin::pin!(self.serve(&head, &id));
        tokio::select! {
            biased;
            adopted = &mut work => guard.adopted = adopted,
            Ok(word) = abandoned => {
                let Some(cancel) = word else {
                    // Answered elsewhere. The end of the body may be near all the same.
                    let _ = timeout(LINGER, work).await;
                    return;
                };
                // The exchange goes on meanwhile: the response head is what shows that the request was taken.
                let mut ended = None;
                let overtaking = async {
                    tokio::select! { adopted = &mut work => ended = Some(adopted), () = head.notified() => {} }
                };
                let _ = timeout(OVERTAKING, overtaking).await;
                Box::pin(notice::tell(&link, cancel.into())).await;
                guard.adopted = match (ended, guard.flight.slot.grace_until()) {
                    (Some(adopted), _) => adopted,
                    // A call in its grace still waits for updates and the response, so long and no longer.
                    (None, Some(until)) if !is_over(&guard.flight, guard.leg) => {
                        timeout_at(until.into(), work).await.unwrap_or(false)
                    }
                    // The response may create a task, which must then be stopped.
                    (None, _) if guard.flight.is_augmented() => {
                        timeout(CREATION, work).await.unwrap_or(false)
                    }
                    (None, _) => false,
                };
            }
        }
    }

    /// True where the answer comes on the server's own stream.
    async fn serve(&mut self, head: &Notify, id: &AtomicU64) -> bool {
        match self.exchange(head, id).await {
            Ok(adopted) => adopted,
            Err(error) => {
                fail(&self.link, &self.flight, self.leg, error);
                false
            }
        }
    }

    async fn exchange(&mut self, head: &Notify, id: &AtomicU64) -> Result<bool> {
        let (mut renewed, mut mended) = (false, false);
        loop {
            let method = self.flight.method.clone();
            let generation = self.link.generation();
            let make = || {
                let name = self.flight.name.as_deref();
                self.link.post(self.frame.clone(), &method, name)
            };
            let response = match self.link.channel.send_made(make).await {
                Ok(response) => response,
                Err(error) => {
                    Box::pin(self.reissue_or(error, id)).await?;
                    continue;
                }
            };
            head.notify_one();
            self.flight.slot.stamp(clock::now());
            let status = response.status();
            if method == "initialize" && status.is_success() {
                let name = crate::transport::http::header::SESSION_ID;
                self.link.begin_session(response.headers().get(name));
            }
            if status == StatusCode::NOT_FOUND
                && !renewed
                && let Some(generation) = generation
                && !self.link.is_modern(&method)
            {
                // The session is gone, so the request was not acted on: once more in a new one.
                renewed = true;
                Box::pin(renewal::renew(&self.link, generation)).await?;
                continue;
            }
            let accepted = status == StatusCode::ACCEPTED && !is_stream(response.headers());
            if accepted || (status.is_success() && self.link.is_sse()) {
                Box::pin(self.adopted(&method)).await?;
                Box::pin(ask::drain(response)).await;
                return Ok(true);
            }
            match self.read(response, &mut mended, id).await? {
                Next::Over => return Ok(false),
                Next::Again => {}
            }
        }
    }

    /// The server took the request and answers on its own stream.
    async fn adopted(&self, method: &str) -> Result<()> {
        if self.link.is_modern(method) {
            let text = "the server accepted the request (HTTP status 202) and answers it nowhere";
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        self.link.adopt(self.flight.clone(), self.leg);
        if self.link.is_sse() {
            return Ok(());
        }
        server_stream::open(&self.link);
        let mut state = self.link.stream.subscribe();
        // An error would mean that the link, which this pump holds, is gone.
        let _ = state
            .wait_for(|state| matches!(state, ServerStream::Open | ServerStream::Refused))
            .await;
        if *self.link.stream.borrow() == ServerStream::Refused {
            let text = "the server accepted the request (HTTP status 202) but has no stream to answer it on";
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(())
    }

    async fn read(
        &mut self,
        mut response: Response,
        mended: &mut bool,
        id: &AtomicU64,
    ) -> Result<Next> {
        let alone = self.link.is_modern(&self.flight.method);
        let link = self.link.clone();
        let mut reader = Reader::new(&link, Some((&self.flight, self.leg, alone)));
        let status = response.status();
        let stream = is_stream(response.headers());
        if stream && status.is_success() {
            return self.read_events(&mut reader, response, id).await;
        }
        let body = match reader.json(&mut response).await {
            Ok(body) => body,
            Err(error) => {
                return Box::pin(self.reissue_or(error, id))
                    .await
                    .map(|()| Next::Again);
            }
        };
        if status.is_success() && is_json(response.headers(), &body.bytes) {
            reader.take_json(&body)?;
            if is_over(&self.flight, self.leg) {
                return Ok(Next::Over);
            }
            if body.is_cut() {
                return Err(too_long(body.length, self.link.limit));
            }
            let text = "the reply holds no response to this request";
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        let object = if stream {
            error_in_events(&body.bytes)
        } else {
            error_object(&body.bytes)
        };
        let Some(object) = object else {
            return Err(refused(status, response.headers(), &body.bytes));
        };
        if object.code == ErrorObject::HEADER_MISMATCH && alone && !*mended {
            // The tool may have changed since it was listed: its definition, fetched anew, says which headers it wants.
            *mended = true;
            match Box::pin(ask::refresh_tools(&self.link)).await {
                Ok(()) => return Ok(Next::Again),
                Err(error) => tracing::debug!(%error, "the tools cannot be listed anew"),
            }
        }
        reader.refuse(Error::rpc(object).with_status(status.as_u16()));
        Ok(Next::Over)
    }

    async fn read_events(
        &mut self,
        reader: &mut Reader<'_>,
        mut response: Response,
        id: &AtomicU64,
    ) -> Result<Next> {
        let mut broken = self.read_on(reader, &mut response, None).await?;
        let mut backoff = Backoff::default();
        // Counted from the last sign of life, so that a stream that is closed in order and often may go on for ever.
        let mut deadline = None;
        loop {
            let Some(how) = broken else {
                linger(reader, response).await;
                return Ok(Next::Over);
            };
            drop(response);
            if matches!(how, Broken::Ended) {
                reader.salvage()?;
                if is_over(&self.flight, self.leg) {
                    return Ok(Next::Over);
                }
            }
            let modern = self.link.is_modern(&self.flight.method);
            let resumable = !modern && reader.last_event_id().is_some();
            if let Some(length) = reader.too_long
                && (!resumable || matches!(how, Broken::Ended))
            {
                return Err(too_long(length, self.link.limit));
            }
            if !resumable {
                Box::pin(self.reissue_or(lost(how, modern), id)).await?;
                return Ok(Next::Again);
            }
            if let Some(retry) = reader.retry.take() {
                backoff.want(retry);
                backoff.succeeded();
            }
            // The pause that the server wants is no silence.
            let limit = self.link.channel.resume_timeout;
            let limit = limit.saturating_add(backoff.wanted());
            let until = *deadline.get_or_insert_with(|| after(limit));
            response = Box::pin(self.resume(reader, &mut backoff, until)).await?;
            self.note_resumed();
            let silence = self.link.channel.resume_timeout;
            broken = self.read_on(reader, &mut response, Some(silence)).await?;
            if reader.bytes > 0 {
                deadline = None;
            }
        }
    }

    /// Reads until the call is over or the stream ends; `silence` ends one that was taken up again and brings nothing.
    async fn read_on(
        &self,
        reader: &mut Reader<'_>,
        response: &mut Response,
        silence: Option<Duration>,
    ) -> Result<Option<Broken>> {
        loop {
            if self.is_done() {
                return Ok(None);
            }
            let step = reader.step(response);
            let step = match silence {
                None => step.await,
                Some(silence) => match timeout(silence, step).await {
                    Ok(step) => step,
                    Err(_) => return Err(silent(silence)),
                },
            };
            match step {
                Ok(true) => {}
                // A connection that breaks behind the response is of no interest.
                Ok(false) | Err(_) if is_over(&self.flight, self.leg) => return Ok(None),
                Ok(false) => return Ok(Some(Broken::Ended)),
                Err(error) if error.kind() == ErrorKind::ConnectionLost => {
                    return Ok(Some(Broken::Failed(error)));
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether nothing is of interest any more. A call that was given up may yet become a task.
    fn is_done(&self) -> bool {
        let dead = self.flight.slot.is_dead();
        is_over(&self.flight, self.leg) && !(dead && self.flight.is_augmented())
    }

    /// Takes the stream up where it broke (2025-11-25, Streamable HTTP, "Resumability and Redelivery").
    async fn resume(
        &self,
        reader: &mut Reader<'_>,
        backoff: &mut Backoff,
        until: Instant,
    ) -> Result<Response> {
        loop {
            tokio::time::sleep(backoff.next()).await;
            let request = self.link.get(reader.last_event_id());
            let sent = timeout_at(until.into(), self.link.channel.send(request)).await;
            let failure = match sent {
                Err(_) => return Err(silent(self.link.channel.resume_timeout)),
                Ok(Ok(response))
                    if response.status().is_success() && is_stream(response.headers()) =>
                {
                    reader.resume();
                    backoff.succeeded();
                    return Ok(response);
                }
                Ok(Ok(response)) if is_passing(response.status()) => {
                    refused(response.status(), response.headers(), &[])
                }
                Ok(Ok(response)) => {
                    let refusal = refused(response.status(), response.headers(), &[]);
                    let text = "the response stream broke, and the server does not let it be taken up again";
                    return Err(unresumed(text, refusal));
                }
                Ok(Err(error)) if error.kind() == ErrorKind::ConnectionLost => error,
                Ok(Err(error)) => return Err(error),
            };
            if clock::now() >= until {
                let text = "the response stream broke, and the server could not be reached again";
                return Err(unresumed(text, failure));
            }
        }
    }

    fn note_resumed(&self) {
        self.flight.slot.mark_gap();
        let counters = &self.link.session.counters;
        counters.note(DiagnosticKind::Resumed, || {
            format!("request {} of {}", self.flight.id(), self.flight.method)
        });
    }

    /// Sends the call again under a new id where that is allowed; else it ends with `error`.
    async fn reissue_or(&mut self, error: Error, listed: &AtomicU64) -> Result<()> {
        let modern = self.link.is_modern(&self.flight.method);
        let lost = error.kind() == ErrorKind::ConnectionLost;
        if !modern || !lost || !self.may_reissue() {
            return Err(error);
        }
        tracing::debug!(%error, method = %self.flight.method, "the reply broke off; the call is sent again");
        let mut backoff = Backoff::default();
        tokio::time::sleep(backoff.next()).await;
        let old = self.flight.id();
        let Some(id) = self.link.session.renumber(&self.flight) else {
            drop(self.link.leave(old));
            return Err(error);
        };
        self.link.rename(old, id);
        listed.store(id.cast_unsigned(), Ordering::Relaxed);
        // Race: a cancel that came in between looked for the exchange under the new id, and did not find it.
        if is_over(&self.flight, self.leg) {
            return Err(error);
        }
        self.frame = renumbered(&self.frame, id);
        self.note_resumed();
        Ok(())
    }

    /// Whether the caller allows it, or the tool is declared to do no more when it is called twice.
    fn may_reissue(&self) -> bool {
        if self.flight.take_reissue() {
            return true;
        }
        if !self.link.reissue_safe || self.flight.method != "tools/call" {
            return false;
        }
        let tool = ask::tool_name(&self.frame);
        let known = tool.and_then(|tool| self.link.session.tools.get()?.get(&tool));
        known.is_some_and(|known| known.read_only || known.idempotent)
            && self.flight.take_safe_reissue()
    }
}

/// The moment so long from now; a year where that is beyond what the clock can count.
fn after(time: Duration) -> Instant {
    let now = clock::now();
    now.checked_add(time).unwrap_or(now + YEAR)
}

/// What follows a reply.
enum Next {
    Over,
    /// The request is to be posted once more.
    Again,
}
