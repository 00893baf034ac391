//! Why a stream of updates ended.
//!
//! Owns the reasons. It must not know how they come about.

use std::fmt;

/// Why a stream of updates ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StreamEnd {
    /// The request was answered with a result.
    Completed,
    /// The request was answered with a JSON-RPC error.
    Failed,
    /// One of the call's clocks ran out.
    TimedOut,
    /// The call was cancelled or dropped.
    Cancelled,
    /// The connection was lost or closed.
    Disconnected,
    /// [`unregister`](crate::ProgressRegistry::unregister) was called for the token.
    Unregistered,
}

impl fmt::Display for StreamEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Cancelled => "cancelled",
            Self::Disconnected => "disconnected",
            Self::Unregistered => "unregistered",
        })
    }
}
