//! The contents of a resource.
//!
//! Owns what is asked for. It must not know how contents look.

use mcp_progress::Client;
use mcp_progress::model::ReadResourceResult;
use serde_json::json;

use crate::args::lists::ReadArgs;
use crate::commands::request;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::content;

/// Reads it and prints it.
pub(crate) async fn run(
    client: &Client,
    args: &ReadArgs,
    context: &Context,
) -> Result<u8, Failure> {
    let params = json!({ "uri": args.uri });
    let raw = request::one(client, "resources/read", params, &args.uri, context).await?;
    let result: ReadResourceResult = serde_json::from_str(raw.get()).map_err(Failure::Decode)?;
    context
        .output
        .answer(&raw, &content::of_read(&result), false)?;
    Ok(code::OK)
}
