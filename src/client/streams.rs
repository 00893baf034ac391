//! What reaches the user beside calls: notifications and diagnostics, as streams.
//!
//! Owns the public face of the feeds. It must not know how they fill.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::stream::{Stream, StreamExt};

use crate::session::feed::Receiver;
use crate::session::notification::Notification;
use crate::session::stats::Diagnostic;

/// A bounded stream of the server's notifications; see [`Client::notifications`](crate::Client::notifications).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Notifications(pub(super) Receiver<Notification>);

/// A bounded stream of diagnostics; see [`Client::diagnostics`](crate::Client::diagnostics).
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct Diagnostics(pub(super) Receiver<Diagnostic>);

impl Notifications {
    /// The next notification, or nothing once the connection is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Notification> {
        StreamExt::next(self).await
    }

    /// How many were dropped because they were not taken in time.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }
}

impl Diagnostics {
    /// The next diagnostic, or nothing once the connection is over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn next(&mut self) -> Option<Diagnostic> {
        StreamExt::next(self).await
    }

    /// How many were dropped because they were not taken in time.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }
}

impl Stream for Notifications {
    type Item = Notification;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Notification>> {
        self.0
            .poll_next(cx)
            .map(|item| item.map(|item| (*item).clone()))
    }
}

impl Stream for Diagnostics {
    type Item = Diagnostic;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Diagnostic>> {
        self.0
            .poll_next(cx)
            .map(|item| item.map(|item| (*item).clone()))
    }
}
