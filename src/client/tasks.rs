//! The requests about tasks.
//!
//! Owns names and params. It must not know how a call watches its task.

use serde_json::{Value, json};

use super::handle::Client;
use super::pages::Pages;
use super::request::Request;
use crate::model::CallToolResult;
use crate::model::task::{ListTasksResult, Task, TaskHandle};

impl Client {
    /// Takes up a task where another call left it: one of this process, or of one that crashed. The result is that of the
    /// tool. Options and handlers are those of any request; its updates carry the same token.
    ///
    /// The task must have been created in the revision that this connection speaks; over HTTP with handshake sessions, many
    /// servers know it only in the session that created it. [`Connect::resuming`](crate::Connect::resuming) sees to both.
    ///
    /// ```no_run
    /// # async fn example(saved: &str) -> Result<(), Box<dyn std::error::Error>> {
    /// use mcp_progress::{Client, model::TaskHandle};
    ///
    /// let handle: TaskHandle = serde_json::from_str(saved)?;
    /// let client = Client::http("https://example.com/mcp").resuming(&handle).await?;
    /// let result = client.resume_task(&handle).on_progress(|update| tracing::info!(%update)).await?;
    /// # let _ = result; Ok(()) }
    /// ```
    pub fn resume_task(&self, handle: &TaskHandle) -> Request<CallToolResult> {
        Request::resuming(self, handle.clone())
    }

    /// `tasks/get`: what a task is doing. Revision 2025-11-25, and the extension of 2026-07-28.
    pub fn get_task(&self, id: impl AsRef<str>) -> Request<Task> {
        Request::new(self, "tasks/get", &json!({ "taskId": id.as_ref() })).without_progress()
    }

    /// `tasks/cancel`: asks the server to stop a task. Revision 2025-11-25, whose servers answer with the task, and the
    /// extension of 2026-07-28, whose servers only say that they heard it.
    pub fn cancel_task(&self, id: impl AsRef<str>) -> Request<Value> {
        Request::new(self, "tasks/cancel", &json!({ "taskId": id.as_ref() })).without_progress()
    }

    /// `tasks/list`: the first page of the tasks that the server lets this client see. Revision 2025-11-25 only. See
    /// [`tasks`](Self::tasks) for all.
    pub fn list_tasks(&self) -> Request<ListTasksResult> {
        Request::new(self, "tasks/list", &Value::Null).without_progress()
    }

    /// All tasks, page by page as they are read. Revision 2025-11-25 only.
    pub fn tasks(&self) -> Pages<ListTasksResult> {
        Pages::new(self, "tasks/list")
    }
}
