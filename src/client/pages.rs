//! Lists that come in pages, as one stream of items.
//!
//! Owns following the cursor. It must not know what the items are.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::stream::{FusedStream, Stream, StreamExt};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::handle::Client;
use super::handler::NoHandler;
use super::request::Request;
use super::running::Running;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Paginated;

/// The items of a list, read page by page; a [`Stream`] that ends after its first error.
///
/// A page is asked for when the items of the one before have been taken (every revision, "Pagination").
#[must_use = "streams do nothing unless polled"]
pub struct Pages<P: Paginated> {
    client: Client,
    method: &'static str,
    items: VecDeque<P::Item>,
    asking: Option<Running<P, NoHandler>>,
    /// The cursor of the next page; None where there is none.
    next: Option<Value>,
    /// The cursor that gave the last page, to notice a server that never ends.
    last: Option<Value>,
}

impl<P: Paginated + DeserializeOwned> Request<P> {
    /// Asks for the page that this cursor names, which an earlier page gave as its
    /// [`next_cursor`](Paginated::next_cursor). For when each page needs options of its own; [`Client::tools`] and its
    /// like follow the cursors by themselves.
    pub fn cursor(mut self, cursor: impl Into<String>) -> Self {
        if let Ok(message) = &mut self.plan.message {
            message.set("cursor", Value::String(cursor.into()));
        }
        self
    }
}

impl<P: Paginated + DeserializeOwned> Pages<P> {
    pub(super) fn new(client: &Client, method: &'static str) -> Self {
        Self {
            client: client.clone(),
            method,
            items: VecDeque::new(),
            asking: None,
            next: Some(Value::Null),
            last: None,
        }
    }

    /// The next item, or nothing after the last.
    ///
    /// # Errors
    ///
    /// The error of the request for the page.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Result<P::Item>>
    where
        P::Item: Unpin,
    {
        StreamExt::next(self).await
    }

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// The error of the first request that fails.
    pub async fn all(mut self) -> Result<Vec<P::Item>>
    where
        P::Item: Unpin,
    {
        let mut items = Vec::new();
        while let Some(item) = self.next().await {
            items.push(item?);
        }
        Ok(items)
    }

    fn take(&mut self, page: P) -> Result<()> {
        self.next = page.next_cursor().map(|cursor| json!(cursor));
        self.items.extend(page.into_items());
        if self.next.is_some() && self.next == self.last {
            self.next = None;
            let text = format!("{} gives the same cursor again and again", self.method);
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(())
    }
}

impl<P: Paginated + DeserializeOwned> Stream for Pages<P>
where
    P::Item: Unpin,
{
    type Item = Result<P::Item>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        loop {
            if let Some(item) = this.items.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if this.asking.is_none() {
                let Some(cursor) = this.next.take() else {
                    return Poll::Ready(None);
                };
                let params = if cursor.is_null() {
                    Value::Null
                } else {
                    json!({ "cursor": cursor })
                };
                this.last = Some(cursor);
                let request: Request<P> = Request::new(&this.client, this.method, &params);
                this.asking = Some(request.into_future());
            }
            if let Some(asking) = &mut this.asking {
                let page = ready!(Pin::new(asking).poll(cx));
                this.asking = None;
                if let Err(error) = page.and_then(|page| this.take(page)) {
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

impl<P: Paginated + DeserializeOwned> FusedStream for Pages<P>
where
    P::Item: Unpin,
{
    fn is_terminated(&self) -> bool {
        self.items.is_empty() && self.asking.is_none() && self.next.is_none()
    }
}

impl<P: Paginated> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}
