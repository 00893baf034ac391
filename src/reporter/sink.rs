//! Where updates go.
//!
//! Owns the trait that adapters implement, the update that they get, and how they say that it did not work. It must not
//! know a single adapter.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::model::{LoggingLevel, ProgressToken};

/// One update on its way out: the params of `notifications/progress`, and it serialises to them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ProgressUpdate {
    /// The token that the request brought.
    #[serde(rename = "progressToken")]
    pub token: ProgressToken,
    /// How far the operation is. A whole number is written as an integer.
    #[serde(serialize_with = "number")]
    pub progress: f64,
    /// How far it goes, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "optional")]
    pub total: Option<f64>,
    /// A text for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl ProgressUpdate {
    /// An update without a total and without a message.
    #[must_use]
    pub const fn new(token: ProgressToken, progress: f64) -> Self {
        Self {
            token,
            progress,
            total: None,
            message: None,
        }
    }
}

/// Integers, as most servers write them; `2^53` and beyond have no exact form in every peer anyway.
fn number<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.fract() == 0.0 && number.abs() < EXACT {
        serializer.serialize_i64(*number as i64)
    } else {
        serializer.serialize_f64(*number)
    }
}

fn optional<S: Serializer>(value: &Option<f64>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// Takes the updates of a [`ProgressReporter`](crate::ProgressReporter) to whoever asked for them.
///
/// Updates are sent one after the other: the next `send` begins after the one before has ended. A sink that takes long
/// slows its own reporter down and nothing else.
pub trait ProgressSink: Send + Sync + 'static {
    /// Sends one update. Ready when the peer has it, or as near to that as the sink can tell: the next interval begins
    /// then.
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>>;

    /// Sends a life-cycle event as a log message (`notifications/message`). Default: not offered.
    ///
    /// A sink that offers it keeps to the level that the peer asked for; one below it is none to send, so `None`.
    fn log(
        &self,
        level: LoggingLevel,
        data: Value,
    ) -> Option<BoxFuture<'_, Result<(), SinkError>>> {
        let _ = (level, data);
        None
    }
}

impl<S: ProgressSink + ?Sized> ProgressSink for Arc<S> {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        (**self).send(update)
    }

    fn log(
        &self,
        level: LoggingLevel,
        data: Value,
    ) -> Option<BoxFuture<'_, Result<(), SinkError>>> {
        (**self).log(level, data)
    }
}

/// Why a sink could not send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkError {
    text: String,
    permanent: bool,
}

impl SinkError {
    /// It may work in a moment: the update is tried again.
    pub fn transient(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            permanent: false,
        }
    }

    /// It will never work, since the peer is gone: the update is given up at once.
    pub fn permanent(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            permanent: true,
        }
    }

    /// Whether trying again is of no use.
    #[must_use]
    pub const fn is_permanent(&self) -> bool {
        self.permanent
    }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for SinkError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_are_written_as_integers() {
        let mut update = ProgressUpdate::new(ProgressToken::from(7), 3.0);
        let text = |update: &ProgressUpdate| serde_json::to_string(update).expect("serialises");
        assert_eq!(text(&update), r#"{"progressToken":7,"progress":3}"#);
        update.progress = 3.5;
        update.total = Some(1e300);
        update.message = Some("a \"b\"".to_owned());
        assert_eq!(
            text(&update),
            r#"{"progressToken":7,"progress":3.5,"total":1e+300,"message":"a \"b\""}"#
        );
    }
}
