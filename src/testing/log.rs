//! Owns the record of what the server received. Must not know how it answers.

use crate::testing::http_request::HttpRequest;
use crate::testing::request::Request;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// One message that the server received.
///
/// ```
/// use mcp_progress::testing::ScriptedServer;
///
/// # let server = ScriptedServer::new();
/// for message in server.log().messages() {
///     assert!(message.method() != Some("ping"), "unexpected {message:?}");
/// }
/// ```
#[derive(Clone)]
pub struct Received {
    connection: usize,
    raw: Arc<[u8]>,
    value: Value,
    http: Option<Arc<HttpRequest>>,
}

impl Received {
    /// The connection it came on: 0 for the first one that the server served, 1 for the second.
    pub fn connection(&self) -> usize {
        self.connection
    }

    /// The line as it was read, without its line end, or the body of the HTTP request. The messages of a batch share it.
    pub fn raw(&self) -> &[u8] {
        &self.raw
    }

    /// The message; `null` where the line is not JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The method; none in a response.
    pub fn method(&self) -> Option<&str> {
        self.value["method"].as_str()
    }

    /// The id with its exact JSON type; none in a notification.
    pub fn id(&self) -> Option<&Value> {
        self.value.get("id")
    }

    /// The parameters; `null` where there are none.
    pub fn params(&self) -> &Value {
        &self.value["params"]
    }

    /// The HTTP request that it came in; none over a byte stream.
    pub fn http(&self) -> Option<&HttpRequest> {
        self.http.as_deref()
    }
}

impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "#{} {}",
            self.connection,
            String::from_utf8_lossy(&self.raw)
        )
    }
}

#[derive(Debug, Default)]
struct Entries {
    messages: Vec<Received>,
    http: Vec<Arc<HttpRequest>>,
    stopped: Vec<Value>,
    executions: Vec<String>,
    tasks: Vec<String>,
    stopped_tasks: Vec<String>,
    connections: usize,
}

/// What a [`ScriptedServer`] received, over all its connections, growing while the server runs.
///
/// A log is a cheap handle: its clones show the same record. The record is never cut, so a server that runs for
/// days should be a real one.
///
/// ```
/// use mcp_progress::testing::{Script, ScriptedServer};
/// use tokio::io::AsyncWriteExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let server = ScriptedServer::new().tool("slow", |_request| Script::new().silence());
/// let log = server.log();
/// let (mut ours, theirs) = tokio::io::duplex(1024);
/// let (reader, writer) = tokio::io::split(theirs);
/// tokio::spawn(async move { server.serve(reader, writer).await });
///
/// ours.write_all(b"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"tools/call\",\"params\":{\"name\":\"slow\"}}\n").await?;
/// log.wait_for(|log| !log.requests("tools/call").is_empty()).await;
/// ours.write_all(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":7}}\n").await?;
/// log.wait_for(|log| log.stopped() == [7]).await;
/// assert_eq!(log.cancelled(), [7]);
/// # Ok(())
/// # }
/// ```
///
/// [`ScriptedServer`]: crate::testing::ScriptedServer
#[derive(Clone, Debug)]
pub struct Log {
    entries: Arc<Mutex<Entries>>,
    changes: watch::Sender<()>,
}

impl Log {
    pub(crate) fn new() -> Self {
        Self {
            entries: Arc::default(),
            changes: watch::Sender::new(()),
        }
    }

    /// Every message in the order of arrival, also what is not JSON, and over HTTP what was refused. Blank lines are
    /// left out.
    pub fn messages(&self) -> Vec<Received> {
        self.lock().messages.clone()
    }

    /// The requests with this method.
    pub fn requests(&self, method: &str) -> Vec<Received> {
        self.matching(|message| message.method() == Some(method) && message.id().is_some())
    }

    /// The notifications with this method.
    pub fn notifications(&self, method: &str) -> Vec<Received> {
        self.matching(|message| message.method() == Some(method) && message.id().is_none())
    }

    /// Every HTTP request in the order in which they were answered or begun to be, also those without a message.
    pub fn http_requests(&self) -> Vec<HttpRequest> {
        let entries = self.lock();
        entries.http.iter().map(|one| (**one).clone()).collect()
    }

