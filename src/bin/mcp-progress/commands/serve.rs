//! The embedded demo server as a program of its own.
//!
//! Owns where it is served and what is said about that. It must not know what the server does.

use std::io::{self, Write as _};
use std::time::Duration;

use mcp_progress::testing::{HttpListening, ScriptedServer};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::failure::code;
use crate::interrupt::Interrupt;

/// How often a stream over HTTP shows that it is alive, so that proxies leave it open.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long clients over HTTP are asked to wait before they resume a stream.
const RETRY: Duration = Duration::from_millis(500);

/// Serves until the client goes or the user interrupts: over standard input and output, or over HTTP at an address.
/// `changes` says how often it tells that something has changed.
pub(crate) async fn run(
    address: Option<&str>,
    changes: Option<Duration>,
    interrupt: &Interrupt,
) -> u8 {
    let server = ScriptedServer::demo();
    if let Some(pause) = changes {
        let server = server.clone();
        tokio::runtime::Handle::current().spawn(async move { change(&server, pause).await });
    }
    let Some(address) = address else {
        return tokio::select! {
            served = server.serve_stdio() => if served.is_ok() { code::OK } else { code::LOST },
            () = interrupt.happened() => code::INTERRUPTED,
        };
    };
    let hosting = server.http().keep_alive(KEEP_ALIVE).retry(RETRY);
    match hosting.bind(address).await {
        Ok(listening) => {
            if told(&listening).is_err() {
                return code::OUTPUT_GONE;
            }
            tokio::select! {
                () = listening.serve() => code::OK,
                () = interrupt.happened() => code::INTERRUPTED,
            }
        }
        Err(error) => {
            // Nothing is left to be done if standard error is gone as well.
            let _ = writeln!(io::stderr(), "error: cannot listen on {address}: {error}");
            code::LOST
        }
    }
}

/// Tells for ever that something has changed, each kind in turn. Nothing has.
async fn change(server: &ScriptedServer, pause: Duration) {
    let report = json!({"uri": "demo:///report"});
    let told = [
        ("notifications/tools/list_changed", &Value::Null),
        ("notifications/resources/updated", &report),
        ("notifications/prompts/list_changed", &Value::Null),
        ("notifications/resources/list_changed", &Value::Null),
    ];
    for (method, params) in told.iter().cycle() {
        sleep(pause).await;
        if server.notify_subscribers(method, params) == 0 {
            // Nobody has subscribed as in 2026-07-28: whoever is there speaks an earlier revision.
            server.notify(method, params);
        }
    }
}

/// Says where the server is. Standard output is free here, unlike that of a server over standard output.
fn told(listening: &HttpListening) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "Streamable HTTP: {}", listening.url())?;
    writeln!(out, "HTTP+SSE:        {}", listening.sse_url())?;
    out.flush()
}
