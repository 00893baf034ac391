//! `sampling/createMessage`: whether the request may be made, then to the handler.
//!
//! Owns the rules that a client has to enforce. It must not know models.

use serde_json::Value;

use super::context::RequestContext;
use super::typed::{Typed, json, not_offered, params};
use crate::jsonrpc::ErrorObject;
use crate::model::{
    CreateMessageRequest, CreateMessageResult, Role, SamplingContent, SamplingMessage,
};
use crate::session::inbound::ServerRequest;

pub(super) const METHOD: &str = "sampling/createMessage";

pub(super) async fn answer(
    handler: Typed<CreateMessageRequest, CreateMessageResult>,
    request: ServerRequest,
    context: RequestContext,
) -> Result<Value, ErrorObject> {
    let asked: CreateMessageRequest = params(&request)?;
    let sampling = context.offered.sampling.as_ref();
    let tools = sampling.is_some_and(|sampling| sampling.tools.is_some());
    // Revision 2025-11-25, schema, `tools` and `toolChoice`.
    if !tools && (asked.tools.is_some() || asked.tool_choice.is_some()) {
        return Err(not_offered("this client's model does not use tools"));
    }
    check_turns(&asked.messages)
        .map_err(|text| ErrorObject::new(ErrorObject::INVALID_PARAMS, text))?;
    json(&handler(asked, context).await?)
}

/// Every use of a tool is answered in the next message, which has nothing but such answers (revision 2025-11-25,
/// "Sampling", message content constraints and error handling). Providers of models refuse anything else.
fn check_turns(messages: &[SamplingMessage]) -> Result<(), &'static str> {
    let mut open: Vec<&str> = Vec::new();
    for message in messages {
        let results = message.content.iter().filter_map(|block| match block {
            SamplingContent::ToolResult(result) => Some(result.tool_use_id.as_str()),
            _ => None,
        });
        let mut results: Vec<&str> = results.collect();
        if !results.is_empty() && results.len() != message.content.len() {
            return Err("tool results mixed with other content");
        }
        results.sort_unstable();
        open.sort_unstable();
        if !open.is_empty() && results != open {
            return Err("tool result missing in request");
        }
        let uses = message.content.iter().filter_map(|block| match block {
            SamplingContent::ToolUse(used) => Some(used.id.as_str()),
            _ => None,
        });
        open = match message.role {
            Role::Assistant => uses.collect(),
            _ => Vec::new(),
        };
    }
    // What the model wants at the very end is not answered yet, and cannot go on.
    if open.is_empty() {
        Ok(())
    } else {
        Err("tool result missing in request")
    }
}
