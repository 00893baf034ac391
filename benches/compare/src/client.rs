//! Owns the contract between the workloads and a client. Knows no client.
//!
//! To add a client: implement [`Client`] in one file, and name it in `bin/bench-client.rs` and in [`NAMES`].

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::Failure;
use crate::judge::Book;

/// The clients that a comparison runs, in the order of the table.
pub const NAMES: &[&str] = &["raw", "ours", "rmcp"];

/// The tools of the benchmark server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// All updates at once, in writes as large as the pipe takes, the result right behind the last.
    Flood,
    /// The same, but concurrent calls take turns update by update.
    Fan,
    /// The result only.
    Echo,
    /// One update and the result in one write.
    One,
    /// No answer, ever.
    Hang,
}

impl Tool {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Fan => "fan",
            Self::Echo => "echo",
            Self::One => "one",
            Self::Hang => "hang",
        }
    }
}

/// What a client is given at the start.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where every update and every result is reported.
    pub book: Arc<Book>,
    /// What a consumer waits per update of a [`Client::slow_call`].
    pub pause: Duration,
}

/// One connection to the benchmark server, which the client starts as a child process.
///
/// A client numbers its calls from 0 in the order in which they are made; that number is the call's slot in the [`Book`].
pub trait Client: Send + Sync + Sized + 'static {
    /// A call in flight. Dropping it may do whatever the client does.
    type Held: Send;

    /// Starts the server and shakes hands.
    fn connect(server: &Path, setup: Setup) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// One call, its updates reported to the book as its consumer gets them, its result the moment that the caller has it.
    fn call(&self, tool: Tool, updates: u64) -> impl Future<Output = Result<(), Failure>> + Send;

    /// A `flood` whose consumer waits for [`Setup::pause`] after each update that it is handed.
    fn slow_call(&self, updates: u64) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Puts one `hang` in flight and does not wait for it.
    fn hold(&self) -> impl Future<Output = Result<Self::Held, Failure>> + Send;

    /// Ends the connection and waits for the server to exit.
    fn close(self) -> impl Future<Output = Result<(), Failure>> + Send;
}
