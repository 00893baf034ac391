//! What a reporter refuses, and what it could not do.
//!
//! Owns the error of the sending half. It must not know sinks or connections.

use std::error::Error as StdError;
use std::fmt;

/// Why a call of a [`ProgressReporter`](crate::ProgressReporter) failed. None of them sends anything.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ReporterError {
    /// The request brought no token, so nobody asked for updates. See
    /// [`or_noop`](crate::reporter::ReporterBuilder::or_noop) for a reporter that does nothing then.
    MissingToken,
    /// A value or a total that is no finite number, or a total below zero.
    NotANumber {
        /// What it was meant to be.
        what: &'static str,
        /// What was given.
        given: f64,
    },
    /// A value below the one before.
    Regress {
        /// The value before.
        current: f64,
        /// What was given.
        given: f64,
    },
    /// A total below the one before: it may appear, and it may grow.
    TotalShrinks {
        /// The total before.
        current: f64,
        /// What was given.
        given: f64,
    },
    /// The operation has ended, so that nothing more may be sent.
    Finished,
    /// A phase whose range does not lie within 0 to 1, or that begins where a value without a total is beyond 1 already.
    BadPhase(String),
    /// An option that makes no sense.
    BadConfig(String),
    /// There is no tokio runtime to send on: build it inside one, or name one.
    NoRuntime,
    /// The last update was given up, with what the sink said last, or the runtime ended before it was sent.
    Undelivered(String),
}

impl fmt::Display for ReporterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingToken => f.write_str(
                "the request brought no progress token; with `or_noop` the reporter would do nothing instead",
            ),
            Self::NotANumber { what, given } => write!(f, "{given} cannot be a {what}"),
            Self::Regress { current, given } => {
                write!(f, "progress may not fall back from {current} to {given}")
            }
            Self::TotalShrinks { current, given } => {
                write!(f, "the total may grow, not shrink from {current} to {given}")
            }
            Self::Finished => f.write_str("the operation has ended, nothing more is sent"),
            Self::BadPhase(reason) => write!(f, "no such phase: {reason}"),
            Self::BadConfig(reason) => write!(f, "no such option: {reason}"),
            Self::NoRuntime => f.write_str("sending progress needs a tokio runtime"),
            Self::Undelivered(reason) => write!(f, "the last update was not sent: {reason}"),
        }
    }
}

impl StdError for ReporterError {}
