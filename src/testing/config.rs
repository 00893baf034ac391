//! Owns what a server was told to be: eras, tools, resources, prompts, methods, oddities. Must not know connections.

use crate::testing::request::Request;
use crate::testing::script::Script;
use crate::testing::tasks::hosting::{EXTENSION, TaskHosting};
use serde_json::{Map, Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The one modern revision that the server speaks.
pub(crate) const MODERN: &str = "2026-07-28";
/// The revisions that open with a handshake, newest first.
pub(crate) const HANDSHAKE: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// Which eras of MCP a [`ScriptedServer`] speaks.
///
/// ```
/// use mcp_progress::testing::{Eras, ScriptedServer};
///
/// let old_server = ScriptedServer::new().eras(Eras::Handshake);
/// # let _ = old_server;
/// ```
///
/// [`ScriptedServer`]: crate::testing::ScriptedServer
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Eras {
    /// Both: the client's opening decides. The default.
    #[default]
    Both,
    /// Only 2026-07-28. `initialize` is refused with -32022, which names the revision.
    Modern,
    /// Only the revisions that open with `initialize`. `server/discover` is an unknown method.
    Handshake,
}

/// What writes the script for a request.
pub(crate) type Handler = Arc<dyn Fn(&Request) -> Script + Send + Sync>;

/// How `server/discover` is treated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Probe {
    #[default]
    Answered,
    Delayed(Duration),
    Ignored,
    Deadly,
}

/// Something registered: what lists say about it, and who writes its scripts.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) definition: Value,
    pub(crate) handler: Handler,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)
    }
}

/// Things of one kind in the order they were registered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shelf {
    entries: Vec<Entry>,
}

impl Shelf {
    /// Puts an entry in, in the place of an earlier one with the same key.
    pub(crate) fn put(&mut self, key: String, definition: Value, handler: Handler) {
        let entry = Entry {
            key,
            definition,
            handler,
        };
        match self.entries.iter_mut().find(|old| old.key == entry.key) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Handler> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.handler)
    }

    /// What lists say about an entry.
    pub(crate) fn definition(&self, key: &str) -> Option<&Value> {
        let entry = self.entries.iter().find(|entry| entry.key == key)?;
        Some(&entry.definition)
    }

    /// The handler of the first URI template whose literal beginning `uri` shares.
    pub(crate) fn matching(&self, uri: &str) -> Option<&Handler> {
        let entry = self.entries.iter().find(|entry| {
            let literal = entry.key.split('{').next().unwrap_or_default();
            uri.starts_with(literal)
        })?;
        Some(&entry.handler)
    }

    pub(crate) fn definitions(&self) -> Vec<Value> {
        self.entries
            .iter()
            .map(|entry| entry.definition.clone())
            .collect()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Everything a server was told to be.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    pub(crate) eras: Eras,
    pub(crate) tools: Shelf,
    pub(crate) resources: Shelf,
    pub(crate) templates: Shelf,
    pub(crate) prompts: Shelf,
    pub(crate) methods: Shelf,
    pub(crate) completion: Option<Vec<String>>,
    pub(crate) capabilities: Map<String, Value>,
    pub(crate) page_size: Option<usize>,
    pub(crate) probe: Probe,
    pub(crate) tasks: Option<TaskHosting>,
}

impl Config {
    /// Whether `request` is served under the rules of 2026-07-28.
    pub(crate) fn is_modern(&self, request: &Request) -> bool {
        match self.eras {
            Eras::Both => request.protocol_version().is_some(),
            Eras::Modern => true,
            Eras::Handshake => false,
        }
    }

    /// What the server says it can do: what is registered, and what it was told to say.
    /// It says so in this revision.
    pub(crate) fn capabilities(&self, revision: &str) -> Value {
        let mut all = Map::new();
        all.insert("logging".to_owned(), json!({}));
        if !self.tools.is_empty() {
            all.insert("tools".to_owned(), json!({"listChanged": true}));
        }
        if !self.resources.is_empty() || !self.templates.is_empty() {
            all.insert(
                "resources".to_owned(),
                json!({"listChanged": true, "subscribe": true}),
            );
        }
        if !self.prompts.is_empty() {
            all.insert("prompts".to_owned(), json!({"listChanged": true}));
        }
        // 2024-11-05 has no such capability yet; clients of that revision pass over it.
        if self.completion.is_some() {
            all.insert("completions".to_owned(), json!({}));
        }
        match &self.tasks {
            Some(_) if revision == MODERN => {
                all.insert("extensions".to_owned(), json!({EXTENSION: {}}));
            }
            // Older revisions have no tasks.
            Some(hosting) if revision == HANDSHAKE[0] => {
                all.insert("tasks".to_owned(), hosting.capability());
            }
            _ => {}
        }
        all.extend(self.capabilities.clone());
        Value::Object(all)
    }
}
