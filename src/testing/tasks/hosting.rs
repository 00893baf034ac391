//! Owns how a server hosts tasks, as its users say it. Must not know any task.

use serde_json::{Value, json};
use std::collections::HashMap;
use std::time::Duration;

/// The identifier of the extension of 2026-07-28.
pub(crate) const EXTENSION: &str = "io.modelcontextprotocol/tasks";

/// Whether a tool may be called as a task (2025-11-25 `ToolExecution.taskSupport`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Support {
    Optional,
    Required,
    Forbidden,
}

/// How a [`ScriptedServer`] hosts tasks, for [`ScriptedServer::tasks`].
///
/// In 2026-07-28 the server declares the extension `io.modelcontextprotocol/tasks`, and a call becomes a task where its
/// script says [`become_task`](crate::testing::Script::become_task) and the request declares the extension, too. In
/// 2025-11-25 it declares `capabilities.tasks`, and a call becomes a task where the request has the `task` field: at
/// that step, or at once where its script has none. Otherwise the step does nothing, and the call ends like any other.
///
/// A task belongs to the server and not to the connection that it began on. It runs while the server serves any
/// connection, and can be asked for on each.
///
/// ```
/// use mcp_progress::testing::{Script, ScriptedServer, TaskHosting};
/// use serde_json::json;
/// use std::time::Duration;
///
/// let hosting = TaskHosting::new().poll_interval(Duration::from_millis(200)).ttl(Duration::from_secs(60));
/// let server = ScriptedServer::new().tasks(hosting).tool("job", |_request| {
///     Script::new()
///         .become_task()
///         .status("warming up")
///         .wait(Duration::from_secs(1))
///         .ask("sure", "elicitation/create", json!({"message": "Sure?", "requestedSchema": {"type": "object"}}))
///         .status("working hard")
///         .text("done")
/// });
/// # let _ = server;
/// ```
///
/// [`ScriptedServer`]: crate::testing::ScriptedServer
/// [`ScriptedServer::tasks`]: crate::testing::ScriptedServer::tasks
#[derive(Clone, Debug, Default)]
#[must_use = "it is given to a server"]
pub struct TaskHosting {
    pub(crate) poll_interval: Option<Duration>,
    /// None: as the request wants it.
    pub(crate) ttl: Option<Option<Duration>>,
    pub(crate) notifications: Option<bool>,
    no_cancel: bool,
    no_list: bool,
    others_forbidden: bool,
    support: HashMap<String, Support>,
}

impl TaskHosting {
    /// Tasks without a poll interval, kept as long as the request wants; in 2026-07-28 for ever.
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells clients how long to wait between two questions for the status, in whole milliseconds (`pollIntervalMs`;
    /// 2025-11-25: `pollInterval`). Nothing is done about those that ask more often. Default: not told.
    pub fn poll_interval(mut self, pause: Duration) -> Self {
        self.poll_interval = Some(pause);
        self
    }

    /// Keeps tasks for this time from their creation, or for ever with `None`; in whole milliseconds (`ttlMs`;
    /// 2025-11-25: `ttl`). When it has passed the task is unknown, also one that still runs. Default: what the request
    /// wants, else for ever.
    pub fn ttl(mut self, time: impl Into<Option<Duration>>) -> Self {
        self.ttl = Some(time.into());
        self
    }

    /// Whether the server tells of changes by itself: by `notifications/tasks` on the subscriptions whose filter names
    /// the task (2026-07-28), or by `notifications/tasks/status` (2025-11-25). Default: only the first.
    pub fn notifications(mut self, on: bool) -> Self {
        self.notifications = Some(on);
        self
    }

    /// The tool of this name can be called either way. All can that are not named here, unless those are
    /// [forbidden](Self::forbidden_others).
    pub fn optional(mut self, tool: impl Into<String>) -> Self {
        self.support.insert(tool.into(), Support::Optional);
        self
    }

    /// The tool of this name refuses to be called otherwise than as a task.
    pub fn required(mut self, tool: impl Into<String>) -> Self {
        self.support.insert(tool.into(), Support::Required);
        self
    }

    /// The tool of this name cannot be called as a task.
    pub fn forbidden(mut self, tool: impl Into<String>) -> Self {
        self.support.insert(tool.into(), Support::Forbidden);
        self
    }

    /// Tools that are not named here cannot be called as tasks.
    pub fn forbidden_others(mut self) -> Self {
        self.others_forbidden = true;
        self
    }

    /// Does not know `tasks/cancel`, which 2025-11-25 lets a server leave out.
    pub fn without_cancel(mut self) -> Self {
        self.no_cancel = true;
        self
    }

    /// Does not know `tasks/list`, which 2025-11-25 lets a server leave out.
    pub fn without_list(mut self) -> Self {
        self.no_list = true;
        self
    }

    pub(crate) fn support(&self, tool: &str) -> Support {
        let support = self.support.get(tool);
        support.copied().unwrap_or(if self.others_forbidden {
            Support::Forbidden
        } else {
            Support::Optional
        })
    }

    /// Whether changes are told in this form.
    pub(crate) fn notifies(&self, modern: bool) -> bool {
        self.notifications.unwrap_or(modern)
    }

    /// Whether the method is one that this server knows.
    pub(crate) fn knows(&self, method: &str, modern: bool) -> bool {
        match method {
            "tasks/get" => true,
            "tasks/update" => modern,
            "tasks/cancel" => modern || !self.no_cancel,
            "tasks/result" => !modern,
            "tasks/list" => !modern && !self.no_list,
            _ => false,
        }
    }

    /// `capabilities.tasks` of 2025-11-25.
    pub(crate) fn capability(&self) -> Value {
        let mut tasks = json!({"requests": {"tools": {"call": {}}}});
        if !self.no_cancel {
            tasks["cancel"] = json!({});
        }
        if !self.no_list {
            tasks["list"] = json!({});
        }
        tasks
    }

    /// Adds what 2025-11-25 says about tasks to the definition of a tool, unless it says so itself.
    pub(crate) fn define(&self, tool: &mut Value) {
        let name = tool["name"].as_str().unwrap_or_default();
        if self.others_forbidden && !self.support.contains_key(name) {
            return; // Nothing said means the same.
        }
        let support = match self.support(name) {
            Support::Optional => "optional",
            Support::Required => "required",
            Support::Forbidden => "forbidden",
        };
        if let Some(fields) = tool.as_object_mut() {
            let execution = fields.entry("execution").or_insert_with(|| json!({}));
            if execution["taskSupport"].is_null() {
                execution["taskSupport"] = json!(support);
            }
        }
    }
}
