//! The list of a server's tools.
//!
//! Owns its looks. It must not know how tools are called.

use std::fmt::Write as _;

use mcp_progress::Client;
use mcp_progress::model::Tool;
use serde_json::{Value, json};

use crate::args::output::Format;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::event::Listed;

/// Prints all tools, page by page where lines are asked for.
pub(crate) async fn run(client: &Client, context: &Context) -> Result<u8, Failure> {
    let mut pages = client.tools();
    let mut tools = Vec::new();
    let listing = async {
        while let Some(tool) = pages.next().await {
            let tool = tool?;
            context.output.event(&Listed::new(&tool))?;
            tools.push(tool);
        }
        Ok(())
    };
    context.unless_interrupted(listing).await?;
    match context.output.format() {
        Format::Text => {
            let texts: Vec<String> = tools.iter().map(described).collect();
            context.output.text(&texts.join("\n"))?;
        }
        Format::Json => {
            // Put together by hand, since the schemas inside are to stay as the server wrote them.
            let tools: Vec<String> = tools.iter().map(crate::show::event::line).collect();
            context
                .output
                .text(&format!("{{\"tools\":[{}]}}", tools.join(",")))?;
        }
        Format::Jsonl => {}
    }
    Ok(code::OK)
}

fn described(tool: &Tool) -> String {
    let mut text = tool.name.clone();
    for line in tool.description.iter().flat_map(|text| text.lines()) {
        let _ = write!(text, "\n    {}", line.trim_end());
    }
    let schema = tool.input_schema.to_value().unwrap_or_default();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let mark = if required.contains(&json!(name)) {
            "*"
        } else {
            ""
        };
        let _ = write!(text, "\n  {}{mark}", form(name, property));
        if let Some(about) = property["description"].as_str() {
            let _ = write!(text, "  {}", crate::show::printable::line(about));
        }
    }
    text + "\n"
}

/// The argument as it is written on the command line.
fn form(name: &str, property: &Value) -> String {
    match &property["type"] {
        Value::String(kind) if kind == "string" => format!("{name}=STRING"),
        Value::String(kind) => format!("{name}:={}", kind.to_uppercase()),
        _ => format!("{name}:=JSON"),
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{Schema, Tool};
    use serde_json::json;

    use super::described;

    #[test]
    fn arguments_look_as_they_are_typed() {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "how\nmany"},
                "b": {"type": "string"},
                "c": {"type": ["string", "null"]},
            },
            "required": ["b"],
        });
        let mut tool = Tool::new("t", Schema::from_value(&schema).unwrap());
        tool.description = Some("Does\nthings".to_owned());
        let expected = "t\n    Does\n    things\n  a:=INTEGER  how many\n  b=STRING*\n  c:=JSON\n";
        assert_eq!(described(&tool), expected);
    }
}
