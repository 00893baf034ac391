//! A scripted MCP server with which programs test their own progress code.
//!
//! Owns the playing of scripts against the newline-delimited byte-stream binding of MCP, in both eras, and over HTTP.
//! Must not know the client: nothing in here imports what the client receives with, so that a fault in the
//! client cannot hide behind the same fault in its test server. Scripts may report by the crate's own reporter.
//!
//! A [`ScriptedServer`] answers each request with a [`Script`]: updates, pauses, a result, or one of the odd
//! things that servers do. A script can ask the client for [input](Script::ask), and go on as a [task](TaskHosting).
//! It is served over a byte stream, or over [HTTP](ScriptedServer::http). A [`Log`] tells what
//! the server received. All time is `tokio::time`, so tests on a paused clock take no time.
//!
//! ```
//! use mcp_progress::testing::{Script, ScriptedServer};
//! use std::time::Duration;
//! use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> std::io::Result<()> {
//! let server = ScriptedServer::new().tool("count", |_request| {
//!     Script::new().every(Duration::from_secs(1), 3).text("counted")
//! });
//!
//! let (ours, theirs) = tokio::io::duplex(64 * 1024);
//! let (reader, writer) = tokio::io::split(theirs);
//! let running = tokio::spawn(async move { server.serve(reader, writer).await });
//!
//! let (answers, mut requests) = tokio::io::split(ours);
//! requests
//!     .write_all(
//!         br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"count","_meta":{"progressToken":"t"}}}
//! "#,
//!     )
//!     .await?;
//! let mut lines = BufReader::new(answers).lines();
//! for _update in 1..=3 {
//!     assert!(lines.next_line().await?.is_some_and(|line| line.contains("notifications/progress")));
//! }
//! assert!(lines.next_line().await?.is_some_and(|line| line.contains("counted")));
//!
//! drop((lines, requests));
//! running.await?;
//! # Ok(())
//! # }
//! ```

mod answer;
mod backstage;
mod config;
mod connector;
mod demo;
mod frame;
mod http;
mod http_request;
mod input;
mod log;
mod outbox;
mod report;
mod reporting;
mod request;
mod runner;
mod script;
mod serve;
mod server;
mod session;
mod stage;
mod stdio;
mod subscription;
mod tasks;
mod update;

#[cfg(test)]
mod tests;

pub use config::Eras;
pub use http::{HttpHosting, HttpListening};
pub use http_request::HttpRequest;
pub use input::{Answers, Round};
pub use log::{Log, Received};
pub use request::Request;
pub use script::Script;
pub use server::ScriptedServer;
pub use tasks::TaskHosting;
pub use update::Update;
