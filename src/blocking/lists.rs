//! The iterators that keep their connection: lists in pages, and subscriptions.
//!
//! Owns their ends. It must not know what the items are.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;

use super::connection::Connection;
use super::iter::{NextError, next, next_timeout};
use super::runtime;
use crate::client::{listen, pages};
use crate::error::Result;
use crate::model::Paginated;
use crate::session::notification::Notification;
use crate::sync::Arc;

/// The items of a list, read page by page; ends after its first error. [`crate::Pages`], without async.
#[must_use = "iterators do nothing unless asked"]
pub struct Pages<P: Paginated> {
    inner: pages::Pages<P>,
    /// Ended by an error that the stream inside knows nothing of.
    refused: bool,
    connection: Arc<Connection>,
}

impl<P: Paginated + DeserializeOwned> Pages<P> {
    pub(super) fn new(inner: pages::Pages<P>, connection: &Arc<Connection>) -> Self {
        Self {
            inner,
            refused: false,
            connection: connection.clone(),
        }
    }

    /// All items that are left.
    ///
    /// # Errors
    ///
    /// The error of the first request that fails.
    pub fn all(self) -> Result<Vec<P::Item>>
    where
        P::Item: Unpin,
    {
        let Self {
            inner, connection, ..
        } = self;
        let items = runtime::wait(inner.all())?;
        drop(connection);
        items
    }
}

/// Inside of an async runtime it gives that error and ends.
impl<P: Paginated + DeserializeOwned> Iterator for Pages<P>
where
    P::Item: Unpin,
{
    type Item = Result<P::Item>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.refused {
            return None;
        }
        runtime::wait(self.inner.next()).unwrap_or_else(|error| {
            self.refused = true;
            Some(Err(error))
        })
    }
}

/// An open subscription, an iterator over its notifications. [`crate::Listen`], without async.
///
/// The first is the server's acknowledgement. Dropping it cancels the subscription.
#[must_use = "dropping the subscription cancels it"]
pub struct Listen {
    inner: listen::Listen,
    connection: Arc<Connection>,
}

impl Listen {
    pub(super) fn new(inner: listen::Listen, connection: &Arc<Connection>) -> Self {
        Self {
            inner,
            connection: connection.clone(),
        }
    }

    /// The next notification, if it comes within `limit`; nothing once the subscription is over.
    ///
    /// # Errors
    ///
    /// [`NextError::TimedOut`] where none came in time, and [`NextError::InRuntime`] inside of an async runtime.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<Notification>, NextError> {
        next_timeout(&mut self.inner, limit)
    }

    /// As [`Listen::end`](crate::Listen::end): waits for the end where it has not come.
    ///
    /// # Errors
    ///
    /// Fails where the server refused or cancelled the subscription, where the connection was lost, and inside of an async runtime.
    pub fn end(self) -> Result<()> {
        let Self { inner, connection } = self;
        let end = runtime::wait(inner.end())?;
        drop(connection);
        end
    }

    /// As [`Listen::missed`](crate::Listen::missed).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.inner.missed()
    }
}

/// Inside of an async runtime it ends at once, and [`Listen::end`] says why.
impl Iterator for Listen {
    type Item = Notification;

    fn next(&mut self) -> Option<Notification> {
        next(&mut self.inner)
    }
}

impl<P: Paginated> fmt::Debug for Pages<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl fmt::Debug for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}
