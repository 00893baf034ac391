//! The status of a task.
//!
//! Owns its five words. It must not know how a task is asked for its status.

use serde::{Deserialize, Serialize};

/// What a task is doing. Extension `io.modelcontextprotocol/tasks` of revision 2026-07-28, "Task Status"; revision
/// 2025-11-25, "Tasks", "Task Status".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TaskStatus {
    /// It is being worked on.
    Working,
    /// The server waits for an answer of the client.
    InputRequired,
    /// It has its result.
    Completed,
    /// It ended with an error.
    Failed,
    /// It was cancelled.
    Cancelled,
    /// A word that no revision knows: taken as still at work.
    #[serde(other)]
    Unknown,
}

impl TaskStatus {
    /// Whether nothing more will happen to the task.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// The word as it stands on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Unknown => "unknown",
        }
    }
}

impl std::fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}
