//! Progress that the client sends: for requests of the server, and for any token.
//!
//! Owns the way of an update into the outbox, and the refusal where the revision has none. It must not know who reports.

use futures::future::{BoxFuture, ready};
use serde_json::json;
use tokio::runtime::Handle;

use super::handle::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::model::token::ProgressToken;
use crate::reporter::{ProgressReporter, ProgressSink, ProgressUpdate, ReporterBuilder, SinkError};
use crate::session::calls::Session;
use crate::session::wire::Message;
use crate::sync::Arc;

const METHOD: &str = "notifications/progress";

/// Takes updates to the server of one connection, as `notifications/progress`.
///
/// It does not keep the connection open. An update is sent when it is in the client's outbox; where the server does not
/// read and that is full, it is tried again.
#[derive(Clone, Debug)]
pub struct ClientSink(Arc<Session>);

impl ProgressSink for ClientSink {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, std::result::Result<(), SinkError>> {
        Box::pin(ready(send(&self.0, &update).map_err(|error| {
            if error.kind() == ErrorKind::ConnectionLost && !self.0.is_closed() {
                SinkError::transient(error.to_string())
            } else {
                SinkError::permanent(error.to_string())
            }
        })))
    }
}

impl Client {
    /// Sends one `notifications/progress` for a token that the server gave with a request of its own, or for any other.
    /// `total` and `message` may be `None`. It is queued at once; a [`reporter`](Self::reporter) does it in order and not
    /// too often. Up to revision 2025-11-25.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] in 2026-07-28, in which only servers report progress (schema 2026-07-28,
    /// `ClientNotification`), [`ErrorKind::InvalidInput`] for a number that is not finite, and as
    /// [`notify`](Self::notify).
    pub fn send_progress<'a>(
        &self,
        token: &ProgressToken,
        progress: f64,
        total: impl Into<Option<f64>>,
        message: impl Into<Option<&'a str>>,
    ) -> Result<()> {
        check(self.session())?;
        let mut update = ProgressUpdate::new(token.clone(), progress);
        update.total = total.into();
        update.message = message.into().map(str::to_owned);
        send(self.session(), &update)
    }

    /// A sink for a reporter of one's own making; see [`reporter`](Self::reporter).
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] in 2026-07-28, in which only servers report progress.
    pub fn progress_sink(&self) -> Result<ClientSink> {
        check(self.session())?;
        Ok(ClientSink(self.session().clone()))
    }

    /// A reporter to the server under this token, to be built. Its task runs on the client's runtime.
    ///
    /// ```no_run
    /// # async fn example(client: mcp_progress::Client, token: mcp_progress::ProgressToken)
    /// #     -> Result<(), Box<dyn std::error::Error>> {
    /// let reporter = client.reporter(&token)?.emit_hz(2.0).build()?;
    /// for question in reporter.wrap(["name", "address"]) {
    ///     // ask somebody
    /// #   let _ = question;
    /// }
    /// reporter.finish().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unsupported`] in 2026-07-28, in which only servers report progress.
    pub fn reporter(&self, token: &ProgressToken) -> Result<ReporterBuilder> {
        check(self.session())?;
        Ok(reporter(self.session(), self.runtime(), token.clone()))
    }
}

/// A reporter to the server of this connection, for one of its requests.
pub(crate) fn reporter(
    session: &Arc<Session>,
    runtime: &Handle,
    token: ProgressToken,
) -> ReporterBuilder {
    ProgressReporter::builder(ClientSink(session.clone()))
        .token(token)
        .runtime(runtime.clone())
}

/// Only servers report progress in the modern era.
fn check(session: &Session) -> Result<()> {
    let wire = session.wire();
    match wire.version.filter(|version| version.is_modern()) {
        Some(version) => {
            let text = format!("in revision {version} clients send no {METHOD}");
            let hint = "servers of this revision send no requests that could be reported on";
            Err(Error::new(ErrorKind::Unsupported, text).with_hint(hint))
        }
        None => Ok(()),
    }
}

fn send(session: &Session, update: &ProgressUpdate) -> Result<()> {
    let invalid = |text: String| Error::new(ErrorKind::InvalidInput, text);
    let finite = |number: f64| number.is_finite();
    if !finite(update.progress) || !update.total.is_none_or(finite) {
        let numbers = json!([
            update.progress.to_string(),
            update.total.map(|total| total.to_string())
        ]);
        return Err(invalid(format!(
            "{METHOD} carries finite numbers only, not {numbers}"
        )));
    }
    session.notify(&Message::new(METHOD, update).map_err(invalid)?)
}
