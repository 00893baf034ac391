//! Owns one POST of 2026-07-28: its checks, and the stream that belongs to it alone. Must not know sessions.
//! Source: 2026-07-28 `basic/transports/streamable-http`, `basic/versioning`.

use super::body::Reader;
use super::exchange::Link;
use super::mirror;
use super::reply::{self, Collect, Verdict};
use super::stream::{Keeping, Stream};
use crate::testing::answer::{self, Reply};
use crate::testing::config::{Eras, MODERN};
use crate::testing::frame::Answer;
use crate::testing::request::{CLIENT_CAPABILITIES, Request};
use crate::testing::script::{Script, Step};
use crate::testing::subscription::Subscription;
use hyper::StatusCode;
use hyper::header::HeaderMap;
use serde_json::Value;
use std::sync::Arc;

const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;
const HEADER_MISMATCH: i64 = -32020;
const MISSING_CAPABILITY: i64 = -32021;
const UNSUPPORTED_PROTOCOL_VERSION: i64 = -32022;

/// Whether a message is to be treated by the rules of this revision.
pub(crate) fn is_modern(link: &Link, message: &Value, headers: &HeaderMap) -> bool {
    let named = headers
        .get(mirror::VERSION)
        .is_some_and(|version| version.as_bytes() == MODERN.as_bytes());
    let inside = request(message).is_some_and(|request| request.protocol_version().is_some());
    match link.config.eras {
        Eras::Modern => true,
        Eras::Handshake => false,
        // A handshake is one whatever a client's headers say by habit.
        Eras::Both => inside || named && message["method"] != "initialize",
    }
}

/// The request that a message is, if it is one.
pub(crate) fn request(message: &Value) -> Option<Request> {
    let (method, id) = (message["method"].as_str()?, message.get("id")?);
    let params = message["params"].clone();
    Some(Request::new(id.clone(), method.to_owned(), params))
}

/// Answers a message.
pub(crate) fn post(link: &Link, message: &Value, headers: &HeaderMap) -> Verdict {
    let Some(request) = request(message) else {
        // No notification of a client means anything here; responses are not allowed any more.
        return Verdict::Now(if message["method"].is_string() {
            reply::empty(StatusCode::ACCEPTED)
        } else {
            reply::error(StatusCode::BAD_REQUEST, None, -32600, "Not a request")
        });
    };
    let refused = |code, message: &str| {
        let id = Some(request.id());
        Verdict::Now(reply::error(StatusCode::BAD_REQUEST, id, code, message))
    };
    let handshake = request.method() == "initialize";
    // Those who still open with a handshake know none of the headers; what they read is the error.
    if !handshake || request.protocol_version().is_some() {
        if request.protocol_version().is_none() && headers.contains_key(mirror::VERSION) {
            return refused(INVALID_PARAMS, "The request names no protocol version");
        }
        if let Some(wrong) = mirror::version_mismatch(&request, headers) {
            return refused(HEADER_MISMATCH, &wrong);
        }
        if request.protocol_version() == Some(MODERN) {
            if let Some(wrong) = mirror::mismatch(&link.config, &request, headers) {
                return refused(HEADER_MISMATCH, &wrong);
            }
            if !request.meta()[CLIENT_CAPABILITIES].is_object() {
                return refused(INVALID_PARAMS, "The request names no client capabilities");
            }
        }
    }
    if handshake && request.protocol_version() == Some(MODERN) {
        let (status, id) = (StatusCode::NOT_FOUND, Some(request.id()));
        let told = "Method not found: initialize";
        return Verdict::Now(reply::error(status, id, METHOD_NOT_FOUND, told));
    }
    match answer::reply(&link.config, &link.backstage, &request) {
        Reply::Play(script) => play(link, request, script),
        Reply::Listen => listen(link, request),
        Reply::Close => Verdict::Close,
    }
}

fn play(link: &Link, request: Request, script: Script) -> Verdict {
    let id = request.id().clone();
    let stream = Stream::new(0, Keeping::Passing);
    let reader = Reader::new(&stream, &link.options);
    let status = status(&script);
    let cancel = link.play(request, script, &stream, true, None);
    // Closing the stream of the response is the cancellation.
    let reader = reader.when_abandoned(move || cancel.notify_one());
    if status != StatusCode::OK || link.options.json_only {
        return Verdict::Collect(Collect {
            reader,
            ids: vec![id],
            batch: false,
            session: None,
            status,
        });
    }
    Verdict::Now(reply::events(reader))
}

/// The status that the revision wants for a script that does nothing but refuse.
fn status(script: &Script) -> StatusCode {
    match script.steps.first() {
        Some(Step::Answer(Answer::Error { code, .. })) => match *code {
            METHOD_NOT_FOUND => StatusCode::NOT_FOUND,
            HEADER_MISMATCH | MISSING_CAPABILITY | UNSUPPORTED_PROTOCOL_VERSION => {
                StatusCode::BAD_REQUEST
            }
            _ => StatusCode::OK,
        },
        _ => StatusCode::OK,
    }
}

fn listen(link: &Link, request: Request) -> Verdict {
    let id = request.id().clone();
    let stream = Stream::new(0, Keeping::Passing);
    let reader = Reader::new(&stream, &link.options);
    let subscription = Subscription::new(request, |id| link.backstage.agrees(&link.config, id));
    let number = link.hub.listen(&link.config, subscription, &stream);
    let (hub, log) = (Arc::clone(&link.hub), link.log.clone());
    let reader = reader.when_abandoned(move || {
        if hub.unlisten(number) {
            log.stop(id);
        }
    });
    Verdict::Now(reply::events(reader))
}
