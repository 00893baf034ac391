//! Questions of the client's own, between the calls.
//!
//! Owns their exchange, in which only the answer counts. It must not know progress.

use std::borrow::Cow;
use std::time::Duration;

use bytes::Bytes;
use reqwest::Response;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::timeout;

use super::content::is_stream;
use super::link::Link;
use crate::codec::sse::{Item, Sse};
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::ListToolsResult;
use crate::session::stats::DiagnosticKind;
use crate::session::wire::Message;
use crate::transport::http::refusal::{refused, unreachable};

/// How long an answer to a question of the client's own may take.
const ANSWER: Duration = Duration::from_secs(30);

/// How much of a refusal's body is read.
const REFUSAL_BYTES: usize = 64 * 1024;

/// How long that may take where the body should be empty.
const DRAIN: Duration = Duration::from_millis(50);

/// A server with more pages of tools than this is not asked further.
const MAX_PAGES: usize = 1000;

/// Posts a request and waits for its result, apart from all calls.
pub(super) async fn ask(link: &Link, frame: Bytes, id: i64, method: &str) -> Result<Box<RawValue>> {
    let asked = async {
        let response = link.channel.send(link.post(frame, method, None)).await?;
        answer(link, response, id).await
    };
    timeout(ANSWER, asked).await.unwrap_or_else(|_| {
        let text = format!("the server did not answer {method} within {ANSWER:?}");
        Err(Error::new(ErrorKind::ConnectionLost, text))
    })
}

/// The result in a response with this id, out of either form of a reply.
pub(super) async fn answer(link: &Link, mut response: Response, id: i64) -> Result<Box<RawValue>> {
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    if !is_stream(response.headers()) {
        let body = read_all(&mut response, link.limit).await?;
        return result_in(&body, id).unwrap_or_else(|| Err(unanswered()));
    }
    let mut sse = Sse::new(link.limit);
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        let mut found = None;
        let stop = sse.feed(&chunk, |item| match item {
            Item::Event(event) => match result_in(event.data, id) {
                Some(result) => {
                    found = Some(result);
                    Err(())
                }
                None => Ok(()),
            },
            Item::TooLong { .. } | Item::Retry(_) => Ok(()),
        });
        if let (Err(()), Some(result)) = (stop, found) {
            return result;
        }
    }
    Err(unanswered())
}

fn unanswered() -> Error {
    Error::new(
        ErrorKind::Protocol,
        "the reply holds no response to this request",
    )
}

/// The outcome in a message, if it is the response with this id.
fn result_in(message: &[u8], id: i64) -> Option<Result<Box<RawValue>>> {
    #[derive(Deserialize)]
    struct Response<'a> {
        #[serde(default)]
        id: serde_json::Value,
        #[serde(borrow, default)]
        result: Option<&'a RawValue>,
        #[serde(borrow, default)]
        error: Option<&'a RawValue>,
    }

    let response: Response<'_> = serde_json::from_slice(message).ok()?;
    match (response.result, response.error) {
        (Some(result), None) if response.id == json!(id) => Some(Ok(result.to_owned())),
        (_, Some(error)) => Some(Err(Error::rpc(ErrorObject::from_raw(error)))),
        _ => None,
    }
}

pub(super) async fn refusal(mut response: Response) -> Error {
    let body = read_all(&mut response, REFUSAL_BYTES)
        .await
        .unwrap_or_default();
    refused(response.status(), response.headers(), &body)
}

async fn read_all(response: &mut Response, limit: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(unreachable)? {
        if body.len() + chunk.len() > limit {
            let text = format!("the reply is longer than {limit} bytes");
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Reads a body that says nothing to its end, which is near, so that the connection can be used again.
pub(super) async fn drain(mut response: Response) {
    let _ = timeout(DRAIN, read_all(&mut response, REFUSAL_BYTES)).await;
}

/// Lists the tools anew, so that what they want mirrored into headers is known.
pub(super) async fn refresh_tools(link: &Link) -> Result<()> {
    let Some(book) = link.session.tools.get() else {
        return Ok(());
    };
    let mut cursor = None;
    for _ in 0..MAX_PAGES {
        let params = cursor.map_or(
            serde_json::Value::Null,
            |cursor| json!({ "cursor": cursor }),
        );
        let invalid = |text| Error::new(ErrorKind::InvalidInput, text);
        let message = Message::new("tools/list", &params).map_err(invalid)?;
        let id = link.session.mint_id();
        let frame = link.session.wire().request(id, &message, None);
        let page = ask(link, frame.into(), id, "tools/list").await?;
        let page = book.screen(page, |tool, reason| {
            let counters = &link.session.counters;
            counters.note(DiagnosticKind::InvalidTool, || format!("{tool}: {reason}"));
        });
        let page: ListToolsResult = serde_json::from_str(page.get()).map_err(|error| {
            Error::new(ErrorKind::Decode, "the list of tools cannot be read").with_source(error)
        })?;
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    Ok(())
}

/// The tool that a frame of ours calls.
pub(super) fn tool_name(frame: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Frame<'a> {
        #[serde(borrow)]
        params: Params<'a>,
    }
    #[derive(Deserialize)]
    struct Params<'a> {
        #[serde(borrow)]
        name: Cow<'a, str>,
    }

    let frame: Frame<'_> = serde_json::from_slice(frame).ok()?;
    Some(frame.params.name.into_owned())
}
