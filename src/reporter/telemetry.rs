//! What a program may learn of its reporters: when one began, what it sent, how it ended.
//!
//! Owns the trait, the counts and the process-wide default. It must not know how they are collected.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::sink::{ProgressUpdate, SinkError};
use crate::model::ProgressToken;
use crate::sync::Mutex;

/// Is told of the course of reporters. Each method does nothing by default.
///
/// `on_start` is called where the reporter is built, the others in its driver; they hold up that reporter and no other.
pub trait ReporterTelemetry: Send + Sync + 'static {
    /// A reporter was built. One that does nothing, for want of a token, is not told of.
    fn on_start(&self, started: &Started) {
        let _ = started;
    }

    /// An update was sent, or given up.
    fn on_emit(&self, emission: &Emission<'_>) {
        let _ = emission;
    }

    /// An operation has ended and its last update is sent or given up.
    fn on_close(&self, closed: &Closed) {
        let _ = closed;
    }
}

/// The beginning of a reporter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Started {
    /// The token that its updates carry.
    pub token: ProgressToken,
    /// Whether it goes on from a snapshot.
    pub resumed: bool,
}

/// One update that was sent or given up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Emission<'a> {
    /// What was sent.
    pub update: &'a ProgressUpdate,
    /// How often it was tried, from 1.
    pub attempts: u32,
    /// How many updates were merged into it.
    pub merged: u64,
    /// Why it was given up; none where it was sent.
    pub error: Option<&'a SinkError>,
}

/// The end of a reporter.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Closed {
    /// The token that its updates carried.
    pub token: ProgressToken,
    /// How the operation ended.
    pub outcome: Outcome,
    /// What became of its updates.
    pub counts: ReporterCounts,
    /// From building the reporter to the last update.
    pub elapsed: Duration,
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// By [`finish`](crate::ProgressReporter::finish).
    Completed,
    /// By [`fail`](crate::ProgressReporter::fail).
    Failed,
    /// The reporter was dropped without either.
    Cancelled,
}

impl Outcome {
    /// The word for it in life-cycle events.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What became of the updates of one reporter. When it has ended, `accepted` is the sum of `emitted`, `merged` and
/// `given_up`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReporterCounts {
    /// Updates that calls have led to: new values, and what else may go out.
    pub accepted: u64,
    /// Of those, the ones that were sent.
    pub emitted: u64,
    /// Of those, the ones that a later one took the place of before they were sent.
    pub merged: u64,
    /// Of those, the ones that were given up after the last attempt.
    pub given_up: u64,
    /// Attempts after the first one of an update.
    pub retries: u64,
}

/// What the next reporters tell, where the program has set it.
static DEFAULT: Mutex<Option<Arc<dyn ReporterTelemetry>>> = Mutex::new(None);

/// Whom reporters tell from now on that do not say otherwise, in the whole process; none for nobody.
pub fn set_default_telemetry(telemetry: Option<Arc<dyn ReporterTelemetry>>) {
    let before = std::mem::replace(&mut *DEFAULT.lock(), telemetry);
    drop(before);
}

pub(super) fn default_telemetry() -> Option<Arc<dyn ReporterTelemetry>> {
    DEFAULT.lock().clone()
}
