//! Owns the server as its users build and steer it. Must not know how a connection works.

use crate::testing::backstage::Backstage;
use crate::testing::config::{Config, Eras, Handler, Probe, Shelf};
use crate::testing::frame;
use crate::testing::http::hosting::HttpHosting;
use crate::testing::http::hub::Hub;
use crate::testing::log::Log;
use crate::testing::request::Request;
use crate::testing::script::Script;
use crate::testing::serve::serve;
use crate::testing::session::Session;
use crate::testing::stage::Stage;
use crate::testing::stdio;
use crate::testing::tasks::hosting::TaskHosting;
use serde_json::{Value, json};
use std::io;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// An MCP server that plays a [`Script`] for each request, to test progress code against.
///
/// Building methods consume the server and return it; its clones are cheap, share one [`Log`] and steer the same
/// connections. One server may serve many connections, at the same time or one after the other.
///
/// What it answers by itself: `server/discover` and `subscriptions/listen` (2026-07-28), `initialize`, `ping`,
/// `logging/setLevel`, `resources/subscribe` and `resources/unsubscribe` (the handshake revisions), the lists of what
/// is registered, requests about [tasks](Self::tasks), and errors for what is not. [`method`](Self::method) replaces any of it.
///
/// ```
/// use mcp_progress::testing::{Script, ScriptedServer};
/// use std::time::Duration;
///
/// let server = ScriptedServer::new()
///     .tool("count", |_request| Script::new().every(Duration::from_millis(100), 5).text("done"))
///     .tool("stuck", |_request| Script::new().progress(1, 5).silence())
///     .method("vendor/reindex", |request| {
///         let files = request.params()["files"].as_u64().unwrap_or(10);
///         Script::new().flood(files)
///     });
/// # let _ = server;
/// ```
#[derive(Clone, Debug)]
#[must_use = "a server does nothing until it serves a connection"]
pub struct ScriptedServer {
    config: Arc<Config>,
    log: Log,
    backstage: Arc<Backstage>,
    sessions: Arc<Mutex<Vec<Weak<Session>>>>,
    hub: Arc<Hub>,
}

impl Default for ScriptedServer {
    fn default() -> Self {
        Self::new()
    }
}

/// Building: what is registered.
impl ScriptedServer {
    /// A server of both eras that offers nothing yet.
    pub fn new() -> Self {
        let (backstage, hub) = (Arc::<Backstage>::default(), Arc::<Hub>::default());
        let audience: Weak<Hub> = Arc::downgrade(&hub);
        backstage.ledger.tell_also(audience);
        Self {
            config: Arc::default(),
            log: Log::new(),
            backstage,
            sessions: Arc::default(),
            hub,
        }
    }

    /// Registers a tool that takes any object. A tool of the same name is replaced.
    pub fn tool<F>(self, name: &str, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        self.tool_with(json!({"name": name}), script)
    }

    /// Registers a tool with what `tools/list` says about it. It goes by the `name` in there; a missing `inputSchema`
    /// is filled in as any object.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use serde_json::json;
    ///
    /// let server = ScriptedServer::new().tool_with(
    ///     json!({"name": "index", "description": "Indexes the files", "annotations": {"idempotentHint": true}}),
    ///     |_request| Script::new().progress(1, 1).text("indexed"),
    /// );
    /// # let _ = server;
    /// ```
    pub fn tool_with<F>(self, mut definition: Value, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        if let Some(fields) = definition.as_object_mut() {
            fields
                .entry("inputSchema")
                .or_insert_with(|| json!({"type": "object"}));
        }
        self.put(|config| &mut config.tools, "name", definition, script)
    }

    /// Registers a resource. Its script answers with a `ReadResourceResult`.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use serde_json::json;
    ///
    /// let server = ScriptedServer::new().resource("file:///big", |_request| {
    ///     Script::new()
    ///         .progress(1, 2)
    ///         .result(json!({"contents": [{"uri": "file:///big", "text": "much text"}]}))
    /// });
    /// # let _ = server;
    /// ```
    pub fn resource<F>(self, uri: &str, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        self.resource_with(json!({"uri": uri, "name": uri}), script)
    }

    /// Registers a resource with what `resources/list` says about it. It goes by the `uri` in there.
    pub fn resource_with<F>(self, definition: Value, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        self.put(|config| &mut config.resources, "uri", definition, script)
    }

    /// Registers a template of resources. It serves each address that begins like the template up to its first `{`
    /// and is no resource of its own.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use serde_json::json;
    ///
    /// let server = ScriptedServer::new().resource_template("log:///{day}", |request| {
    ///     Script::new().result(json!({"contents": [{"uri": request.uri(), "text": "quiet"}]}))
    /// });
    /// # let _ = server;
    /// ```
    pub fn resource_template<F>(self, template: &str, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        let definition = json!({"uriTemplate": template, "name": template});
        self.put(
            |config| &mut config.templates,
            "uriTemplate",
            definition,
            script,
        )
    }

