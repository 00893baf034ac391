//! Owns the line between a script and where it is played. Must not know either of them.

use crate::testing::frame::Answer;
use crate::testing::input::desk::Desk;
use crate::testing::request::Request;
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// Where the bytes of one script go, and who is told how it ends.
pub(crate) trait Stage: fmt::Debug + Send + Sync {
    /// Sends whole lines in one write. Once the peer is gone this does nothing.
    fn write(&self, bytes: Vec<u8>);

    /// Sends like [`write`](Self::write) and waits until the peer has taken it, so that a flood does not fill the
    /// memory. Dropping the future does not take the bytes back.
    fn write_through(&self, bytes: Vec<u8>) -> BoxFuture<'_, ()>;

    /// Whether the request is served under the rules of 2026-07-28.
    fn is_modern(&self, request: &Request) -> bool;

    /// Where questions to the client are kept.
    fn desk(&self) -> &Arc<Desk>;

    /// The answer as the revision of the request wants it.
    fn shape(&self, request: &Request, answer: Answer) -> Answer;

    /// A cancellation reached the request while its script ran.
    fn stopped(&self, id: &Value);

    /// The script came to its end. `cancel` tells it from a later one under the same id.
    fn finished(&self, id: &Value, cancel: &Arc<Notify>);

    /// Breaks the connection once what was written before has gone out.
    fn crash(&self);

    /// Closes the stream of the request in good order while the script goes on, where it has one of its own.
    fn close_stream(&self);
}
