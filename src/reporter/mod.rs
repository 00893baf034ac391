//! Sending progress: one operation's figures, turned into few and well-formed updates.
//!
//! Owns the sending half: what may go out, when, how often it is tried again, and how an operation ends. It must not know
//! who asked for the progress, nor over what it goes: that is a [`ProgressSink`].
//!
//! ```
//! use futures::future::BoxFuture;
//! use mcp_progress::reporter::{ProgressUpdate, SinkError};
//! use mcp_progress::{ProgressReporter, ProgressSink, ProgressToken};
//!
//! /// Where updates go: the connection of a server, a queue, a log.
//! struct Lines(tokio::sync::mpsc::UnboundedSender<String>);
//!
//! impl ProgressSink for Lines {
//!     fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
//!         Box::pin(async move {
//!             let line = serde_json::to_string(&update).map_err(|error| SinkError::permanent(error.to_string()))?;
//!             self.0.send(line).map_err(|_| SinkError::permanent("nobody listens"))
//!         })
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), mcp_progress::reporter::ReporterError> {
//! let (lines, mut sent) = tokio::sync::mpsc::unbounded_channel();
//! let token = ProgressToken::from("t"); // what the request brought in `_meta`
//! let reporter = ProgressReporter::new(Lines(lines), Some(token))?;
//!
//! reporter.total(1_000)?;
//! for done in 1..=1_000 {
//!     reporter.set(done)?; // as often as you like: at most eight a second go out
//! }
//! reporter.message("tidying up")?;
//! reporter.finish().await?;
//!
//! let mut last = None;
//! while let Ok(line) = sent.try_recv() {
//!     last = Some(line);
//! }
//! let expected = r#"{"progressToken":"t","progress":1000,"total":1000,"message":"tidying up"}"#;
//! assert_eq!(last.as_deref(), Some(expected));
//! # Ok(())
//! # }
//! ```
//!
//! # What goes out
//!
//! * Values rise strictly, as the specification demands (all revisions, "Progress"). A smaller one is an error to the
//!   caller, and nothing goes out; an equal one says nothing new.
//! * The first and the last value always go out. Between them, at most [`emit_hz`](ReporterConfig::emit_hz) a second: a
//!   value that comes too early is held, the newest replaces it, and it goes out when the interval ends, without another
//!   call. The interval counts from the moment at which the sink was done with the update before.
//! * What is held when the operation ends goes out at once, unless [`paced_end`](ReporterConfig::paced_end) says that
//!   this last update waits for its interval too. Nothing goes out after it.
//! * A message without a new value waits for the next one, at the latest for the end. Where the value cannot rise any more
//!   by then, it is sent with the next larger number that there is, and if need be with a total that is as large.
//! * A send that fails is tried again, with what is newest by then.

mod amount;
mod builder;
mod clock;
mod closing;
mod config;
mod driver;
mod effort;
mod error;
mod figures;
mod handle;
mod life_cycle;
mod machine;
#[cfg(test)]
mod machine_tests;
mod pace;
mod phase;
#[cfg(feature = "rmcp")]
mod rmcp;
mod shared;
mod sink;
mod snapshot;
mod telemetry;
mod waiting;
mod wrap;

pub use amount::Amount;
pub use builder::ReporterBuilder;
pub use closing::Closing;
pub use config::{ReporterConfig, default_config, set_default_config};
pub use driver::ReporterDriver;
pub use error::ReporterError;
pub use handle::ProgressReporter;
pub use phase::Phase;
#[cfg(feature = "rmcp")]
pub use rmcp::RmcpSink;
pub use sink::{ProgressSink, ProgressUpdate, SinkError};
pub use snapshot::Snapshot;
pub use telemetry::{
    Closed, Emission, Outcome, ReporterCounts, ReporterTelemetry, Started, set_default_telemetry,
};
pub use wrap::{WrapIter, WrapStream};
