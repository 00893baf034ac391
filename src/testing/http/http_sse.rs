//! Owns the transport of 2024-11-05, which answers everything on one stream. Must not know Streamable HTTP.
//! Source: 2024-11-05 `basic/transports`, "HTTP with SSE".

use super::body::Reader;
use super::exchange::Link;
use super::handshake::{answered, cancel};
use super::modern::request;
use super::options::Options;
use super::reply::{self, Verdict};
use super::session::HttpSession;
use crate::testing::answer::{self, Reply};
use crate::testing::config::HANDSHAKE;
use hyper::StatusCode;
use serde_json::Value;
use std::sync::Arc;

/// Opens the stream of a new connection. Its first event says where messages go.
pub(crate) fn open(link: &Link) -> Verdict {
    // No ids: this transport cannot resume.
    let options = Options {
        event_ids: false,
        ..(*link.options).clone()
    };
    let session = HttpSession::new(HANDSHAKE[3], link.log.clone(), &options);
    let session = Arc::new(session);
    link.hub.admit(Arc::clone(&session));
    let endpoint = format!("/messages?session_id={}", session.id());
    let reader = Reader::new(session.listening(), &options).opened_by("endpoint", &endpoint);
    let hub = Arc::clone(&link.hub);
    // The stream is the connection; without it there is nowhere to answer.
    let reader = reader.when_abandoned(move || {
        hub.dismiss(session.id());
        session.end();
    });
    Verdict::Now(reply::events(reader))
}

/// Takes the messages of one POST; what comes of them goes to the stream.
pub(crate) fn post(link: &Link, query: &str, messages: &[Value]) -> Verdict {
    let named = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("session_id="));
    let Some(session) = named.and_then(|id| link.hub.session(id)) else {
        let told = "Could not find session";
        return Verdict::Now(reply::text(StatusCode::NOT_FOUND, told));
    };
    for request in messages.iter().filter_map(request) {
        match answer::reply(&link.config, &link.backstage, &request) {
            Reply::Play(script) => {
                let stream = session.listening();
                link.play(request, script, stream, false, Some(&session));
            }
            // A subscription is a thing of 2026-07-28, which this transport does not carry.
            Reply::Listen => {}
            Reply::Close => return Verdict::Close,
        }
    }
    cancel(&session, messages);
    answered(link, messages);
    Verdict::Now(reply::text(StatusCode::ACCEPTED, "Accepted"))
}
