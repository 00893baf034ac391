//! Owns the HTTP requests of the handshake revisions: sessions, their streams, and what resumes them.
//! Must not know 2026-07-28. Source: 2025-11-25 `basic/transports`; batches: 2025-03-26 `basic/transports`.

use super::body::Reader;
use super::exchange::Link;
use super::mirror::VERSION;
use super::modern::request;
use super::reply::{self, Collect, SESSION, Verdict};
use super::session::HttpSession;
use super::sse;
use super::stream::{Keeping, Stream};
use crate::testing::answer::{self, Reply};
use crate::testing::config::{Eras, HANDSHAKE};
use crate::testing::request::Request;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::Value;
use std::sync::Arc;

/// The revision that allows batches.
const BATCHES: &str = "2025-03-26";
/// The codes that the widespread servers use for refusals of the transport.
const BAD_REQUEST: i64 = -32000;
const SESSION_NOT_FOUND: i64 = -32001;

fn refused(status: StatusCode, code: i64, message: &str) -> Verdict {
    Verdict::Now(reply::error(status, None, code, message))
}

/// Answers the messages of one POST.
pub(crate) fn post(link: &Link, messages: &[Value], batch: bool, headers: &HeaderMap) -> Verdict {
    if !batch && messages[0]["method"] == "initialize" {
        return initialize(link, &messages[0]);
    }
    let session = match session(link, headers) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let version = session
        .as_ref()
        .map_or(BATCHES, |session| session.version());
    if batch && version != BATCHES {
        let told = "Batches are not part of this revision";
        return refused(StatusCode::BAD_REQUEST, -32600, told);
    }
    let requests: Vec<Request> = messages.iter().filter_map(request).collect();
    if batch
        && requests
            .iter()
            .any(|request| request.method() == "initialize")
    {
        let told = "The handshake is not part of a batch";
        return refused(StatusCode::BAD_REQUEST, -32600, told);
    }
    let verdict = if requests.is_empty() {
        Verdict::Now(reply::empty(StatusCode::ACCEPTED))
    } else {
        serve(link, requests, batch, session.as_ref(), false)
    };
    if let Some(session) = &session {
        cancel(session, messages);
    }
    answered(link, messages);
    verdict
}

/// Hands on the responses among the messages.
pub(crate) fn answered(link: &Link, messages: &[Value]) {
    for message in messages {
        if message.get("method").is_none() {
            link.backstage.desk.answered(message);
        }
    }
}

/// Obeys the cancellations among the messages.
pub(crate) fn cancel(session: &HttpSession, messages: &[Value]) {
    for message in messages {
        if message["method"] == "notifications/cancelled" {
            session.cancel(&message["params"]["requestId"]);
        }
    }
}

fn initialize(link: &Link, message: &Value) -> Verdict {
    let Some(request) = request(message) else {
        return Verdict::Now(reply::empty(StatusCode::ACCEPTED));
    };
    if link.options.stateless {
        return serve(link, vec![request], false, None, true);
    }
    let session = Arc::new(new_session(link, &request));
    link.hub.admit(Arc::clone(&session));
    serve(link, vec![request], false, Some(&session), true)
}

fn new_session(link: &Link, request: &Request) -> HttpSession {
    let wanted = request.field("protocolVersion");
    let version = HANDSHAKE.iter().find(|known| wanted == **known);
    let version = version.unwrap_or(&HANDSHAKE[0]);
    HttpSession::new(version, link.log.clone(), &link.options)
}

/// Starts the scripts of the requests, with one stream for all of them.
fn serve(
    link: &Link,
    requests: Vec<Request>,
    batch: bool,
    session: Option<&Arc<HttpSession>>,
    opening: bool,
) -> Verdict {
    let options = &link.options;
    let listening = session
        .map(|session| session.listening())
        .filter(|listening| options.answer_on_get && !opening && listening.is_attached());
    let ids = requests
        .iter()
        .map(|request| request.id().clone())
        .collect();
    let mut scripts = Vec::new();
    for request in requests {
        match answer::reply(&link.config, &link.backstage, &request) {
            Reply::Play(script) => scripts.push((request, script)),
            // A subscription is a thing of 2026-07-28, and those requests do not come here.
            Reply::Listen => {}
            Reply::Close => return Verdict::Close,
        }
    }
    if let Some(listening) = listening {
        for (request, script) in scripts {
            link.play(request, script, listening, false, session);
        }
        return Verdict::Now(reply::empty(StatusCode::ACCEPTED));
    }
    let stream = match session {
        Some(session) => session.open(),
        None => Stream::new(0, Keeping::Passing),
    };
    let reader = match session {
        Some(_) if !options.json_only => {
            let reader = Reader::of_session(&stream, options, None);
            reader.closing_after(options.close_after)
        }
        _ => Reader::new(&stream, options),
    };
    // All begin before the first may end, or the stream would end with that one.
    for (request, script) in scripts {
        link.play(request, script, &stream, true, session);
    }
    let session = session.filter(|_| opening).map(|session| session.id());
    if options.json_only {
        return Verdict::Collect(Collect {
            reader,
            ids,
            batch,
            session: session.map(str::to_owned),
            status: StatusCode::OK,
        });
    }
    Verdict::Now(reply::with_session(reply::events(reader), session))
}

