//! A script that fails properly: an exit code for each kind of failure, the reason on standard error, the result alone on
//! standard output.
//!
//! `script TOOL JSON [SERVER..]` calls a tool of a server, or of the embedded one, which is this program once more. Without
//! arguments it runs itself once for each way to fail, shows what comes of it, and checks the codes.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program may print"
)]

mod failure;
mod server;
mod shown;

use failure::Failure;
use mcp_progress::Client;
use mcp_progress::ui::{printable_block, printable_line};
use serde_json::Value;
use std::process::ExitCode;
use std::time::Duration;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match *arguments {
        [] => shown::all(),
        ["serve"] => server::serve().await,
        [tool, arguments, ref server @ ..] => script(tool, arguments, server).await,
        _ => Err(Failure::Usage("script TOOL JSON [SERVER..]".to_owned())),
    };
    let Err(failure) = done else {
        return ExitCode::SUCCESS;
    };
    eprintln!("{}", printable_block(&failure.explained()));
    failure.code()
}

/// The work. The connection is closed whatever comes of it, so that the server hears of a cancelled call and ends.
async fn script(tool: &str, arguments: &str, server: &[&str]) -> Result<(), Failure> {
    let arguments: Value = serde_json::from_str(arguments)
        .map_err(|error| Failure::Usage(format!("the arguments are no JSON: {error}")))?;
    let client = Client::connect(server::command(server)?)
        .idle_timeout(Duration::from_millis(500))
        .total_timeout(Duration::from_secs(60))
        .await?;
    let text = call(&client, tool, arguments).await;
    client.close().await;
    println!("{}", printable_block(&text?));
    Ok(())
}

async fn call(client: &Client, tool: &str, arguments: Value) -> Result<String, Failure> {
    let mut call = client.call_tool(tool, arguments).start();
    let button = call.canceller();
    let mut last = None;
    loop {
        tokio::select! {
            update = call.next() => match update {
                Some(update) => {
                    let told = update.to_string();
                    eprintln!("{}", printable_line(&told));
                    last = Some(told);
                }
                None => break,
            },
            // The call then ends with an error, as by any other cause.
            _ = tokio::signal::ctrl_c() => drop(button.cancel("interrupted")),
        }
    }
    // An error: there is no result. A result may still say that the tool has failed.
    let result = call.await?;
    let text = result.as_text().unwrap_or_default();
    if result.is_error {
        return Err(Failure::Tool { text, last });
    }
    Ok(text)
}
