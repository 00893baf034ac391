//! The tools of a server: all of them, or everything about one.
//!
//! Owns their looks. It must not know how tools are called.

use std::fmt::Write as _;

use mcp_progress::Client;
use mcp_progress::model::{Schema, Tool, ToolAnnotations};
use serde_json::{Value, json};

use crate::args::lists::ToolsArgs;
use crate::args::near;
use crate::args::output::Format;
use crate::commands::request;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::event::Listed;
use crate::show::pretty::pretty;
use crate::show::printable;
use crate::show::table::{Table, wrapped};

/// How wide text is where no terminal says it.
const WIDTH: usize = 100;

/// Prints them.
pub(crate) async fn run(
    client: &Client,
    args: &ToolsArgs,
    context: &Context,
) -> Result<u8, Failure> {
    let Some(name) = &args.tool else {
        let tools = request::all(client, "tool", || client.list_tools(), context).await?;
        request::write("tools", &tools, &table(&tools), context)?;
        return Ok(code::OK);
    };
    let listed = request::gather(client, "tool", || client.list_tools(), |_| Ok(()), context);
    let tools = listed.await?;
    let Some(tool) = tools.iter().find(|tool| tool.name == *name) else {
        let names: Vec<&str> = tools.iter().map(|tool| tool.name.as_str()).collect();
        let text = format!("the server has no tool {name}{}", near::hint(name, &names));
        return Err(Failure::Usage(text));
    };
    match context.output.format() {
        Format::Text => {
            let width = context.output.width();
            context.output.text(&described(tool, width))?;
        }
        Format::Json => context.output.json(tool)?,
        Format::Jsonl => context.output.event(&Listed::new("tool", tool))?,
    }
    Ok(code::OK)
}

fn table(tools: &[Tool]) -> Table {
    let mut table = Table::new(&["NAME", "ARGUMENTS", "DESCRIPTION"]);
    for tool in tools {
        let arguments: Vec<String> = arguments(&tool.input_schema)
            .into_iter()
            .map(|argument| argument.form)
            .collect();
        let about = tool.description.as_deref().or(tool.title.as_deref());
        let first = about.and_then(|text| text.lines().find(|line| !line.trim().is_empty()));
        table.row([
            tool.name.clone(),
            arguments.join(" "),
            first.unwrap_or_default().to_owned(),
        ]);
    }
    table
}

/// Everything about one tool.
fn described(tool: &Tool, width: Option<usize>) -> String {
    let mut text = printable::line(&tool.name);
    if tool.display_name() != tool.name {
        let _ = write!(text, " ({})", printable::line(tool.display_name()));
    }
    for line in tool.description.iter().flat_map(|text| text.lines()) {
        let line = printable::line(line.trim_end());
        let indented = if line.is_empty() {
            String::new()
        } else {
            wrapped(&line, width.unwrap_or(WIDTH), 2)
        };
        let _ = write!(text, "\n{indented}");
    }
    let mut table = Table::new(&["ARGUMENT", "DESCRIPTION"]);
    for argument in arguments(&tool.input_schema) {
        table.row([argument.form, argument.about]);
    }
    if table.is_empty() {
        text += "\n\nIt takes no arguments.";
    } else {
        let _ = write!(text, "\n\n{}\n(* must be given)", table.text(width));
    }
    if let Some(hints) = tool.annotations.as_ref().and_then(hints) {
        let _ = write!(text, "\n\nThe server says: {hints}.");
    }
    let _ = write!(
        text,
        "\n\nInput schema:\n{}",
        pretty(tool.input_schema.as_str())
    );
    if let Some(schema) = &tool.output_schema {
        let _ = write!(text, "\n\nOutput schema:\n{}", pretty(schema.as_str()));
    }
    text
}

