//! The program that the official conformance suite of MCP starts, once for each scenario, against a server that judges.
//!
//! `conformance_client URL`, with the scenario in the environment; `tests/conformance/client` runs them all. Without a
//! URL it only says so.
#![expect(clippy::print_stdout, reason = "a program may print")]

mod beside;
mod tools;

use std::env;
use std::error::Error;
use std::time::Duration;

use mcp_progress::model::ElicitResult;
use mcp_progress::{Client, ProtocolVersion};
use tokio::time::sleep;

type Done = Result<(), Box<dyn Error>>;

#[tokio::main]
async fn main() -> Done {
    let Some(url) = env::args().nth(1) else {
        println!("usage: conformance_client URL, with MCP_CONFORMANCE_SCENARIO in the environment");
        println!("the conformance suite starts this program: see tests/conformance/client");
        return Ok(());
    };
    // The revision is found by the client itself, as every program's is that does not pin one.
    let client = Client::http(url)
        // As if the user had accepted every form unchanged: the client fills the defaults in.
        .on_elicitation(|_form, _context| async {
            beside::call_beside().await;
            Ok(ElicitResult::accept())
        })
        .await?;
    let spoken = client.server().protocol_version;
    let wanted: ProtocolVersion = env::var("MCP_CONFORMANCE_PROTOCOL_VERSION")?.parse()?;
    // A server of the handshake era may answer with an earlier revision than the one that is tested.
    if spoken > wanted || (wanted.is_modern() && spoken != wanted) {
        return Err(format!("{spoken} is spoken, {wanted} is wanted").into());
    }
    play(&client, &env::var("MCP_CONFORMANCE_SCENARIO")?).await?;
    client.close().await;
    Ok(())
}

async fn play(client: &Client, scenario: &str) -> Done {
    match scenario {
        "initialize" | "json-schema-ref-no-deref" | "request-metadata" => {
            client.tools().all().await?;
        }
        "tools_call" | "elicitation-sep1034-client-defaults" | "http-invalid-tool-headers" => {
            tools::call_all(client).await?
        }
        "sep-2322-client-request-state" => {
            // What a server asks in the middle of a call is answered by the call itself.
            beside::BESIDE.get_or_init(|| client.clone());
            tools::call_all(client).await?;
        }
        "sse-retry" => {
            // The client opens the stream for the server's own messages beside its first requests, and the judge takes
            // any GET that it sees during the call for the one that takes the broken stream up again.
            sleep(Duration::from_millis(300)).await;
            tools::call_all(client).await?;
        }
        "http-standard-headers" => {
            tools::call_all(client).await?;
            tools::read_all(client).await?;
        }
        "http-custom-headers" => {
            // What a tool wants in headers is known once it was listed.
            client.tools().all().await?;
            tools::replay(client, &env::var("MCP_CONFORMANCE_CONTEXT")?).await?;
        }
        "json-schema-2020-12-preservation" => tools::echo_schema(client).await?,
        other => return Err(format!("the scenario {other:?} is not known").into()),
    }
    Ok(())
}
