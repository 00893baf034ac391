//! This project's library the way that its documentation shows it: a request with a handler, awaited. Time-outs, tokens and limits are
//! the defaults; the revision is pinned, so that it speaks what the others speak.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mcp_progress::model::CallToolResult;
use mcp_progress::{Call, Client as McpClient, ProtocolVersion};
use serde::Serialize;

use crate::Failure;
use crate::client::{Client, Setup, Tool};

/// See the module.
#[derive(Debug)]
pub struct OursClient {
    client: McpClient,
    setup: Setup,
    /// The slot of the next call.
    next: AtomicU64,
}

#[derive(Serialize)]
struct Arguments {
    n: u64,
}

impl OursClient {
    fn slot(&self) -> u64 {
        self.next.fetch_add(1, Relaxed)
    }

    /// Notes the result the moment that the caller has it, whatever it is.
    fn resolve(
        &self,
        slot: u64,
        updates: u64,
        result: mcp_progress::Result<CallToolResult>,
    ) -> Result<(), Failure> {
        self.setup.book.resolved(slot, updates);
        let result = result?;
        if result.is_error {
            return Err(format!("not the expected result: {result:?}").into());
        }
        Ok(())
    }
}

impl Client for OursClient {
    type Held = Call<CallToolResult>;

    async fn connect(server: &Path, setup: Setup) -> Result<Self, Failure> {
        let none: [&str; 0] = [];
        let client = McpClient::stdio(server, none)
            .protocol(ProtocolVersion::V2025_11_25)
            .await?;
        Ok(Self {
            client,
            setup,
            next: AtomicU64::new(0),
        })
    }

    async fn call(&self, tool: Tool, updates: u64) -> Result<(), Failure> {
        let slot = self.slot();
        // The handler owns the book: one that ran after its call had resolved would find it, and be counted as late.
        let book = Arc::clone(&self.setup.book);
        let result = self
            .client
            .call_tool(tool.name(), Arguments { n: updates })
            .on_progress(move |update| book.seen(slot, update.progress, 1 + update.merged))
            .await;
        self.resolve(slot, updates, result)
    }

    async fn slow_call(&self, updates: u64) -> Result<(), Failure> {
        let slot = self.slot();
        let setup = self.setup.clone();
        let result = self
            .client
            .call_tool(Tool::Flood.name(), Arguments { n: updates })
            .on_progress_async(move |update| {
                setup.book.seen(slot, update.progress, 1 + update.merged);
                tokio::time::sleep(setup.pause)
            })
            .await;
        self.resolve(slot, updates, result)
    }

    async fn hold(&self) -> Result<Self::Held, Failure> {
        // Never resolved, so that the book expects nothing of it; the number is taken all the same.
        self.slot();
        Ok(self
            .client
            .call_tool(Tool::Hang.name(), Arguments { n: 0 })
            .start())
    }

    async fn close(self) -> Result<(), Failure> {
        self.client.close().await;
        Ok(())
    }
}
