//! The client without async: the same builders and requests, which wait on the calling thread.
//!
//! ```
//! use mcp_progress::blocking::Client;
//! use serde_json::json;
//! # #[cfg(feature = "testing")]
//! # fn main() -> mcp_progress::Result<()> {
//! # let server = mcp_progress::testing::ScriptedServer::demo();
//!
//! // A child process: Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"]).connect()?
//! let client = Client::connect(server).connect()?;
//!
//! // 1. A callback. It runs on this thread, so it may borrow, and it sees every update before `send` returns.
//! let mut seen = Vec::new();
//! let result = client
//!     .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
//!     .on_progress(|update| seen.push(update.progress))
//!     .send()?;
//! assert_eq!(seen, [1.0, 2.0, 3.0]);
//! assert!(!result.is_error);
//!
//! // 2. A handle: an iterator over the updates, then the result.
//! let mut call = client.read_resource("demo:///report").start();
//! for update in &mut call {
//!     assert!(update.percent().is_some());
//! }
//! assert_eq!(call.result()?.contents.len(), 1);
//!
//! // 3. The registry, as ever.
//! let token = mcp_progress::ProgressToken::generate();
//! let updates = mcp_progress::blocking::iter(client.progress().subscribe(&token));
//! client.call_tool("burst", json!({"n": 10})).progress_token(token).send()?;
//! assert_eq!(updates.count(), 10);
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! # Where it runs
//!
//! All blocking clients of a process live on one tokio runtime with one worker thread, `mcp-progress-blocking`, which is started by
//! the first of them and never ended. It reads, writes and minds child processes. Calls are polled by the thread that waits for them:
//! that is why callbacks run there, why they may borrow, and why a panic in one unwinds into the caller and cancels the call.
//! The [promises](crate#what-it-promises) are those of the async client.
//!
//! A child made by `fork` without `exec` has no such thread; connect after forking.
//!
//! # Inside of an async runtime
//!
//! A thread that runs tokio's tasks must not be held up, so there a blocking call fails with
//! [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput); it neither waits nor panics. Iterators, which have no error to give, end and log
//! it. Inside of `tokio::task::spawn_blocking` and `block_in_place`, blocking calls work. Inside of `tokio::task::unconstrained`, and on
//! other executors, this is not noticed, and the thread is held up.
//!
//! # How it ends
//!
//! Dropping the last handle on a connection closes it and waits for that, for at most six seconds, so that a program which returns from
//! `main` leaves no server process behind: that is time enough for the server to end by itself, then for SIGTERM and SIGKILL in their default
//! graces. A server that ends when its input does is gone within milliseconds. [`Client::close`] waits as long as it takes, which counts where
//! longer graces were set. Nothing of this happens where the program ends otherwise: by `std::process::exit`, or by a signal that it does not
//! handle. The server then only sees the end of its input. A server that could not be connected to is ended in the background, which takes
//! the program to go on for as long.
//!
//! # Async where it is needed
//!
//! [`Client::as_async`] is the async client of the same connection, `From` leads in both directions, and [`wait`] waits for any future:
//!
//! ```no_run
//! # fn example(client: mcp_progress::blocking::Client) -> Result<(), Box<dyn std::error::Error>> {
//! use mcp_progress::blocking::wait;
//! use serde_json::json;
//!
//! let client = client.as_async();
//! let (one, two) = wait(async {
//!     let one = client.call_tool("count", json!({"steps": 3}));
//!     let two = client.call_tool("count", json!({"steps": 5}));
//!     tokio::join!(one.send(), two.send())
//! })?;
//! # let _ = (one?, two?); Ok(()) }
//! ```
//!
//! Owns the wrapping. It must not know the wire, nor what an async method does beyond its name.

mod call;
mod client;
mod connect;
mod connection;
mod forward;
mod iter;
mod lists;
mod park;
mod request;
mod runtime;

pub use call::{Call, Detached};
pub use client::Client;
pub use connect::Connect;
pub use iter::{Iter, NextError, iter};
pub use lists::{Listen, Pages};
pub use request::Request;
pub use runtime::wait;
