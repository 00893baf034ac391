//! Owns the contract between the HTTP workloads and a client. Knows no client.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::Failure;
use crate::judge::Book;

/// The tools of the HTTP benchmark server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// All updates as fast as they can be written, each event in a chunk of its own.
    Flood,
    /// The same, with as many events in a chunk as 16 KiB hold.
    Wide,
    /// Each event in a chunk of its own, and 4 KiB a write, so that concurrent calls take turns.
    Fan,
    /// The result only, as JSON.
    Echo,
    /// One update and the result in one write, as events.
    One,
    /// Waits until as many of these are open as its argument says; then three updates, half a second apart, and the result after 2 s.
    Linger,
}

impl Tool {
    /// The name on the wire.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood => "flood",
            Self::Wide => "wide",
            Self::Fan => "fan",
            Self::Echo => "echo",
            Self::One => "one",
            Self::Linger => "linger",
        }
    }
}

/// Where the server is, and how it is to be spoken to.
#[derive(Debug, Clone)]
pub struct Endpoint {
    pub address: SocketAddr,
    /// HTTP/2 with prior knowledge instead of HTTP/1.1.
    pub http2: bool,
    /// How many calls there will be at once: no cap on connections may be below it.
    pub at_once: usize,
}

impl Endpoint {
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }
}

/// A client of one server.
///
/// It numbers its calls from 0 in the order in which they are made; that number is the call's slot in the [`Book`].
pub trait HttpClient: Send + Sync + Sized + 'static {
    /// Finds out what the server speaks.
    fn connect(
        endpoint: &Endpoint,
        book: Arc<Book>,
    ) -> impl Future<Output = Result<Self, Failure>> + Send;

    /// One call with the argument `n`, its updates reported to the book as its consumer gets them, its result the moment that the caller
    /// has it.
    fn call(
        &self,
        tool: Tool,
        n: u64,
        updates: u64,
    ) -> impl Future<Output = Result<(), Failure>> + Send;

    /// How many calls the client itself says are in flight, if it says so.
    fn live_calls(&self) -> Option<u64>;

    /// Ends what the client keeps.
    fn close(self) -> impl Future<Output = Result<(), Failure>> + Send;
}
