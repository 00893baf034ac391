//! A prompt of a server, filled in.
//!
//! Owns what is asked for. It must not know how messages look.

use mcp_progress::Client;
use mcp_progress::model::GetPromptResult;
use serde_json::{Map, Value, json};

use crate::args::lists::PromptArgs;
use crate::commands::request;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::content;

/// Gets it and prints it.
pub(crate) async fn run(
    client: &Client,
    args: &PromptArgs,
    context: &Context,
) -> Result<u8, Failure> {
    let arguments = arguments(args)?;
    let mut params = json!({ "name": args.name });
    if !arguments.is_empty() {
        params["arguments"] = Value::Object(arguments);
    }
    let raw = request::one(client, "prompts/get", params, &args.name, context).await?;
    let result: GetPromptResult = serde_json::from_str(raw.get()).map_err(Failure::Decode)?;
    context
        .output
        .answer(&raw, &content::of_prompt(&result), false)?;
    Ok(code::OK)
}

/// The arguments, none of which may be there twice.
fn arguments(args: &PromptArgs) -> Result<Map<String, Value>, Failure> {
    let mut arguments = Map::new();
    for pair in &args.pairs {
        if arguments
            .insert(pair.key.clone(), pair.value.clone())
            .is_some()
        {
            let text = format!("the argument `{}` is given twice", pair.key);
            return Err(Failure::Usage(text));
        }
    }
    Ok(arguments)
}
