//! This project's library over HTTP the way that its documentation shows it. Time-outs, tokens and limits are the defaults, save the cap on
//! connections where more calls than that are to be in flight at once. The server's era is found out as always.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mcp_progress::Client as McpClient;
use mcp_progress::transport::HttpEndpoint;
use serde::Serialize;

use crate::Failure;
use crate::http::client::{Endpoint, HttpClient, Tool};
use crate::judge::Book;

/// See the module.
#[derive(Debug)]
pub struct OursClient {
    client: McpClient,
    book: Arc<Book>,
    /// The slot of the next call.
    next: AtomicU64,
}

#[derive(Serialize)]
struct Arguments {
    n: u64,
}

impl HttpClient for OursClient {
    async fn connect(endpoint: &Endpoint, book: Arc<Book>) -> Result<Self, Failure> {
        let mut at = HttpEndpoint::new(endpoint.url());
        if endpoint.at_once > DEFAULT_CONNECTIONS {
            at = at.max_connections(endpoint.at_once);
        }
        if endpoint.http2 {
            at = at.http2_prior_knowledge();
        }
        Ok(Self {
            client: McpClient::connect(at).await?,
            book,
            next: AtomicU64::new(0),
        })
    }

    async fn call(&self, tool: Tool, n: u64, updates: u64) -> Result<(), Failure> {
        let slot = self.next.fetch_add(1, Relaxed);
        // The handler owns the book: one that ran after its call had resolved would find it, and be counted as late.
        let book = Arc::clone(&self.book);
        let result = self
            .client
            .call_tool(tool.name(), Arguments { n })
            .on_progress(move |update| book.seen(slot, update.progress, 1 + update.merged))
            .await;
        self.book.resolved(slot, updates);
        let result = result?;
        if result.is_error {
            return Err(format!("not the expected result: {result:?}").into());
        }
        Ok(())
    }

    fn live_calls(&self) -> Option<u64> {
        u64::try_from(self.client.stats().live_calls).ok()
    }

    async fn close(self) -> Result<(), Failure> {
        self.client.close().await;
        Ok(())
    }
}

/// What the library allows by itself.
const DEFAULT_CONNECTIONS: usize = 512;
