//! Scenarios that call what a server lists.

use mcp_progress::Client;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Done;

/// Calls every tool of the server once.
pub(crate) async fn call_all(client: &Client) -> Done {
    for tool in client.tools().all().await? {
        let arguments = arguments(&tool.input_schema.to_value()?);
        client.call_tool(&tool.name, arguments).await?;
    }
    Ok(())
}

/// Something for every argument that must be given.
fn arguments(schema: &Value) -> Value {
    let required = schema["required"].as_array().into_iter().flatten();
    let given = required.filter_map(Value::as_str).map(|name| {
        let value = match schema["properties"][name]["type"].as_str() {
            Some("boolean") => json!(true),
            Some("integer" | "number") => json!(7),
            Some("array") => json!([]),
            Some("object") => json!({}),
            _ => json!("seven"),
        };
        (name.to_owned(), value)
    });
    given.collect::<Map<_, _>>().into()
}

/// Reads every resource and gets every prompt.
pub(crate) async fn read_all(client: &Client) -> Done {
    for resource in client.resources().all().await? {
        client.read_resource(&resource.uri).await?;
    }
    for prompt in client.prompts().all().await? {
        let required = prompt.arguments.iter().filter(|a| a.required == Some(true));
        let given = required.map(|argument| (argument.name.clone(), json!("seven")));
        let arguments: Map<_, _> = given.collect();
        client.get_prompt(&prompt.name, arguments).await?;
    }
    Ok(())
}

/// Makes the calls that the scenario hands over.
pub(crate) async fn replay(client: &Client, context: &str) -> Done {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        tool_calls: Vec<ToolCall>,
    }

    #[derive(Deserialize)]
    struct ToolCall {
        name: String,
        arguments: Value,
    }

    let context: Context = serde_json::from_str(context)?;
    for call in context.tool_calls {
        client.call_tool(&call.name, call.arguments).await?;
    }
    Ok(())
}

/// Sends the schema of one tool back, by means of another that takes it.
pub(crate) async fn echo_schema(client: &Client) -> Done {
    let tools = client.tools().all().await?;
    let [focal, echo] = &tools[..] else {
        return Err("two tools are expected".into());
    };
    let arguments = json!({"schema": focal.input_schema.to_value()?});
    client.call_tool(&echo.name, arguments).await?;
    Ok(())
}
