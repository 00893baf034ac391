//! A Model Context Protocol (MCP) client that calls remote tools **and shows how far they are**.
//!
//! ```
//! use mcp_progress::Client;
//! use serde_json::json;
//! # #[cfg(feature = "testing")]
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> mcp_progress::Result<()> {
//! # let server = mcp_progress::testing::ScriptedServer::demo();
//!
//! // A child process: Client::stdio("npx", ["-y", "@modelcontextprotocol/server-everything"]).await?
//! let client = Client::connect(server).await?;
//!
//! // 1. A callback. It runs in this future, so it may borrow, and it sees every update before the result.
//! let mut seen = Vec::new();
//! let result = client
//!     .call_tool("count", json!({"steps": 3, "delay_ms": 1}))
//!     .on_progress(|update| seen.push(update.progress))
//!     .await?;
//! assert_eq!(seen, [1.0, 2.0, 3.0]);
//! assert!(!result.is_error);
//!
//! // 2. A handle: the stream of updates, then the typed result. Any request can be one.
//! let mut call = client.read_resource("demo:///report").start();
//! while let Some(update) = call.next().await {
//!     assert!(update.percent().is_some());
//! }
//! let report = call.await?;
//! assert_eq!(report.contents.len(), 1);
//!
//! // 3. The registry: from anywhere, by token, before the request or after.
//! let token = mcp_progress::ProgressToken::generate();
//! let mut updates = client.progress().subscribe(&token);
//! client.call_tool("burst", json!({"n": 10})).progress_token(token).await?;
//! while let Some(update) = updates.next().await {
//!     assert_eq!(update.merged, 0);
//! }
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "testing"))]
//! # fn main() {}
//! ```
//!
//! # What it promises
//!
//! 1. **Wire order.** Updates of one token arrive in the order in which they were written.
//! 2. **Before the result.** Every update that precedes the response is delivered, or counted in one that is, before
//!    the call resolves; none after it. A backlog is handed over for at most 100 milliseconds once the response is
//!    there, then merged ([`Request::drain_for`]).
//! 3. **Isolation.** No handler runs in a reader task: a slow one delays its own call only.
//! 4. **Bounded, and honest about it.** 1,024 updates or 256 KiB wait per subscription, then they merge into the
//!    newest, which says how many it stands for ([`Progress::merged`], [`Overflow`]).
//! 5. **Registered before the first byte.** The token is live before the request is queued.
//! 6. **Gone on every path.** However a call ends, nothing of it stays in the registry.
//! 7. **Dropping is cancelling**, at once, without a runtime, once. Over HTTP in revision 2026-07-28 the signal is that the
//!    response stream is closed.
//! 8. **Tolerant in, strict out.** What a server gets wrong is counted and told ([`Client::stats`],
//!    [`Client::diagnostics`]) and fails no call.
//! 9. **Two clocks.** Idle, which every update re-arms, and over HTTP any byte of the call's own stream, and total; both per call, each named in its error.
//! 10. **One operation, one stream.** A call that the server answers with questions, or with a task, goes on under the same
//!     token to one result ([`Progress::leg`], [`Progress::kind`]); gaps are marked, not hidden ([`Progress::gap`]).
//!
//! # Finding your way
//!
//! [`Client`] makes [`Request`]s; a request is awaited, or started as a [`Call`]. [`ProgressRegistry`] subscribes by
//! [`ProgressToken`]. [`UpdatesExt`] thins out, smooths and watches any stream of updates, and a [`ProgressGroup`] makes many calls
//! one progress. [`Connect`] takes the handlers for what
//! servers ask ([`Connect::on_elicitation`]), and [`Call::task`] and [`Client::resume_task`] are about tasks.
//! [`ui`] shows it all: bars, web pages, JSON lines.
//! [`transport`] has the ways to connect, [`model`] the payloads of the protocol, and `testing` (with
//! the feature of that name) the scripted server for tests of your own progress code. [`ProgressReporter`] is the other half:
//! it sends progress, from a server or back to one; see [`reporter`].
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `stdio` | yes | servers as child processes: [`Client::stdio`] |
//! | `http` | yes | servers over HTTP: [`Client::http`], [`transport::HttpEndpoint`] |
//! | `blocking` | no | `blocking::Client`: the client without async |
//! | `testing` | no | the scripted server and the embedded demo server |
//! | `rmcp` | no | sending progress from servers made with `rmcp` |
//! | `opentelemetry` | no | [`Connect`]'s `trace_context_from_span`: servers learn the trace of the current span |
//! | `indicatif` | no | bars in the terminal: `ui::indicatif`, [`Request`]`::with_bar` |
//! | `cli` | no | the `mcp-progress` command |
//!
//! # What does not work yet
//!
//! OAuth, and tasks that the client runs for the server. macOS and Windows are not yet verified.
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "blocking")]
pub mod blocking;
mod client;
mod codec;
mod error;
mod jsonrpc;
pub mod model;
mod progress;
pub mod reporter;
mod session;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;
pub mod ui;

pub use client::call::{Call, CallResult};
pub use client::canceller::Canceller;
pub use client::combinators::{self, UpdatesExt};
pub use client::connect::Connect;
pub use client::detached::{Detached, DetachedResult};
pub use client::handle::Client;
pub use client::handler::{AsyncHandler, Handler, NoHandler, SyncHandler};
pub use client::handlers::client_handler::ClientHandler;
pub use client::handlers::context::RequestContext;
pub use client::introduction::Introduction;
pub use client::limits::LifeSigns;
pub use client::listen::Listen;
pub use client::methods::Empty;
pub use client::outgoing::ClientSink;
pub use client::pages::Pages;
pub use client::request::Request;
pub use client::running::Running;
pub use client::streams::{Diagnostics, Notifications};
pub use client::telemetry::closing::{CallClosed, CallOutcome};
pub use client::telemetry::observer::{CallObserver, CallStarted};
pub use client::telemetry::trace_context::TraceContext;
pub use error::{Clock, Error, ErrorKind, Result};
pub use jsonrpc::ErrorObject;
pub use model::progress::{Progress, UpdateKind};
pub use model::token::ProgressToken;
pub use model::version::ProtocolVersion;
pub use progress::end::StreamEnd;
pub use progress::group::GroupProgress;
pub use progress::mailbox::Overflow;
pub use progress::registry::{ProgressRegistry, Registration};
pub use progress::updates::Updates;
pub use reporter::{ProgressReporter, ProgressSink};
pub use session::inbound::ServerRequest;
pub use session::notification::Notification;
pub use session::stats::{Diagnostic, DiagnosticKind, Stats};
pub use ui::group::call::{GroupedCall, GroupedResult};
pub use ui::group::handle::{GroupMember, ProgressGroup};
pub use ui::group::updates::GroupUpdates;

/// The design, with its reasons; its examples are tested.
#[doc = include_str!("../DESIGN.md")]
pub mod design {}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
