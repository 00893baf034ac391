//! A web page that calls the tools of an MCP server and shows how far each call is, in every browser that looks.
//!
//! `web_ui [--port N] [-- COMMAND ARGS…]`: the tools of the server that COMMAND starts, or of the embedded demo. It runs
//! until Ctrl-C. A visitor may call every tool, so it listens on this machine only.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program may print and start tasks"
)]

mod calling;
mod options;
mod routes;
mod state;
mod table;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use mcp_progress::Client;
use mcp_progress::testing::ScriptedServer;
use options::Options;
use table::Table;
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// So long the last words have time to reach the visitors: one who does not read would hold up the end for ever.
const LAST_WORDS: Duration = Duration::from_secs(3);

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = Options::parse(std::env::args().skip(1))?;
    let client = match options.command {
        Some((program, arguments)) => Client::stdio(program, arguments).await?,
        None => Client::connect(ScriptedServer::demo()).await?,
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    println!("http://{} until Ctrl-C", listener.local_addr()?);

    let table = Arc::new(Table::new());
    let app = routes::router(client.clone(), table.clone());
    let closed = Arc::new(Notify::new());
    let said = closed.clone();
    let served = axum::serve(listener, app).with_graceful_shutdown(async move {
        asked_to_stop().await;
        println!(
            "stopping, with {} calls under way",
            client.stats().live_calls
        );
        // Cancels what runs and lets the server exit; then the visitors' streams end, with the last word of each call.
        client.close().await;
        table.close();
        said.notify_one();
    });
    tokio::select! {
        served = served.into_future() => served?,
        () = async { closed.notified().await; tokio::time::sleep(LAST_WORDS).await } => {}
    }
    Ok(())
}

/// Ctrl-C, or what service managers send.
async fn asked_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate()).expect("signals can be had");
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.expect("signals can be had");
}
