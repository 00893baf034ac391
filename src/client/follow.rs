//! After which responses a call goes on, by revision and method.
//!
//! Owns when a call asks to become a task. It must not know how it goes on.

use serde_json::{Map, Value, json};

use super::handle::Client;
use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::model::version::ProtocolVersion;
use crate::session::flight::Follow;
use crate::session::support::TaskSupport;
use crate::session::wire::{Message, Wire};

/// How a call with this message goes on; in revision 2025-11-25 the message may get the member that asks for a task.
///
/// # Errors
///
/// Fails where a task is asked for, and the server said that there is none to be had of this tool.
pub(super) fn of(
    client: &Client,
    wire: &Wire,
    message: &mut Message,
    limits: &Limits,
) -> Result<Follow> {
    let mut follow = Follow::default();
    let is_tool = message.method == "tools/call";
    if wire.is_modern() {
        // "Supported Requests" of the pattern; the extension's "Supported Methods".
        let asks = is_tool || matches!(&*message.method, "prompts/get" | "resources/read");
        follow.input = asks && !limits.input_required;
        follow.task = is_tool && limits.tasks;
    } else if is_tool && wire.version == Some(ProtocolVersion::V2025_11_25) && limits.tasks {
        follow.augmented = augments(client, message, limits)?;
    }
    if let (true, Some(ttl)) = (follow.augmented, Some(limits.task.flatten())) {
        let ttl = ttl.and_then(|ttl| u64::try_from(ttl.as_millis()).ok());
        let task = ttl.map_or_else(Map::new, |ttl| Map::from_iter([("ttl".into(), json!(ttl))]));
        message.set("task", Value::Object(task));
    }
    Ok(follow)
}

/// Whether a call of a tool asks to become a task (revision 2025-11-25, "Tool-Level Negotiation").
fn augments(client: &Client, message: &Message, limits: &Limits) -> Result<bool> {
    let wished = limits.task.is_some();
    let tool = message.name().unwrap_or_default();
    let support = client.session().task_tools.get(tool);
    if !client.offers_tasks() {
        // What the tool says does not count then, and an ordinary call does the same work.
        return Ok(false);
    }
    match support {
        Some(TaskSupport::Required) => Ok(true),
        Some(TaskSupport::Forbidden) if wished => {
            let text = format!("the tool {tool:?} does not run as a task, says the server");
            Err(Error::new(ErrorKind::InvalidInput, text).with_hint("leave `as_task` out"))
        }
        Some(TaskSupport::Optional) | None => Ok(wished),
        Some(TaskSupport::Forbidden) => Ok(false),
    }
}
