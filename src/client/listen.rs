//! `subscriptions/listen`: a request that stays open and brings notifications.
//!
//! Owns its stream. It has no clocks and ends by drop, by the server, or with the connection. It must not know what
//! the notifications say.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{Stream, StreamExt};
use serde_json::json;

use std::future::IntoFuture;

use super::call::{Call, CallResult};
use super::clock;
use super::core::Core;
use super::handle::Client;
use super::limits::Limits;
use super::methods::Empty;
use super::revision;
use crate::error::{Error, ErrorKind, Result};
use crate::model::SubscriptionFilter;
use crate::session::calls::NewCall;
use crate::session::feed::{Feed, Receiver};
use crate::session::flight::{Follow, Kind};
use crate::session::notification::Notification;
use crate::session::wire::Message;
use crate::sync::Arc;

/// An open subscription (revision 2026-07-28, "Subscriptions"); made by [`Client::listen`].
///
/// A [`Stream`] of notifications, the first of which is the server's acknowledgement with the filter that it agreed
/// to. Dropping it cancels the subscription.
#[must_use = "dropping the subscription cancels it"]
pub struct Listen {
    receiver: Receiver<Notification>,
    request: CallResult<Empty>,
}

impl Client {
    /// `subscriptions/listen`: opens a stream of the notifications that `filter` asks for. Revision 2026-07-28.
    ///
    /// # Errors
    ///
    /// Fails where the revision has no subscriptions or the connection is over.
    pub fn listen(&self, filter: &SubscriptionFilter) -> Result<Listen> {
        let session = self.session().clone();
        revision::check("subscriptions/listen", session.wire().version)?;
        let mut message = Message::new("subscriptions/listen", &json!({ "notifications": filter }))
            .map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
        self.telemetry().put_trace(&mut message);
        let feed = Arc::new(Feed::new());
        let receiver = feed.receiver();
        let call = NewCall {
            message,
            token: None,
            own: None,
            kind: Kind::Listen(feed),
            follow: Follow::default(),
            reissues: 0,
        };
        let flight = session.register(call, clock::now())?;
        let limits = Limits {
            idle: None,
            total: None,
            ..Limits::default()
        };
        let core = Core::new(self.clone(), session, flight, limits);
        Ok(Listen {
            receiver,
            request: IntoFuture::into_future(Call::new(Ok(core))),
        })
    }
}

impl Listen {
    /// The next notification, or nothing once the subscription is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Notification> {
        StreamExt::next(self).await
    }

    /// How the subscription ended, once the stream has: `Ok` where the server closed it in order.
    ///
    /// Before its end this waits for it.
    ///
    /// # Errors
    ///
    /// Fails where the server refused or cancelled the subscription, or the connection was lost.
    pub async fn end(self) -> Result<()> {
        self.request.await.map(drop)
    }

    /// How many notifications were dropped because they were not taken in time.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.receiver.missed()
    }
}

impl Stream for Listen {
    type Item = Notification;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        // The session closes the feed when the request ends.
        self.receiver
            .poll_next(cx)
            .map(|item| item.map(|item| (*item).clone()))
    }
}

impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listen")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
