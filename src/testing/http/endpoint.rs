//! Owns the way of one HTTP request: who may ask, which part answers, and the record of it.
//! Must not know what the messages say.

use super::body::{Body, Broken};
use super::exchange::Link;
use super::reply::{self, Collect, EVENTS, JSON, Verdict};
use super::{guard, handshake, http_sse, modern};
use crate::testing::config::Eras;
use crate::testing::http_request::HttpRequest;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;

/// Where Streamable HTTP is served.
pub(crate) const MCP: &str = "/mcp";
/// Where the stream of HTTP+SSE is served.
pub(crate) const SSE: &str = "/sse";
/// Where the messages of HTTP+SSE go.
const MESSAGES: &str = "/messages";

/// The largest body that is read, in bytes.
const BODY: usize = 64 << 20;

const PARSE_ERROR: i64 = -32700;
const INVALID_REQUEST: i64 = -32600;

/// Answers one HTTP request. The error closes the connection.
pub(crate) async fn answer(
    link: Link,
    request: Request<Incoming>,
) -> Result<Response<Body>, Broken> {
    let (head, body) = request.into_parts();
    let posted = Limited::new(body, BODY).collect().await;
    let (verdict, raw, messages) = match posted {
        Ok(posted) => {
            let raw = posted.to_bytes();
            let (messages, batch) = parse(&raw);
            let verdict = route(&link, &head, &messages, batch);
            (verdict, raw, messages)
        }
        Err(_) => {
            let verdict = Verdict::Now(reply::empty(StatusCode::PAYLOAD_TOO_LARGE));
            (verdict, hyper::body::Bytes::new(), Vec::new())
        }
    };
    let record = HttpRequest {
        connection: link.number,
        method: head.method.to_string(),
        target: target(&head),
        headers: headers(&head.headers),
        status: verdict.status(),
    };
    // Recorded after acting: who waits for the record finds its effects done.
    link.log.http(record, &raw, messages);
    match verdict {
        Verdict::Now(response) => Ok(response),
        Verdict::Collect(collect) => collected(collect).await,
        Verdict::Close => Err(Broken),
    }
}

fn target(head: &Parts) -> String {
    let target = head.uri.path_and_query();
    target.map_or_else(|| "/".to_owned(), ToString::to_string)
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
        .collect()
}

/// The messages of a body, `null` for what is not JSON, and whether they are a batch.
fn parse(raw: &[u8]) -> (Vec<Value>, bool) {
    if raw.trim_ascii().is_empty() {
        return (Vec::new(), false);
    }
    match serde_json::from_slice(raw).unwrap_or(Value::Null) {
        Value::Array(batch) if !batch.is_empty() => (batch, true),
        message => (vec![message], false),
    }
}

fn route(link: &Link, head: &Parts, messages: &[Value], batch: bool) -> Verdict {
    if let Some(status) = guard::refusal(&head.headers, &head.uri, &link.options.origins) {
        return Verdict::Now(reply::empty(status));
    }
    let old = link.config.eras != Eras::Modern;
    match (head.uri.path(), &head.method) {
        (MCP, &Method::POST) => match unacceptable(head, messages) {
            Some(refusal) => refusal,
            None => mcp(link, &head.headers, messages, batch),
        },
        (MCP, &Method::GET) if !accepts(&head.headers, EVENTS) => {
            Verdict::Now(reply::empty(StatusCode::NOT_ACCEPTABLE))
        }
        (MCP, &Method::GET) => handshake::get(link, &head.headers),
        (MCP, &Method::DELETE) => handshake::delete(link, &head.headers),
        (SSE, &Method::GET) if old => http_sse::open(link),
        (MESSAGES, &Method::POST) if old => match malformed(messages) {
            Some(refusal) => refusal,
            None => http_sse::post(link, head.uri.query().unwrap_or_default(), messages),
        },
        (MCP, _) => Verdict::Now(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
        (SSE | MESSAGES, _) if old => Verdict::Now(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
        _ => Verdict::Now(reply::empty(StatusCode::NOT_FOUND)),
    }
}

/// Why a POST is refused whatever it says, if it is.
fn unacceptable(head: &Parts, messages: &[Value]) -> Option<Verdict> {
    let refused = |status| Some(Verdict::Now(reply::empty(status)));
    if !accepts(&head.headers, JSON) || !accepts(&head.headers, EVENTS) {
        return refused(StatusCode::NOT_ACCEPTABLE);
    }
    let kind = head.headers.get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !essence(kind).eq_ignore_ascii_case(JSON) {
        return refused(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    malformed(messages)
}

fn malformed(messages: &[Value]) -> Option<Verdict> {
    let (code, told) = if messages.is_empty() || messages == [Value::Null] {
        (PARSE_ERROR, "Parse error")
    } else if messages.iter().any(|message| !is_message(message)) {
        (INVALID_REQUEST, "Invalid Request")
    } else {
        return None;
    };
    let status = StatusCode::BAD_REQUEST;
    Some(Verdict::Now(reply::error(status, None, code, told)))
}

/// Whether it is a request, a notification or a response.
fn is_message(message: &Value) -> bool {
    message["jsonrpc"] == "2.0"
        && (message["method"].is_string()
            || message.get("result").is_some()
            || message.get("error").is_some())
}

fn mcp(link: &Link, headers: &HeaderMap, messages: &[Value], batch: bool) -> Verdict {
    match messages {
        [message] if !batch && modern::is_modern(link, message, headers) => {
            modern::post(link, message, headers)
        }
        _ if link.config.eras == Eras::Modern => {
            let (status, told) = (StatusCode::BAD_REQUEST, "Batches are not allowed");
            Verdict::Now(reply::error(status, None, INVALID_REQUEST, told))
        }
        _ => handshake::post(link, messages, batch, headers),
    }
}

/// A media type without its parameters.
fn essence(kind: &str) -> &str {
    kind.split(';').next().unwrap_or_default().trim()
}

/// Whether the client takes this media type.
fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let values = headers.get_all(ACCEPT).iter();
    let mut ranges = values.flat_map(|value| value.to_str().unwrap_or_default().split(','));
    ranges.any(|range| {
        let range = essence(range).to_ascii_lowercase();
        let family = range.strip_suffix('*').filter(|rest| rest.ends_with('/'));
        range == kind || range == "*/*" || family.is_some_and(|family| kind.starts_with(family))
    })
}

/// Waits for the responses and sends them as JSON.
async fn collected(collect: Collect) -> Result<Response<Body>, Broken> {
    let Collect {
        reader,
        ids,
        batch,
        session,
        status,
    } = collect;
    let mut responses = reader.responses(ids).await?;
    let response = match responses.pop() {
        // A request that was cancelled is not answered, but HTTP wants an end.
        None => reply::empty(StatusCode::NO_CONTENT),
        Some(last) if batch => {
            responses.push(last);
            reply::json(status, &Value::Array(responses))
        }
        Some(response) => reply::json(status, &response),
    };
    Ok(reply::with_session(response, session.as_deref()))
}
