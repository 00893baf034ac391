//! Owns the line between a script and where it is played. Must not know either of them.

use crate::testing::backstage::Backstage;
use crate::testing::frame::Answer;
use crate::testing::request::Request;
use crate::testing::tasks::hosting::TaskHosting;
use crate::testing::tasks::task::Task;
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use tokio::sync::Notify;

/// Where the bytes of one script go, and who is told how it ends.
pub(crate) trait Stage: fmt::Debug + Send + Sync {
    /// Sends whole lines in one write. Once the peer is gone this does nothing.
    fn write(&self, bytes: Vec<u8>);

    /// Sends what belongs to no open request, and says whether somebody will read it. With `keep` it waits for someone
    /// who may come.
    fn aside(&self, bytes: &[u8], keep: bool) -> bool;

    /// Sends like [`write`](Self::write) and waits until the peer has taken it, so that a flood does not fill the
    /// memory. Dropping the future does not take the bytes back.
    fn write_through(&self, bytes: Vec<u8>) -> BoxFuture<'_, ()>;

    /// Whether the request is served under the rules of 2026-07-28.
    fn is_modern(&self, request: &Request) -> bool;

    /// What is shared with the other connections.
    fn backstage(&self) -> &Arc<Backstage>;

    /// How tasks are hosted, if they are.
    fn hosting(&self) -> Option<&TaskHosting>;

    /// The task that the script has become.
    fn task(&self) -> Option<&Arc<Task>> {
        None
    }

    /// The answer as the revision of the request wants it.
    fn shape(&self, request: &Request, answer: Answer) -> Answer;

    /// The work that the request asks for begins.
    fn began(&self, request: &Request);

    /// The request is answered with this task.
    fn became(&self, task: &str);

    /// A cancellation reached the request while its script ran.
    fn stopped(&self, id: &Value);

    /// A cancellation reached the task while it ran.
    fn task_stopped(&self, task: &str);

    /// The script came to its end. `cancel` tells it from a later one under the same id.
    fn finished(&self, id: &Value, cancel: &Arc<Notify>);

    /// Breaks the connection once what was written before has gone out.
    fn crash(&self);

    /// Closes the stream of the request in good order while the script goes on, where it has one of its own.
    fn close_stream(&self);
}
