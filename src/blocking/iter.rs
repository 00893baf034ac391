//! Streams as iterators.
//!
//! Owns waiting for the next item. It must not know what the items are.

use std::fmt;
use std::pin::pin;
use std::time::Duration;

use futures::stream::{Stream, StreamExt};

use super::{park, runtime};
use crate::client::streams::{Diagnostics, Notifications};
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::updates::Updates;

/// A stream as an iterator that waits for each item; made by [`iter()`].
///
/// Inside of an async runtime it ends at once, and logs an error: see [the module](super#inside-of-an-async-runtime).
#[derive(Debug)]
#[must_use = "iterators do nothing unless asked"]
pub struct Iter<S>(S);

/// Any stream as an iterator: a subscription of the registry, a call with combinators, notifications.
///
/// The stream is polled by the thread that asks, with the background runtime at hand.
///
/// ```no_run
/// # fn example(client: mcp_progress::blocking::Client) -> mcp_progress::Result<()> {
/// use mcp_progress::{ProgressToken, UpdatesExt as _, blocking};
///
/// let token = ProgressToken::generate();
/// let updates = blocking::iter(client.progress().subscribe(&token).throttle(8.0));
/// let shown = std::thread::spawn(move || {
///     for update in updates {
///         tracing::info!(%update);
///     }
/// });
/// client.read_resource("file:///big").progress_token(token).send()?;
/// # let _ = shown.join(); Ok(()) }
/// ```
pub const fn iter<S: Stream + Unpin>(stream: S) -> Iter<S> {
    Iter(stream)
}

/// Why there is no next item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NextError {
    /// None came in time. One may still come.
    TimedOut,
    /// This is inside of an async runtime, where waiting would hold up other tasks; or the background runtime could not be started.
    /// The log says more.
    InRuntime,
}

impl fmt::Display for NextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "nothing came in time",
            Self::InRuntime => "no thread may wait inside of an async runtime",
        })
    }
}

impl std::error::Error for NextError {}

/// The next item of `stream`, waited for.
pub(super) fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    runtime::wait_for(pin!(stream.next())).unwrap_or_else(|error| {
        tracing::error!(%error, "an iterator ends");
        None
    })
}

/// The next item of `stream`, waited for up to `limit`.
pub(super) fn next_timeout<S: Stream + Unpin>(
    stream: &mut S,
    limit: Duration,
) -> Result<Option<S::Item>, NextError> {
    let waited = match park::now().checked_add(limit) {
        Some(deadline) => runtime::wait_until(pin!(stream.next()), deadline),
        // Longer than the clock can count.
        None => runtime::wait_for(pin!(stream.next())).map(Some),
    };
    match waited {
        Ok(item) => item.ok_or(NextError::TimedOut),
        Err(error) => {
            tracing::error!(%error, "an iterator waits for nothing");
            Err(NextError::InRuntime)
        }
    }
}

impl<S: Stream + Unpin> Iter<S> {
    /// The next item, if it comes within `limit`; nothing after the last. A wait that is over loses nothing: ask again.
    ///
    /// # Errors
    ///
    /// [`NextError::TimedOut`] where none came in time, and [`NextError::InRuntime`] inside of an async runtime.
    pub fn next_timeout(&mut self, limit: Duration) -> Result<Option<S::Item>, NextError> {
        next_timeout(&mut self.0, limit)
    }

    /// The stream inside.
    pub const fn as_stream(&self) -> &S {
        &self.0
    }

    /// Gives the stream back; nothing of it is lost.
    pub fn into_stream(self) -> S {
        self.0
    }
}

impl<S: Stream + Unpin> Iterator for Iter<S> {
    type Item = S::Item;

    fn next(&mut self) -> Option<S::Item> {
        next(&mut self.0)
    }
}

impl Iter<Updates> {
    /// As [`Updates::token`](crate::Updates::token).
    #[must_use]
    pub const fn token(&self) -> &ProgressToken {
        self.0.token()
    }

    /// As [`Updates::end`](crate::Updates::end).
    #[must_use]
    pub const fn end(&self) -> Option<StreamEnd> {
        self.0.end()
    }
}

impl Iter<Notifications> {
    /// As [`Notifications::missed`](crate::Notifications::missed).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }
}

impl Iter<Diagnostics> {
    /// As [`Diagnostics::missed`](crate::Diagnostics::missed).
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.0.missed()
    }
}