/// The session that the headers name; none on a server without sessions.
fn session(link: &Link, headers: &HeaderMap) -> Result<Option<Arc<HttpSession>>, Box<Verdict>> {
    let session = match headers.get(SESSION) {
        _ if link.options.stateless => None,
        None => {
            let told = "Bad Request: Mcp-Session-Id header is required";
            return Err(Box::new(refused(
                StatusCode::BAD_REQUEST,
                BAD_REQUEST,
                told,
            )));
        }
        Some(id) => match link.hub.session(id.to_str().unwrap_or_default()) {
            Some(session) => Some(session),
            None => {
                let told = "Session not found";
                return Err(Box::new(refused(
                    StatusCode::NOT_FOUND,
                    SESSION_NOT_FOUND,
                    told,
                )));
            }
        },
    };
    // The header came with 2025-06-18; older clients may send there what they like.
    let checked = session
        .as_ref()
        .is_none_or(|session| session.version() > BATCHES);
    let known = headers.get(VERSION).is_none_or(|version| {
        let mut known = HANDSHAKE.iter();
        known.any(|known| version.as_bytes() == known.as_bytes())
    });
    if checked && !known {
        let told = "Bad Request: Unsupported protocol version";
        return Err(Box::new(refused(
            StatusCode::BAD_REQUEST,
            BAD_REQUEST,
            told,
        )));
    }
    Ok(session)
}

/// Answers a GET: the stream for what belongs to no request, or one that is resumed.
pub(crate) fn get(link: &Link, headers: &HeaderMap) -> Verdict {
    let session = match owner(link, headers) {
        Ok(session) => session,
        Err(refusal) => return *refusal,
    };
    let options = &link.options;
    let Some(last) = headers.get("last-event-id") else {
        if session.listening().is_attached() {
            let told = "Conflict: Only one stream is allowed per session";
            return refused(StatusCode::CONFLICT, BAD_REQUEST, told);
        }
        let reader = Reader::of_session(session.listening(), options, None);
        return Verdict::Now(reply::events(reader));
    };
    let place = last.to_str().ok().and_then(sse::parse_id);
    let found = place.and_then(|(stream, event)| {
        let stream = session.stream(stream)?;
        (stream.keeping() == Keeping::Stored && stream.has(event)).then_some((stream, event))
    });
    let Some((stream, event)) = found else {
        let told = "Bad Request: Unknown event ID";
        return refused(StatusCode::BAD_REQUEST, BAD_REQUEST, told);
    };
    let mut reader = Reader::of_session(&stream, options, Some(event));
    if stream.number() != session.listening().number() {
        reader = reader.closing_after(options.close_after);
    }
    Verdict::Now(reply::events(reader))
}

/// Answers a DELETE.
pub(crate) fn delete(link: &Link, headers: &HeaderMap) -> Verdict {
    match owner(link, headers) {
        Ok(session) => {
            link.hub.dismiss(session.id());
            session.end();
            Verdict::Now(reply::empty(StatusCode::OK))
        }
        Err(refusal) => *refusal,
    }
}

/// The session that a request without a body is about.
fn owner(link: &Link, headers: &HeaderMap) -> Result<Arc<HttpSession>, Box<Verdict>> {
    let not_allowed = || Box::new(Verdict::Now(reply::empty(StatusCode::METHOD_NOT_ALLOWED)));
    if link.config.eras == Eras::Modern {
        return Err(not_allowed());
    }
    session(link, headers)?.ok_or_else(not_allowed)
}
