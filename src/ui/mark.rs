//! How a call ended, as people are told.
//!
//! Owns the few ways that are told apart, and their words. It must not know where they are shown.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};
use crate::model::tool::CallToolResult;

/// How a call ended.
///
/// Its text is one or two words: `done`, `tool error`, `failed`, `cancelled`, `timed out`, `connection lost`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mark {
    /// There is a result.
    Done,
    /// The tool ran, and reported a failure of its own (`isError`).
    ToolError,
    /// There is no result, for another reason than those below.
    Failed,
    /// It was cancelled on this side.
    Cancelled,
    /// One of its clocks ran out.
    TimedOut,
    /// The connection or the server is gone.
    Lost,
}

impl Mark {
    /// How a call ended that gave this error.
    #[must_use]
    pub const fn of_error(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Cancelled => Self::Cancelled,
            ErrorKind::Timeout => Self::TimedOut,
            ErrorKind::ConnectionLost => Self::Lost,
            _ => Self::Failed,
        }
    }

    /// How the call of a tool ended.
    #[must_use]
    pub const fn of_result(result: &Result<CallToolResult>) -> Self {
        match result {
            Ok(result) if result.is_error => Self::ToolError,
            Ok(_) => Self::Done,
            Err(error) => Self::of_error(error),
        }
    }

    /// Whether there is the result that was asked for.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Done)
    }

    /// The words for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::ToolError => "tool error",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::Lost => "connection lost",
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Padded where a table asks for it.
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Mark;
    use crate::error::{Clock, Error, ErrorKind};
    use crate::model::tool::CallToolResult;

    #[test]
    fn each_error_has_its_mark() {
        let marks = [
            (Error::cancelled(), Mark::Cancelled),
            (
                Error::timeout(Clock::Total, Duration::from_secs(1)),
                Mark::TimedOut,
            ),
            (Error::connect("gone"), Mark::Lost),
            (Error::new(ErrorKind::Decode, "odd"), Mark::Failed),
            (Error::new(ErrorKind::Rpc, "no"), Mark::Failed),
        ];
        for (error, mark) in marks {
            assert_eq!(Mark::of_error(&error), mark, "{error}");
            assert_eq!(Mark::of_result(&Err(error)), mark);
        }
    }

    #[test]
    fn a_failed_tool_is_no_success() {
        let result = |is_error| {
            let json = serde_json::json!({"content": [], "isError": is_error});
            serde_json::from_value::<CallToolResult>(json).map_err(|_| Error::cancelled())
        };
        assert_eq!(Mark::of_result(&result(true)), Mark::ToolError);
        assert_eq!(Mark::of_result(&result(false)), Mark::Done);
        assert!(Mark::Done.is_success() && !Mark::ToolError.is_success());
        assert_eq!(
            format!("{:>10}|{}", Mark::Done, Mark::Lost),
            "      done|connection lost"
        );
    }
}