    /// The ids named by `notifications/cancelled`, in order, whether or not such a request was running.
    pub fn cancelled(&self) -> Vec<Value> {
        let cancels = self.notifications("notifications/cancelled");
        cancels
            .iter()
            .map(|message| message.params()["requestId"].clone())
            .collect()
    }

    /// The ids of the requests that a cancellation reached in time: their script was still running and was stopped,
    /// or went on behind its [`until_cancelled`]; or they were open subscriptions. Over HTTP in 2026-07-28, closing
    /// the stream of the response is that cancellation.
    ///
    /// [`until_cancelled`]: crate::testing::Script::until_cancelled
    pub fn stopped(&self) -> Vec<Value> {
        self.lock().stopped.clone()
    }

    /// How often the work of this tool, prompt or resource was begun, or that of a method which has none of these. A
    /// retry that goes on behind a question is no new beginning, and neither is a task.
    ///
    /// ```
    /// use mcp_progress::testing::ScriptedServer;
    ///
    /// assert_eq!(ScriptedServer::demo().log().executions("count"), 0);
    /// ```
    pub fn executions(&self, name: &str) -> usize {
        let entries = self.lock();
        let begun = entries.executions.iter().filter(|begun| *begun == name);
        begun.count()
    }

    /// The ids of all tasks that were created, in order.
    pub fn tasks(&self) -> Vec<String> {
        self.lock().tasks.clone()
    }

    /// The ids of the tasks that `tasks/cancel` reached in time: their work was stopped, or went on behind its
    /// [`until_cancelled`].
    ///
    /// [`until_cancelled`]: crate::testing::Script::until_cancelled
    pub fn stopped_tasks(&self) -> Vec<String> {
        self.lock().stopped_tasks.clone()
    }

    /// How many connections the server has begun to serve.
    pub fn connections(&self) -> usize {
        self.lock().connections
    }

    /// Waits until `condition` holds. It is looked at once at the start and again after each change of the log.
    /// There is no time limit; put one around it where the condition may never hold.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn wait_for(&self, mut condition: impl FnMut(&Self) -> bool) {
        // Subscribed before looking: a change between the look and the wait then ends the wait.
        let mut changes = self.changes.subscribe();
        while !condition(self) {
            if changes.changed().await.is_err() {
                return; // Not reached: `self` owns the sender.
            }
        }
    }

    /// Notes a new connection and returns its number.
    pub(crate) fn connected(&self) -> usize {
        let mut entries = self.lock();
        let number = entries.connections;
        entries.connections += 1;
        drop(entries);
        self.changes.send_replace(());
        number
    }

    pub(crate) fn received(&self, connection: usize, raw: Arc<[u8]>, value: Value) {
        self.lock().messages.push(Received {
            connection,
            raw,
            value,
            http: None,
        });
        self.changes.send_replace(());
    }

    /// Notes an HTTP request and the messages in its body.
    pub(crate) fn http(&self, request: HttpRequest, raw: &[u8], messages: Vec<Value>) {
        let (request, raw) = (Arc::new(request), Arc::<[u8]>::from(raw));
        let mut entries = self.lock();
        entries.http.push(Arc::clone(&request));
        entries
            .messages
            .extend(messages.into_iter().map(|value| Received {
                connection: request.connection,
                raw: Arc::clone(&raw),
                value,
                http: Some(Arc::clone(&request)),
            }));
        drop(entries);
        self.changes.send_replace(());
    }

    pub(crate) fn began(&self, request: &Request) {
        let name = match request.method() {
            "tools/call" | "prompts/get" => request.name(),
            "resources/read" => request.uri(),
            method => Some(method),
        };
        self.lock()
            .executions
            .push(name.unwrap_or_default().to_owned());
        self.changes.send_replace(());
    }

    pub(crate) fn became(&self, task: &str) {
        self.lock().tasks.push(task.to_owned());
        self.changes.send_replace(());
    }

    pub(crate) fn stop_task(&self, task: &str) {
        self.lock().stopped_tasks.push(task.to_owned());
        self.changes.send_replace(());
    }

    pub(crate) fn stop(&self, id: Value) {
        self.lock().stopped.push(id);
        self.changes.send_replace(());
    }

    fn matching(&self, keep: impl Fn(&Received) -> bool) -> Vec<Received> {
        self.lock()
            .messages
            .iter()
            .filter(|message| keep(message))
            .cloned()
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        // Nothing in here can panic half-way through a change, so a poisoned record is still whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