    /// Registers a prompt. Its script answers with a `GetPromptResult`.
    pub fn prompt<F>(self, name: &str, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        self.prompt_with(json!({"name": name}), script)
    }

    /// Registers a prompt with what `prompts/list` says about it. It goes by the `name` in there.
    pub fn prompt_with<F>(self, definition: Value, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        self.put(|config| &mut config.prompts, "name", definition, script)
    }

    /// Registers a method: one of your own, or one of the protocol's, which it then replaces.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use serde_json::json;
    ///
    /// let slow_lists = ScriptedServer::new()
    ///     .method("tools/list", |_request| Script::new().progress(1, 2).result(json!({"tools": []})));
    /// # let _ = slow_lists;
    /// ```
    pub fn method<F>(mut self, method: &str, script: F) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        let methods = &mut self.change().methods;
        methods.put(method.to_owned(), Value::Null, Arc::new(script));
        self
    }

    /// Answers `completion/complete` with those of the values that begin with what was typed.
    pub fn completion<V: Into<String>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.change().completion = Some(values.into_iter().map(Into::into).collect());
        self
    }

    fn put<F>(
        mut self,
        shelf: fn(&mut Config) -> &mut Shelf,
        key: &str,
        definition: Value,
        script: F,
    ) -> Self
    where
        F: Fn(&Request) -> Script + Send + Sync + 'static,
    {
        let key = definition[key].as_str().unwrap_or_default().to_owned();
        let handler: Handler = Arc::new(script);
        shelf(self.change()).put(key, definition, handler);
        self
    }

    /// The configuration, copied first if a clone of this server uses it too.
    fn change(&mut self) -> &mut Config {
        Arc::make_mut(&mut self.config)
    }
}

/// Building: how the protocol is spoken.
impl ScriptedServer {
    /// Sets the eras that the server speaks. Default: both.
    pub fn eras(mut self, eras: Eras) -> Self {
        self.change().eras = eras;
        self
    }

    /// Adds a capability to those that follow from what is registered, or replaces one.
    pub fn capability(mut self, name: &str, value: Value) -> Self {
        self.change().capabilities.insert(name.to_owned(), value);
        self
    }

    /// Cuts lists into pages of at most `n` entries; 0 counts as 1. Default: one page.
    pub fn page_size(mut self, n: usize) -> Self {
        self.change().page_size = Some(n.max(1));
        self
    }

    /// Hosts tasks: scripts can [become](Script::become_task) one.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer, TaskHosting};
    ///
    /// let server = ScriptedServer::new()
    ///     .tasks(TaskHosting::new())
    ///     .tool("job", |_request| Script::new().become_task().status("at work").text("done"));
    /// # let _ = server;
    /// ```
    pub fn tasks(mut self, hosting: TaskHosting) -> Self {
        self.change().tasks = Some(hosting);
        self
    }

    /// Never answers `server/discover`, like some old servers. Everything else is served.
    pub fn discover_silence(mut self) -> Self {
        self.change().probe = Probe::Ignored;
        self
    }

    /// Answers `server/discover` only after this time.
    pub fn discover_delay(mut self, time: Duration) -> Self {
        self.change().probe = Probe::Delayed(time);
        self
    }

    /// Closes the connection on `server/discover` without a word, like some old servers. The next connection is
    /// served in the same way.
    pub fn exit_on_probe(mut self) -> Self {
        self.change().probe = Probe::Deadly;
        self
    }
}

/// Serving and steering.
impl ScriptedServer {
    /// Serves one connection: one JSON-RPC message a line, in both directions.
    ///
    /// It ends when the reader ends, when the peer no longer takes what is written, when a script
    /// [crashes](Script::crash), or by [`disconnect`](Self::disconnect). Running scripts stop then; what they had
    /// written goes out first, unless the peer takes longer than one second to read it. No task is started: whoever
    /// awaits this future runs the server.
    ///
    /// # Panics
    ///
    /// When the closure of a script panics, and in a tokio runtime without time when a script needs it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection; a message may be written in part.
    pub async fn serve(&self, reader: impl AsyncRead, writer: impl AsyncWrite) {
        let open = |session: &Arc<Session>| {
            let audience: Weak<Session> = Arc::downgrade(session);
            self.backstage.ledger.tell_also(audience);
            let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
            sessions.retain(|other| other.strong_count() > 0);
            sessions.push(Arc::downgrade(session));
        };
        serve(
            Arc::clone(&self.config),
            self.log.clone(),
            Arc::clone(&self.backstage),
            reader,
            writer,
            open,
        )
        .await;
    }

