//! What users hold of a reporter.
//!
//! Owns the calls, and the end that dropping the last handle is. It must not know phases and adapters, which stand upon it.

use std::fmt;

use super::amount::Amount;
use super::closing::Closing;
use super::error::ReporterError;
use super::machine::{Effect, Machine};
use super::shared::Shared;
use super::snapshot::Snapshot;
use super::telemetry::{Outcome, ReporterCounts};
use crate::model::ProgressToken;
use crate::sync::Arc;

/// Reports the progress of one operation to whoever asked for it, in well-formed updates and not too many.
///
/// Calls are synchronous and quick: they change the figures, and a task of the reporter sends what is due. The module's
/// documentation says what goes out when. Clones report on the same operation; dropping the last one, with its phases and
/// adapters, without [`finish`](Self::finish) or [`fail`](Self::fail) counts as cancelled: what is held goes out in the
/// background, and nothing more.
///
/// ```
/// # use futures::future::BoxFuture;
/// # use mcp_progress::reporter::{ProgressUpdate, SinkError};
/// # struct Sink;
/// # impl mcp_progress::ProgressSink for Sink {
/// #     fn send(&self, _: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> { Box::pin(async { Ok(()) }) }
/// # }
/// use mcp_progress::{ProgressReporter, ProgressToken};
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() -> Result<(), mcp_progress::reporter::ReporterError> {
/// # let (sink, token, files) = (Sink, ProgressToken::from(1), ["a", "b"]);
/// let reporter = ProgressReporter::new(sink, Some(token))?;
/// {
///     let deleting = reporter.phase("Deleting", 0.0..0.9).total(files.len());
///     for file in deleting.wrap(files) {
///         deleting.message(format!("Deleting {file}"))?;
///     }
/// }
/// let counts = reporter.finish().await?;
/// assert_eq!(counts.given_up, 0);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct ProgressReporter(Option<Arc<Owner>>);

/// The handles together: when the last is gone, the operation has ended.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        // Refused where it has ended properly.
        let _ = self.0.close(Outcome::Cancelled, None);
    }
}

impl ProgressReporter {
    pub(super) fn of(shared: Arc<Shared>) -> Self {
        Self(Some(Arc::new(Owner(shared))))
    }

    /// A reporter that does nothing and refuses nothing.
    #[must_use]
    pub const fn noop() -> Self {
        Self(None)
    }

    /// Whether this is one that does nothing, since nobody asked for updates: then figures need not be worked out.
    #[must_use]
    pub const fn is_noop(&self) -> bool {
        self.0.is_none()
    }

    /// The token that its updates carry; none where it does nothing.
    #[must_use]
    pub fn token(&self) -> Option<&ProgressToken> {
        self.shared().map(|shared| &shared.token)
    }

    /// The operation has come to `value`.
    ///
    /// # Errors
    ///
    /// [`Regress`](ReporterError::Regress) where it was further, [`NotANumber`](ReporterError::NotANumber), and
    /// [`Finished`](ReporterError::Finished). Nothing goes out then. The value that was there already is no error.
    pub fn set(&self, value: impl Amount) -> Result<(), ReporterError> {
        let value = value.to_number();
        self.apply(|machine| machine.set(value))
    }

    /// The operation has come `delta` further, from 0 at first.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn advance(&self, delta: impl Amount) -> Result<(), ReporterError> {
        let delta = delta.to_number();
        self.apply(|machine| machine.advance(delta))
    }

    /// Says something to the people who wait. It goes out with the update that waits or, where none does, with the next
    /// new value, at the latest with the last update.
    ///
    /// # Errors
    ///
    /// [`Finished`](ReporterError::Finished).
    pub fn message(&self, text: impl Into<String>) -> Result<(), ReporterError> {
        let Some(shared) = self.shared() else {
            return Ok(());
        };
        let text = text.into();
        shared.apply(|machine| machine.message(text))
    }

    /// Where the operation ends. It may be told late, and it may grow; it goes out with the next new value.
    ///
    /// # Errors
    ///
    /// [`TotalShrinks`](ReporterError::TotalShrinks), [`NotANumber`](ReporterError::NotANumber) also below zero, and
    /// [`Finished`](ReporterError::Finished).
    pub fn total(&self, total: impl Amount) -> Result<(), ReporterError> {
        let total = total.to_number();
        self.apply(|machine| machine.set_total(total))
    }

    /// The operation is complete: comes to the total, where there is one, and sends what is held. Nothing goes out after
    /// that, from no handle.
    ///
    /// The operation ends with this call; awaiting is for those who want the update to be out first, as a server does that
    /// answers next.
    pub fn finish(&self) -> Closing {
        self.close(Outcome::Completed, None)
    }

    /// The operation has failed: sends what is held with `text`. Nothing goes out after that.
    pub fn fail(&self, text: impl Into<String>) -> Closing {
        self.close(Outcome::Failed, Some(text.into()))
    }

    /// What became of the updates so far.
    #[must_use]
    pub fn counts(&self) -> ReporterCounts {
        self.shared()
            .map_or_else(ReporterCounts::default, Shared::counts)
    }

    /// The figures as they are now, to go on from in another process; none where this does nothing.
    #[must_use]
    pub fn snapshot(&self) -> Option<Snapshot> {
        self.shared().map(Shared::snapshot)
    }

    fn close(&self, outcome: Outcome, text: Option<String>) -> Closing {
        let Some(owner) = &self.0 else {
            return Closing::new(std::future::ready(Ok(ReporterCounts::default())));
        };
        match owner.0.close(outcome, text) {
            Ok(()) => {
                let shared = owner.0.clone();
                Closing::new(async move { shared.ended().await })
            }
            Err(error) => Closing::new(std::future::ready(Err(error))),
        }
    }

    pub(super) fn apply(
        &self,
        call: impl FnOnce(&mut Machine) -> Result<Effect, ReporterError>,
    ) -> Result<(), ReporterError> {
        self.shared().map_or(Ok(()), |shared| shared.apply(call))
    }

    fn shared(&self) -> Option<&Shared> {
        self.0.as_ref().map(|owner| &*owner.0)
    }
}

impl fmt::Debug for ProgressReporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProgressReporter")
            .field(&self.shared())
            .finish()
    }
}
