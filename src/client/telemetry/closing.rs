//! How a call ended, in numbers.
//!
//! Owns the classification of outcomes. It must not know who is told.

use std::fmt;
use std::time::Duration;

use crate::error::{Clock, ErrorKind};
use crate::progress::slot::Outcome;
use crate::progress::tally::Numbers;
use crate::session::peek;

/// What became of a call; see [`CallObserver::closed`](crate::CallObserver::closed).
///
/// ```text
/// received = delivered + merged + what nobody took
/// ```
///
/// An update is taken by the call's own handler or handle. One that has neither takes none, and a call that is cancelled
/// leaves what waits. What other subscribers of the token take is not counted here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallClosed {
    /// How it ended.
    pub outcome: CallOutcome,
    /// Time from its start to its end, as its caller saw it.
    pub elapsed: Duration,
    /// Time from the writing of the request to the arrival of the first update, if one came.
    pub first_update: Option<Duration>,
    /// The longest time in which nothing came: from the writing of a request, or an update, to the next update, the
    /// response or the end, by the times of arrival. Times in which somebody is asked on behalf of the call do not count;
    /// questions that a server asks in a request of its own name no call, and are not left out.
    pub longest_silence: Duration,
    /// Updates that came, changes of a task's status among them.
    pub received: u64,
    /// Updates that the call's own handler or handle was given.
    pub delivered: u64,
    /// Updates that are counted in one of those ([`Progress::merged`](crate::Progress::merged)).
    pub merged: u64,
    /// Updates that came after the response or the cancel, and before this was told. Those that come later, and those that
    /// cannot be read or name no call, are of no call: [`Client::stats`](crate::Client::stats) counts them.
    pub rejected: u64,
    /// Updates whose value lies below an earlier one. They are delivered as all others are.
    pub regressed: u64,
    /// How many requests it took, without those about its task.
    pub legs: u32,
    /// The highest milestone that it came to.
    pub milestone: Option<f64>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallOutcome {
    /// The server gave a result. Whether it has the form that the caller wants is not known here.
    Completed,
    /// The server gave the result of a tool that failed (`isError`).
    ToolError,
    /// There is no result.
    Failed(ErrorKind),
    /// It was cancelled on this side, or the client was closed.
    Cancelled,
    /// One of its clocks ran out.
    TimedOut(Clock),
    /// It was dropped before its end was seen.
    Dropped,
    /// It was dropped, and its task left to the server ([`Call::leave`](crate::Call::leave)).
    Left,
}

impl CallOutcome {
    pub(crate) fn of(method: &str, outcome: &Outcome) -> Self {
        match outcome {
            Ok(raw) if method == "tools/call" && peek::is_tool_error(raw.get()) => Self::ToolError,
            Ok(_) => Self::Completed,
            Err(error) => match (error.kind(), error.timeout_clock()) {
                (ErrorKind::Cancelled, _) => Self::Cancelled,
                (ErrorKind::Timeout, Some(clock)) => Self::TimedOut(clock),
                (kind, _) => Self::Failed(kind),
            },
        }
    }

    /// Its name in a span.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::ToolError => "tool_error",
            Self::Failed(_) => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut(_) => "timed_out",
            Self::Dropped => "dropped",
            Self::Left => "left",
        }
    }
}

/// `timed out (idle)`, for logs.
impl fmt::Display for CallOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Completed => f.write_str("completed"),
            Self::ToolError => f.write_str("completed with a tool error"),
            Self::Failed(kind) => write!(f, "failed ({kind:?})"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::TimedOut(clock) => write!(f, "timed out ({clock})"),
            Self::Dropped => f.write_str("dropped"),
            Self::Left => f.write_str("left to the server"),
        }
    }
}

impl CallClosed {
    pub(super) const fn new(
        outcome: CallOutcome,
        elapsed: Duration,
        (delivered, merged): (u64, u64),
        numbers: &Numbers,
    ) -> Self {
        Self {
            outcome,
            elapsed,
            first_update: numbers.first_update,
            longest_silence: numbers.longest_silence,
            received: numbers.received,
            delivered,
            merged,
            rejected: numbers.rejected,
            regressed: numbers.regressed,
            legs: numbers.legs,
            milestone: numbers.milestone,
        }
    }
}
