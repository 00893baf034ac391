//! A server on tower-mcp, for its tasks of 2026-07-28 and the notifications about them: `peer-tower [stdio | http]`.

mod http;
mod jobs;

use std::{error::Error, sync::Arc};

use tower_mcp::{McpRouter, StdioTransport, async_task::MemoryTaskStore};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryTaskStore::new());
    let router = McpRouter::new()
        .server_info("peer-tower", "0.0.0")
        .tool(jobs::job(store.clone()))
        .task_store(store)
        .with_tasks();
    let mode = std::env::args().nth(1);
    match mode.as_deref().unwrap_or("stdio") {
        "stdio" => Ok(StdioTransport::new(router).run().await?),
        "http" => http::serve(router).await,
        mode => Err(format!("no mode {mode}").into()),
    }
}
