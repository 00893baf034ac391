//! Requests to the user's language model: what reaches the handler, and what is refused before.

use mcp_progress::model::{
    CreateMessageRequest, CreateMessageResult, SamplingContent, StopReason, ToolUseContent,
};
use mcp_progress::{Connect, ErrorObject, RequestContext};
use serde_json::{Value, json};

use super::{ask, assert_error, connect};

const METHOD: &str = "sampling/createMessage";

fn text(role: &str, text: &str) -> Value {
    json!({"role": role, "content": {"type": "text", "text": text}})
}

fn used(ids: &[&str]) -> Value {
    let content = ids
        .iter()
        .map(|id| json!({"type": "tool_use", "id": id, "name": "w", "input": {}}));
    json!({"role": "assistant", "content": content.collect::<Vec<_>>()})
}

fn results(ids: &[&str]) -> Value {
    let content = ids
        .iter()
        .map(|id| json!({"type": "tool_result", "toolUseId": id, "content": []}));
    json!({"role": "user", "content": content.collect::<Vec<_>>()})
}

/// Says how it was asked, uses a tool where it has one, and refuses where it is to.
async fn model(
    request: CreateMessageRequest,
    _context: RequestContext,
) -> Result<CreateMessageResult, ErrorObject> {
    let system = request.system_prompt.as_deref().unwrap_or("nothing");
    if system == "refuse" {
        let text = "User rejected sampling request";
        return Err(ErrorObject::new(CreateMessageResult::USER_REJECTED, text));
    }
    if let Some(tool) = request.tools.iter().flatten().next() {
        let used = ToolUseContent::new("u1", &tool.name, serde_json::Map::new());
        let content = [SamplingContent::ToolUse(used)];
        return Ok(CreateMessageResult::new("m-1", content).with_stop_reason(StopReason::ToolUse));
    }
    let count = request.messages.len();
    Ok(CreateMessageResult::text(
        "m-1",
        format!("{count} messages, told {system}"),
    ))
}

fn plain(connect: Connect) -> Connect {
    connect.on_sampling(model)
}

fn with_tools(connect: Connect) -> Connect {
    connect.on_sampling_with_tools(model)
}

#[tokio::test(start_paused = true)]
async fn the_model_is_asked() {
    let (_client, mut peer) = connect(plain).await;
    let params = json!({
        "messages": [text("user", "a"), text("assistant", "b"), text("user", "c")], "systemPrompt": "be brief",
        "maxTokens": 100, "includeContext": "none", "temperature": 0.1, "stopSequences": [],
        "modelPreferences": {"hints": [{"name": "m"}], "costPriority": 1},
    });
    let reply = ask(&mut peer, METHOD, params).await;
    let said = json!({"type": "text", "text": "3 messages, told be brief"});
    assert_eq!(
        reply["result"],
        json!({"role": "assistant", "content": said, "model": "m-1"})
    );

    let params = json!({"messages": [], "maxTokens": 1, "systemPrompt": "refuse"});
    assert_error(&ask(&mut peer, METHOD, params).await, -1, "rejected");
    assert_error(
        &ask(&mut peer, METHOD, json!({"maxTokens": 1})).await,
        -32602,
        "messages",
    );
}

#[tokio::test(start_paused = true)]
async fn tools_only_where_they_are_offered() {
    let tool = json!({"name": "w", "inputSchema": {"type": "object"}});
    for extra in [
        json!({"tools": [tool]}),
        json!({"toolChoice": {"mode": "auto"}}),
        json!({"tools": []}),
    ] {
        let mut params = json!({"messages": [text("user", "a")], "maxTokens": 1});
        for (key, value) in extra.as_object().expect("an object") {
            params[key] = value.clone();
        }
        let (_client, mut peer) = connect(plain).await;
        assert_error(
            &ask(&mut peer, METHOD, params.clone()).await,
            -32602,
            "tools",
        );
        let (_client, mut peer) = connect(with_tools).await;
        let result = ask(&mut peer, METHOD, params).await["result"].clone();
        if extra.get("tools").is_some_and(|tools| tools != &json!([])) {
            let used = json!({"type": "tool_use", "id": "u1", "name": "w", "input": {}});
            assert_eq!(
                result,
                json!({"role": "assistant", "content": used, "model": "m-1", "stopReason": "toolUse"})
            );
        } else {
            assert_eq!(result["content"]["text"], "1 messages, told nothing");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_use_of_a_tool_is_followed_by_its_result() {
    let (_client, mut peer) = connect(with_tools).await;
    let mut mixed = results(&["1"]);
    mixed["content"]
        .as_array_mut()
        .expect("an array")
        .push(json!({"type": "text", "text": "a"}));
    for (messages, refused) in [
        (vec![text("user", "a"), used(&["1"]), results(&["1"])], None),
        (
            vec![
                used(&["1", "2"]),
                results(&["2", "1"]),
                text("assistant", "b"),
            ],
            None,
        ),
        (
            vec![used(&["1"]), results(&["1"]), used(&["2"]), results(&["2"])],
            None,
        ),
        // Results of a use that was cut off with what came before it.
        (vec![results(&["1"])], None),
        (
            vec![used(&["1"]), text("user", "never mind")],
            Some("missing"),
        ),
        (vec![used(&["1", "2"]), results(&["1"])], Some("missing")),
        (vec![used(&["1"]), results(&["2"])], Some("missing")),
        (vec![used(&["1"])], Some("missing")),
        (vec![used(&["1"]), mixed], Some("mixed")),
    ] {
        let params = json!({"messages": messages, "maxTokens": 1});
        let reply = ask(&mut peer, METHOD, params).await;
        match refused {
            Some(text) => assert_error(&reply, -32602, text),
            None => assert!(reply["error"].is_null(), "{reply} to {messages:?}"),
        }
    }
}