    /// Serves one connection over the standard input and output of this process, for a program that a client starts.
    ///
    /// Reading and writing happen in two threads. The reading one lives on in a read that cannot be interrupted, also
    /// when this returns before the input ends; it does not keep the process alive.
    ///
    /// # Errors
    ///
    /// When a thread cannot be started.
    ///
    /// # Panics
    ///
    /// Like [`serve`](Self::serve).
    pub async fn serve_stdio(&self) -> io::Result<()> {
        let reader = stdio::reader(io::stdin())?;
        let writer = stdio::writer(io::stdout())?;
        self.serve(reader, writer).await;
        Ok(())
    }

    /// Puts the server on HTTP.
    pub fn http(&self) -> HttpHosting {
        HttpHosting::new(
            Arc::clone(&self.config),
            self.log.clone(),
            Arc::clone(&self.backstage),
            Arc::clone(&self.hub),
        )
    }

    /// What the server received so far, and will receive.
    #[must_use]
    pub fn log(&self) -> Log {
        self.log.clone()
    }

    /// Sends a notification that belongs to no request on every open connection. With `Value::Null` as parameters it
    /// has none. Over HTTP it goes to the GET stream of each session, and waits there until one is open; 2026-07-28
    /// has no place for it.
    pub fn notify(&self, method: &str, params: &Value) {
        self.hub.notify(method, params);
        for session in self.open_sessions() {
            session.notify(method, params);
        }
    }

    /// Sends a request that belongs to no call on every open connection, and waits for the first response: the whole
    /// object with `result` or `error`. Over HTTP it goes where [`notify`](Self::notify) goes, too. 2026-07-28 has no
    /// place for it.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future forgets the question without telling the client.
    ///
    /// ```
    /// use mcp_progress::testing::ScriptedServer;
    /// use serde_json::Value;
    ///
    /// # async fn example(server: ScriptedServer) {
    /// let response = server.request("roots/list", &Value::Null).await;
    /// assert!(response["result"]["roots"].is_array());
    /// # }
    /// ```
    pub async fn request(&self, method: &str, params: &Value) -> Value {
        let mut question = self.backstage.desk.open();
        let bytes = frame::request(question.id(), method, params);
        self.hub.write(&bytes);
        for session in self.open_sessions() {
            session.write(bytes.clone());
        }
        question.answer_within(None).await
    }

    /// Sends a notification on each open subscription (`subscriptions/listen`, 2026-07-28) whose filter wants it, with
    /// the subscription's id in `_meta`. Returns how many that were. Methods that the specification does not tie to a
    /// filter go to all.
    ///
    /// ```
    /// use mcp_progress::testing::ScriptedServer;
    /// use serde_json::json;
    ///
    /// let server = ScriptedServer::new();
    /// let told = server.notify_subscribers("notifications/resources/updated", &json!({"uri": "file:///big"}));
    /// assert_eq!(told, 0); // nobody is connected yet
    /// ```
    pub fn notify_subscribers(&self, method: &str, params: &Value) -> usize {
        let sessions = self.open_sessions();
        let told: usize = sessions
            .iter()
            .map(|session| session.notify_subscribers(method, params))
            .sum();
        told + self.hub.notify_subscribers(method, params)
    }

    /// Ends all open subscriptions in good order, each with its result.
    pub fn close_subscriptions(&self) {
        self.hub.close_subscriptions();
        for session in self.open_sessions() {
            session.close_subscriptions();
        }
    }

    /// Ends all open subscriptions by `notifications/cancelled`, which a server may do on byte streams, and over HTTP by
    /// closing their streams.
    pub fn cancel_subscriptions(&self) {
        self.hub.cancel_subscriptions();
        for session in self.open_sessions() {
            session.cancel_subscriptions();
        }
    }

    /// Closes all open connections once what was written has gone out, or after a second; those of HTTP at once.
    /// Requests that come later on a new connection are served, and the sessions of HTTP with their scripts go on.
    pub fn disconnect(&self) {
        self.hub.break_off();
        for session in self.open_sessions() {
            session.close();
        }
    }

    /// Forgets all sessions of HTTP: the next request of each is answered with 404. What runs in them goes on to its end.
    pub fn expire_sessions(&self) {
        self.hub.expire();
    }

    /// Forgets all tasks: who asks for one is told that it is unknown. What runs goes on to its end.
    pub fn forget_tasks(&self) {
        self.backstage.ledger.forget_all();
    }

    fn open_sessions(&self) -> Vec<Arc<Session>> {
        let sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.iter().filter_map(Weak::upgrade).collect()
    }
}
