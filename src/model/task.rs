//! A task: work that goes on at the server after the request was answered.
//!
//! Owns its state as the server tells it, in both forms, and the handle by which it is found again. It must not know how a
//! task is watched.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::pagination::Paginated;
use super::status::TaskStatus;
use super::token::ProgressToken;
use super::version::ProtocolVersion;

/// What the server tells of a task. Extension `io.modelcontextprotocol/tasks` of revision 2026-07-28; revision 2025-11-25,
/// "Tasks".
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Task {
    /// Its name at the server. Whoever knows it may be able to see the result.
    pub task_id: String,
    /// What it is doing.
    pub status: TaskStatus,
    /// The same in words for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_message: Option<String>,
    /// When it was created (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_at: Option<String>,
    /// When its state last changed (ISO 8601).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_updated_at: Option<String>,
    /// For how many milliseconds from its creation the server keeps it; without limit where absent.
    #[serde(default, alias = "ttl", skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<f64>,
    /// After how many milliseconds to ask again, where the server says so.
    #[serde(
        default,
        alias = "pollInterval",
        skip_serializing_if = "Option::is_none"
    )]
    pub poll_interval_ms: Option<f64>,
    /// All else: `result`, `error` or `inputRequests` of the extension, `_meta`, and fields that no revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A page of tasks. Revision 2025-11-25, "Listing Tasks".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListTasksResult {
    /// The tasks of this page.
    #[serde(default)]
    pub tasks: Vec<Task>,
    /// Where the next page begins; none on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Fields that no known revision names, and `_meta`.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Paginated for ListTasksResult {
    type Item = Task;

    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    fn into_items(self) -> Vec<Task> {
        self.tasks
    }
}

/// By which a task is found again: by this process, or by another one after a crash.
///
/// It serialises to a small JSON object. [`Client::resume_task`](crate::Client::resume_task) makes a call of it, over any
/// connection to the same server in the same revision. Keep it as you would keep a password: with many servers, whoever
/// knows the id of a task can see its result.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TaskHandle {
    /// The task's name at the server.
    pub task_id: String,
    /// The revision in which it was created, which says how it is asked for.
    pub protocol_version: ProtocolVersion,
    /// The progress token of the request that created it. In revision 2025-11-25 it is valid until the task is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress_token: Option<ProgressToken>,
    /// The HTTP session in which it was created, where there was one (`Mcp-Session-Id`): many servers know their tasks
    /// only there. It is a secret as the task's name is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// For how many milliseconds from its creation the server keeps it; without limit where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_ms: Option<u64>,
    /// After how many milliseconds to ask, where the server says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll_interval_ms: Option<u64>,
    /// When the handle was made, in milliseconds since 1970 by this machine's clock.
    pub noted_at_ms: u64,
}

impl TaskHandle {
    pub(crate) fn of(task: &Task, version: ProtocolVersion, token: Option<ProgressToken>) -> Self {
        Self {
            task_id: task.task_id.clone(),
            protocol_version: version,
            progress_token: token,
            session_id: None,
            ttl_ms: task.ttl().map(whole_milliseconds),
            poll_interval_ms: task.poll_interval().map(whole_milliseconds),
            noted_at_ms: since_1970(),
        }
    }

    /// How long ago the handle was made, by this machine's clock; nothing where that was set back since.
    pub(crate) fn age(&self) -> Duration {
        Duration::from_millis(since_1970().saturating_sub(self.noted_at_ms))
    }
}

/// Without what must stay secret.
impl fmt::Debug for TaskHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle")
            .field("protocol_version", &self.protocol_version)
            .field("progress_token", &self.progress_token)
            .field("noted_at_ms", &self.noted_at_ms)
            .finish_non_exhaustive()
    }
}

impl Task {
    /// A task of which nothing but the name is known.
    pub(crate) fn named(id: &str) -> Self {
        Self {
            task_id: id.to_owned(),
            status: TaskStatus::Unknown,
            status_message: None,
            created_at: None,
            last_updated_at: None,
            ttl_ms: None,
            poll_interval_ms: None,
            other: Map::new(),
        }
    }

    /// For how long from its creation the server keeps it; none for without limit.
    #[must_use]
    pub fn ttl(&self) -> Option<Duration> {
        duration(self.ttl_ms)
    }

    /// How long to wait before asking again, where the server says so.
    #[must_use]
    pub fn poll_interval(&self) -> Option<Duration> {
        duration(self.poll_interval_ms)
    }
}

/// A number of milliseconds as servers write it: not always whole, and not always sensible.
pub(crate) fn duration(milliseconds: Option<f64>) -> Option<Duration> {
    let milliseconds = milliseconds.filter(|milliseconds| *milliseconds >= 0.0)?;
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

fn whole_milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn since_1970() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, whole_milliseconds)
}
