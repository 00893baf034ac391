//! Owns the responses that are not read from a stream. Must not know why one of them is sent.

use super::body::{Body, Reader, whole};
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// What names the session (2025-11-25 `basic/transports`).
pub(crate) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");

pub(crate) const JSON: &str = "application/json";
pub(crate) const EVENTS: &str = "text/event-stream";

/// What a request is answered with: at once, or with the responses that its scripts still have to write.
#[derive(Debug)]
pub(crate) enum Verdict {
    Now(Response<Body>),
    Collect(Collect),
    /// The connection is closed without a response.
    Close,
}

/// A response in JSON that waits for scripts.
#[derive(Debug)]
pub(crate) struct Collect {
    pub(crate) reader: Reader,
    pub(crate) ids: Vec<Value>,
    pub(crate) batch: bool,
    pub(crate) session: Option<String>,
    pub(crate) status: StatusCode,
}

impl Verdict {
    /// The status; 0 where there is none.
    pub(crate) fn status(&self) -> u16 {
        match self {
            Self::Now(response) => response.status().as_u16(),
            Self::Collect(collect) => collect.status.as_u16(),
            Self::Close => 0,
        }
    }
}

fn response(status: StatusCode, kind: Option<&'static str>, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if let Some(kind) = kind {
        let kind = HeaderValue::from_static(kind);
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}

pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    response(status, None, whole(""))
}

pub(crate) fn text(status: StatusCode, text: &'static str) -> Response<Body> {
    response(status, Some("text/plain"), whole(text))
}

pub(crate) fn json(status: StatusCode, value: &Value) -> Response<Body> {
    response(status, Some(JSON), whole(value.to_string()))
}

/// A JSON-RPC error; without an id where the request's is not known.
pub(crate) fn error(
    status: StatusCode,
    id: Option<&Value>,
    code: i64,
    message: &str,
) -> Response<Body> {
    let mut value = json!({"jsonrpc": "2.0", "error": {"code": code, "message": message}});
    if let Some(id) = id {
        value["id"] = id.clone();
    }
    json(status, &value)
}

/// A body of server-sent events.
pub(crate) fn events(reader: Reader) -> Response<Body> {
    let mut response = response(StatusCode::OK, Some(EVENTS), reader.into_body());
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Without it a proxy may hold the updates back (2026-07-28 `basic/transports/streamable-http`).
    let unbuffered = HeaderName::from_static("x-accel-buffering");
    headers.insert(unbuffered, HeaderValue::from_static("no"));
    response
}

/// Names the session in the response.
pub(crate) fn with_session(mut response: Response<Body>, id: Option<&str>) -> Response<Body> {
    // An id that is no header value is not there to begin with.
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
        response.headers_mut().insert(SESSION, id);
    }
    response
}
