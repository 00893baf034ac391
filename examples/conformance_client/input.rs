//! Scenarios in which the server asks for input in the middle of a call (revision 2026-07-28).

use mcp_progress::Client;
use mcp_progress::model::{ElicitForm, ElicitResult};
use serde_json::{Map, Value, json};

use crate::Done;

/// Fills a form in with the defaults of its schema, as if the user had accepted it unchanged.
fn by_default(form: ElicitForm) -> ElicitResult {
    let mut content = Map::new();
    form.requested_schema.fill_defaults(&mut content);
    ElicitResult::accept_with(content)
}

/// Calls every tool; where one asks for input, another is called before it gets its answer.
pub(crate) async fn call_all(client: &Client) -> Done {
    let tools = client.tools().all().await?;
    for tool in &tools {
        let mut params = json!({"name": tool.name, "arguments": {}});
        loop {
            let call = client.request::<Value>("tools/call", &params);
            let result = call.allow_input_required().await?;
            if result["resultType"] != "input_required" {
                break;
            }
            if let Some(other) = tools.iter().find(|tool| tool.name.ends_with("unrelated")) {
                client.call_tool(&other.name, json!({})).await?;
            }
            params = next_leg(params, &result)?;
        }
    }
    Ok(())
}

/// The same request with the answers, and with the state exactly as it came, if one came ("Multi Round-Trip Requests").
fn next_leg(mut params: Value, result: &Value) -> Result<Value, Box<dyn std::error::Error>> {
    let mut answers = Map::new();
    for (key, asked) in result["inputRequests"].as_object().into_iter().flatten() {
        let form = serde_json::from_value(asked["params"].clone())?;
        answers.insert(key.clone(), json!(by_default(form)));
    }
    params["inputResponses"] = answers.into();
    if let Some(params) = params.as_object_mut() {
        params.remove("requestState");
        if let Some(state) = result.get("requestState") {
            params.insert("requestState".to_owned(), state.clone());
        }
    }
    Ok(params)
}
