//! Which tools run as tasks (revision 2025-11-25, "Tool-Level Negotiation").
//!
//! Owns what the lists of tools said of it. It must not know calls.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::sync::Mutex;

/// Of so many tools it is remembered.
const TOOLS: usize = 4096;

/// Whether a tool runs as a task: `execution.taskSupport`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    Forbidden,
    Optional,
    Required,
}

/// The tools that were listed on a connection.
#[derive(Debug, Default)]
pub(crate) struct TaskTools(Mutex<HashMap<Box<str>, TaskSupport>>);

#[derive(Deserialize)]
struct List {
    tools: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    name: Box<str>,
    #[serde(default)]
    execution: Option<Execution>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Execution {
    #[serde(default)]
    task_support: Option<String>,
}

impl TaskTools {
    /// What was said of a tool; nothing where it was not listed.
    pub(crate) fn get(&self, tool: &str) -> Option<TaskSupport> {
        self.0.lock().get(tool).copied()
    }

    /// Takes in the result of `tools/list`.
    pub(super) fn note(&self, raw: &RawValue) {
        let Ok(list) = serde_json::from_str::<List>(raw.get()) else {
            return;
        };
        let mut known = self.0.lock();
        for tool in list.tools {
            let support = tool.execution.and_then(|execution| execution.task_support);
            let support = match support.as_deref() {
                Some("required") => TaskSupport::Required,
                Some("optional") => TaskSupport::Optional,
                _ => TaskSupport::Forbidden,
            };
            // A server cannot make this grow without end.
            if known.len() < TOOLS || known.contains_key(&tool.name) {
                known.insert(tool.name, support);
            }
        }
    }
}
