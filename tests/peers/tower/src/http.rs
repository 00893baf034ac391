//! Owns the serving over HTTP: where the server listens, how it says so, when it ends. Must not know the tools.

use std::{error::Error, io::Write};

use tokio::{io::AsyncReadExt, net::TcpListener};
use tower_mcp::{HttpTransport, McpRouter};

/// Serves until standard input ends, so that no server outlives whoever started it.
pub(crate) async fn serve(router: McpRouter) -> Result<(), Box<dyn Error>> {
    let port = match std::env::var("PEER_PORT") {
        Ok(port) => port.parse()?,
        Err(_) => 0,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let port = listener.local_addr()?.port();
    let app = HttpTransport::new(router).into_router_at("/mcp");
    println!("listening http://127.0.0.1:{port}/mcp");
    std::io::stdout().flush()?;
    let served = tokio::select! {
        served = axum::serve(listener, app) => served,
        () = end_of_input() => Ok(()),
    };
    // Standard input is read by a thread that nothing can stop.
    std::process::exit(match served {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("peer-tower: {error}");
            1
        }
    })
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut rest = [0; 64];
    while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}
