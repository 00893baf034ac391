//! The state of a task as one answer or notification tells it.
//!
//! Owns the reading of both forms. It must not know when it is asked for.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::{Error, ErrorKind, Result};
use crate::model::input::InputRequest;
use crate::model::status::TaskStatus;
use crate::model::task::duration;

#[derive(Debug)]
pub(super) struct TaskState {
    /// Whose state it is, where that is said.
    task_id: Option<String>,
    pub(super) status: TaskStatus,
    pub(super) status_message: Option<String>,
    last_updated_at: Option<String>,
    ttl_ms: Option<f64>,
    poll_interval_ms: Option<f64>,
    /// What the server asks; the extension only.
    pub(super) input_requests: Option<BTreeMap<String, InputRequest>>,
    /// With the status `completed`; the extension, and servers of 2025-11-25 that have read it.
    pub(super) result: Option<Box<RawValue>>,
    /// With the status `failed`; the extension only.
    pub(super) error: Option<Box<RawValue>>,
}

/// The members of a state. Each is read for itself, so that one in a wrong form, or one that is there under the names of
/// both revisions, hides no other.
struct Members<'a>(HashMap<String, &'a RawValue>);

impl Members<'_> {
    fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    fn raw(&self, name: &str) -> Option<Box<RawValue>> {
        let raw = *self.0.get(name)?;
        (raw.get() != "null").then(|| raw.to_owned())
    }
}

impl TaskState {
    /// # Errors
    ///
    /// Fails where no status is said, or what the task waits for cannot be read.
    pub(super) fn of(raw: &str) -> Result<Self> {
        let members = serde_json::from_str(raw).map(Members).map_err(|error| {
            let text = format!("the state of the task cannot be read: {error}");
            Error::new(ErrorKind::Protocol, text)
        })?;
        let unreadable = |what: &str| {
            let text = format!("the state of the task cannot be read: it has no readable {what}");
            Error::new(ErrorKind::Protocol, text)
        };
        let status = members.get("status").ok_or_else(|| unreadable("status"))?;
        let input_requests = members.get("inputRequests");
        if status == TaskStatus::InputRequired
            && input_requests.is_none()
            && members.raw("inputRequests").is_some()
        {
            return Err(unreadable("inputRequests"));
        }
        Ok(Self {
            task_id: members.get("taskId"),
            status,
            status_message: members.get("statusMessage"),
            last_updated_at: members.get("lastUpdatedAt"),
            ttl_ms: members.get("ttlMs").or_else(|| members.get("ttl")),
            poll_interval_ms: members
                .get("pollIntervalMs")
                .or_else(|| members.get("pollInterval")),
            input_requests,
            result: members.raw("result"),
            error: members.raw("error"),
        })
    }

    /// Whether it says that it is the state of this task.
    pub(super) fn names(&self, task: &str) -> bool {
        self.task_id.as_deref() == Some(task)
    }

    /// The answer to a question for this task, which need not say so.
    ///
    /// # Errors
    ///
    /// Fails where it is the state of another task.
    pub(super) fn answering_for(self, task: &str) -> Result<Self> {
        if self.task_id.is_some() && !self.names(task) {
            let text = "the server was asked for a task, and tells the state of another task";
            return Err(Error::new(ErrorKind::Protocol, text));
        }
        Ok(self)
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
