//! A tour of the embedded demo server.
//!
//! Owns the list of calls. It must not know how a call is shown.

use mcp_progress::Client;
use serde_json::{Map, Value};

use crate::commands::call::Job;
use crate::context::Context;
use crate::failure::{Failure, code};

/// Steps with messages, bytes as floats, a total that is known late, and all updates in one write.
const CALLS: [(&str, &[(&str, u64)]); 4] = [
    ("count", &[("steps", 5), ("delay_ms", 200)]),
    ("download", &[("mib", 8), ("delay_ms", 80)]),
    ("index", &[("files", 20), ("delay_ms", 80)]),
    ("burst", &[("n", 10)]),
];

/// Makes the calls one after the other.
pub(crate) async fn run(client: &Client, context: &Context) -> Result<u8, Failure> {
    for (tool, arguments) in CALLS {
        let arguments: Map<String, Value> = arguments
            .iter()
            .map(|(name, value)| ((*name).to_owned(), Value::from(*value)))
            .collect();
        let job = Job {
            tool: tool.to_owned(),
            arguments,
            task: false,
            leave: false,
        };
        let code = job.run(client, context).await?;
        if code != code::OK {
            return Ok(code);
        }
    }
    Ok(code::OK)
}
