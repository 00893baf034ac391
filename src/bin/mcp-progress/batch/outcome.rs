//! How a line ended.
//!
//! Owns the ways that are told apart, and what each of them means for the rest. It must not know how it is written.

use std::time::Duration;

use mcp_progress::ErrorKind;
use mcp_progress::model::CallToolResult;
use serde_json::value::RawValue;

use crate::args::batch::RetryOn;
use crate::failure::{Failure, code};

/// The end of a line.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) end: End,
    pub(crate) attempts: u32,
    /// From the first attempt to the end.
    pub(crate) elapsed: Duration,
}

#[derive(Debug)]
pub(crate) enum End {
    /// There is a result, as the server wrote it.
    Result(Box<RawValue>, CallToolResult),
    Failed(Failure),
    Skipped(Reason),
}

/// Why a line did not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It waits for the line at this place of the list, which did not succeed.
    After(usize),
    /// Another line failed, and it is not to go on then.
    Stopped,
    Interrupted,
}

/// In one word, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Ok,
    ToolError,
    Error,
    Timeout,
    Cancelled,
    Skipped,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ToolError => "tool_error",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
            Self::Skipped => "skipped",
        }
    }
}

impl End {
    /// The end that the answer of the server stands for.
    pub(crate) fn of(answer: mcp_progress::Result<Box<RawValue>>) -> Self {
        match answer {
            Ok(raw) => match serde_json::from_str::<CallToolResult>(raw.get()) {
                Ok(result) => Self::Result(raw, result),
                Err(error) => Self::Failed(Failure::Decode(error)),
            },
            Err(error) => Self::Failed(Failure::Call(error)),
        }
    }

    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Result(_, result) if result.is_error => Status::ToolError,
            Self::Result(..) => Status::Ok,
            Self::Skipped(_) => Status::Skipped,
            Self::Failed(failure) => match failure.code() {
                code::TIMEOUT => Status::Timeout,
                code::INTERRUPTED => Status::Cancelled,
                _ => Status::Error,
            },
        }
    }

    /// The exit code that it stands for by itself.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::Result(_, result) if result.is_error => code::TOOL_ERROR,
            Self::Result(..) | Self::Skipped(_) => code::OK,
            Self::Failed(failure) => failure.code(),
        }
    }

    /// Whether another attempt is worth it, by what the user says of that.
    pub(crate) fn is_worth_another(&self, retry_on: &[RetryOn]) -> bool {
        self.kind().is_some_and(|kind| retry_on.contains(&kind))
    }

    /// What kind of failure it is; none where another attempt would end the same way, or is not wanted.
    fn kind(&self) -> Option<RetryOn> {
        let error = match self {
            Self::Result(_, result) => return result.is_error.then_some(RetryOn::ToolError),
            Self::Failed(Failure::Call(error)) => error,
            Self::Failed(Failure::Decode(_)) => return Some(RetryOn::Error),
            Self::Failed(_) | Self::Skipped(_) => return None,
        };
        match (error.kind(), error.status()) {
            (ErrorKind::ConnectionLost, _) => Some(RetryOn::Lost),
            (ErrorKind::Timeout, _) => Some(RetryOn::Timeout),
            (ErrorKind::Http, Some(429 | 502 | 503 | 504)) => Some(RetryOn::Busy),
            (ErrorKind::Cancelled | ErrorKind::InvalidInput | ErrorKind::Unsupported, _) => None,
            _ => Some(RetryOn::Error),
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::Error;
    use serde_json::json;

    use super::{End, Reason, RetryOn, Status};
    use crate::failure::Failure;

    fn result(value: serde_json::Value) -> End {
        End::of(Ok(serde_json::value::to_raw_value(&value).unwrap()))
    }

    #[test]
    fn each_end_has_its_word_and_its_code() {
        let lost = || End::of(Err(Error::connect("gone")));
        for (end, status, code) in [
            (result(json!({"content": []})), Status::Ok, 0),
            (
                result(json!({"content": [], "isError": true})),
                Status::ToolError,
                1,
            ),
            (result(json!({"content": 3})), Status::Error, 3),
            (lost(), Status::Error, 4),
            (End::Failed(Failure::Interrupted), Status::Cancelled, 130),
            (End::Skipped(Reason::Stopped), Status::Skipped, 0),
        ] {
            assert_eq!((end.status(), end.code()), (status, code), "{end:?}");
        }
        assert!(lost().is_worth_another(&[RetryOn::Busy, RetryOn::Lost]));
        assert!(!lost().is_worth_another(&[RetryOn::Error]));
        let failed = result(json!({"content": [], "isError": true}));
        assert!(failed.is_worth_another(&[RetryOn::ToolError]));
        assert!(!result(json!({"content": []})).is_worth_another(&[RetryOn::ToolError]));
        assert!(
            !End::Failed(Failure::Interrupted).is_worth_another(&[RetryOn::Error, RetryOn::Lost])
        );
    }
}
