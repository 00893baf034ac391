//! What a server says of itself.
//!
//! Owns its looks. It must not know how it was asked for.

use std::fmt::Write as _;

use mcp_progress::model::{Implementation, ServerCapabilities};
use mcp_progress::{Client, Introduction};
use serde::Serialize;

use crate::args::output::Format;
use crate::context::Context;
use crate::failure::{Failure, code};
use crate::show::printable;

#[derive(Debug, Serialize)]
struct Info<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<&'static str>,
    protocol: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<&'a Implementation>,
    capabilities: &'a ServerCapabilities,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
}

/// Prints what was said when the connection was made.
pub(crate) fn run(client: &Client, context: &Context) -> Result<u8, Failure> {
    let server = client.server();
    let format = context.output.format();
    let info = Info {
        event: (format == Format::Jsonl).then_some("info"),
        protocol: server.protocol_version.as_str(),
        server: server.server_info.as_ref(),
        capabilities: &server.capabilities,
        instructions: server.instructions.as_deref(),
    };
    match format {
        Format::Text => context.output.text(&described(server))?,
        Format::Json => context.output.json(&info)?,
        Format::Jsonl => context.output.event(&info)?,
    }
    Ok(code::OK)
}

fn described(server: &Introduction) -> String {
    let mut text = String::new();
    match &server.server_info {
        Some(info) => {
            let mut said = format!("{} {}", info.name, info.version);
            if let Some(title) = &info.title {
                let _ = write!(said, " ({title})");
            }
            // One line, or it could say the lines below.
            let _ = write!(text, "server    {}", printable::line(&said));
        }
        None => text.push_str("server    does not say"),
    }
    let _ = write!(text, "\nprotocol  {}", server.protocol_version);
    // Everything that is there, by the names of the protocol.
    let offered = serde_json::to_value(&server.capabilities).unwrap_or_default();
    let names: Vec<&str> = offered
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys())
        .map(String::as_str)
        .collect();
    let _ = write!(
        text,
        "\noffers    {}",
        if names.is_empty() {
            "nothing".to_owned()
        } else {
            printable::line(&names.join(", "))
        }
    );
    if let Some(instructions) = &server.instructions {
        let _ = write!(text, "\n\n{}", printable::block(instructions.trim_end()));
    }
    text
}