fn hints(annotations: &ToolAnnotations) -> Option<String> {
    let hints = [
        (
            annotations.read_only_hint,
            "it changes nothing",
            "it may change something",
        ),
        (
            annotations.destructive_hint,
            "it may destroy something",
            "it destroys nothing",
        ),
        (
            annotations.idempotent_hint,
            "twice is the same as once",
            "twice is not the same as once",
        ),
        (
            annotations.open_world_hint,
            "it reaches outside",
            "it stays inside",
        ),
    ];
    let said = hints
        .into_iter()
        .filter_map(|(hint, yes, no)| Some(if hint? { yes } else { no }));
    let said: Vec<&str> = said.collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// An argument, as it is written on the command line, and what is said of it.
#[derive(Debug)]
struct Argument {
    form: String,
    about: String,
}

fn arguments(schema: &Schema) -> Vec<Argument> {
    let schema = schema.to_value().unwrap_or_default();
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let argument = |(name, property): (&String, &Value)| {
        let mark = if required.contains(&json!(name)) {
            "*"
        } else {
            ""
        };
        let mut about = property["description"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        if let Some(default) = property.get("default") {
            let blank = if about.is_empty() { "" } else { " " };
            let _ = write!(about, "{blank}[default: {default}]");
        }
        Argument {
            form: format!("{}{mark}", form(name, property)),
            about,
        }
    };
    let properties = schema["properties"].as_object();
    properties.into_iter().flatten().map(argument).collect()
}

/// The argument as it is written on the command line.
fn form(name: &str, property: &Value) -> String {
    if let Some(choices) = choices(property) {
        return format!("{name}={choices}");
    }
    match &property["type"] {
        Value::String(kind) if kind == "string" => format!("{name}=STRING"),
        Value::String(kind) => format!("{name}:={}", kind.to_uppercase()),
        _ => format!("{name}:=JSON"),
    }
}

/// `a|b|c`, where there are few of them and all are strings that need no quotes.
fn choices(property: &Value) -> Option<String> {
    let choices = property["enum"].as_array()?;
    let plain = |choice: &Value| {
        let text = choice
            .as_str()
            .filter(|text| !text.is_empty() && !text.contains([' ', '|', '\'', '"']));
        text.map(str::to_owned)
    };
    let choices: Vec<String> = choices.iter().map(plain).collect::<Option<_>>()?;
    let text = choices.join("|");
    (!choices.is_empty() && text.len() <= 40).then_some(text)
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{Schema, Tool};
    use serde_json::json;

    use super::{described, table};

    fn tool() -> Tool {
        let schema = json!({
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "how\nmany", "default": 5},
                "b": {"type": "string"},
                "c": {"type": ["string", "null"]},
                "d": {"type": "string", "enum": ["x", "y"]},
                "e": {"type": "string", "enum": ["with blank"]},
            },
            "required": ["b"],
        });
        let mut tool = Tool::new("t", Schema::from_value(&schema).unwrap());
        tool.description = Some("\nDoes\nthings".to_owned());
        tool
    }

    #[test]
    fn arguments_look_as_they_are_typed() {
        let text = table(&[tool()]).text(None);
        let expected = "NAME  ARGUMENTS                                          DESCRIPTION\n\
            t     a:=INTEGER b=STRING* c:=JSON d=x|y e=STRING  Does";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&text), squeezed(expected));
    }

    #[test]
    fn one_tool_is_told_in_full() {
        let mut tool = tool();
        tool.title = Some("Title".to_owned());
        tool.output_schema = Some(Schema::parse("{\"type\":\"object\"}").unwrap());
        tool.annotations =
            serde_json::from_value(json!({"readOnlyHint": true, "openWorldHint": false})).unwrap();
        let text = described(&tool, None);
        let (head, schemas) = text.split_once("\n\nInput schema:\n").unwrap();
        let expected = "t (Title)\n\n  Does\n  things\n\n\
            ARGUMENT    DESCRIPTION\na:=INTEGER  how many [default: 5]\nb=STRING*\nc:=JSON\nd=x|y\ne=STRING\n\
            (* must be given)\n\nThe server says: it changes nothing, it stays inside.";
        assert_eq!(head, expected);
        assert!(
            schemas.ends_with("}\n\nOutput schema:\n{\n  \"type\": \"object\"\n}"),
            "{schemas}"
        );
        let nothing = Tool::new("n", Schema::parse("{}").unwrap());
        assert_eq!(
            described(&nothing, None),
            "n\n\nIt takes no arguments.\n\nInput schema:\n{}"
        );
    }
}
