//! The state of a task as one answer or notification tells it.
//!
//! Owns the reading of both forms. It must not know when it is asked for.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::model::input::InputRequest;
use crate::model::status::TaskStatus;
use crate::model::task::duration;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskState {
    pub(super) task_id: String,
    pub(super) status: TaskStatus,
    #[serde(default)]
    pub(super) status_message: Option<String>,
    #[serde(default)]
    last_updated_at: Option<String>,
    #[serde(default, alias = "ttl")]
    ttl_ms: Option<f64>,
    #[serde(default, alias = "pollInterval")]
    poll_interval_ms: Option<f64>,
    /// What the server asks; the extension only.
    #[serde(default)]
    pub(super) input_requests: Option<BTreeMap<String, InputRequest>>,
    /// With the status `completed`; the extension only.
    #[serde(default)]
    pub(super) result: Option<Box<RawValue>>,
    /// With the status `failed`; the extension only.
    #[serde(default)]
    pub(super) error: Option<Box<RawValue>>,
}

impl TaskState {
    pub(super) fn of(raw: &str) -> Result<Self> {
        serde_json::from_str(raw).map_err(|error| {
            let text = format!("the state of the task cannot be read: {error}");
            Error::new(ErrorKind::Protocol, text)
        })
    }

    /// For how long from its creation the server keeps it.
    pub(super) fn ttl(&self) -> Option<Duration> {
        duration(self.ttl_ms)
    }

    pub(super) fn poll_interval(&self) -> Option<Duration> {
        duration(self.poll_interval_ms)
    }

    /// Whether this was true before `other` was: an answer may be overtaken by a notification. Times that are not
    /// written alike are not compared.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        match (&self.last_updated_at, &other.last_updated_at) {
            (Some(this), Some(other)) => this.len() == other.len() && this < other,
            _ => false,
        }
    }

    /// Whether it says nothing that `other` did not say.
    pub(super) fn tells_as_much_as(&self, other: &Self) -> bool {
        self.status == other.status && self.status_message == other.status_message
    }
}
