//! What a body is: an event stream, JSON, or a refusal; and the one change to a request that is sent again.
//!
//! Owns the look at headers and first bytes. It must not know what messages mean.

use bytes::Bytes;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap};

use crate::codec::sse::{Item, Sse};
use crate::jsonrpc::ErrorObject;

pub(super) fn is_stream(headers: &HeaderMap) -> bool {
    media_type(headers).eq_ignore_ascii_case("text/event-stream")
}

/// Whether a body is JSON: it says so, or says nothing and looks so.
pub(super) fn is_json(headers: &HeaderMap, body: &[u8]) -> bool {
    let media = media_type(headers);
    let begins = body.trim_ascii_start().first();
    media.eq_ignore_ascii_case("application/json")
        || media.to_ascii_lowercase().ends_with("+json")
        || (media.is_empty() && begins.is_some_and(|first| matches!(first, b'{' | b'[')))
}

fn media_type(headers: &HeaderMap) -> &str {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media = value.and_then(|value| value.split(';').next());
    media.unwrap_or_default().trim()
}

/// Whether a stream that is refused so may be had a moment later: the server, or what is before it, is busy, or it has
/// not yet seen that the stream's last connection is gone (409).
pub(super) fn is_passing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS
        )
}

/// The JSON-RPC error in a refusal's body, whatever its id.
pub(super) fn error_object(body: &[u8]) -> Option<ErrorObject> {
    #[derive(serde::Deserialize)]
    struct Refusal<'a> {
        #[serde(borrow)]
        error: &'a serde_json::value::RawValue,
    }

    let refusal: Refusal<'_> = serde_json::from_slice(body).ok()?;
    // `{"error": "text"}` is how others than MCP servers refuse.
    refusal
        .error
        .get()
        .starts_with('{')
        .then(|| ErrorObject::from_raw(refusal.error))
}

/// The same in a refusal that is an event stream.
pub(super) fn error_in_events(body: &[u8]) -> Option<ErrorObject> {
    let mut found = None;
    let mut sse = Sse::new(body.len());
    let searched = sse.feed(body, |item| match item {
        Item::Event(event) => {
            found = error_object(event.data);
            found.is_none().then_some(()).ok_or(())
        }
        Item::TooLong { .. } | Item::Retry(_) => Ok(()),
    });
    match searched {
        Ok(()) => sse.unfinished().and_then(error_object),
        Err(()) => found,
    }
}

/// The same request under another id. Frames are ours: the id stands between the first colon behind it and a comma.
pub(super) fn renumbered(frame: &[u8], id: i64) -> Bytes {
    const HEAD: &[u8] = b"{\"jsonrpc\":\"2.0\",\"id\":";
    let rest = frame.strip_prefix(HEAD).unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| *byte == b',')
        .unwrap_or_default();
    [HEAD, id.to_string().as_bytes(), &rest[end..]]
        .concat()
        .into()
}
