//! The scripted server over HTTP.
//!
//! Owns Streamable HTTP in every revision and HTTP+SSE, on this machine only. Must not know the client, nor what
//! scripts do.

mod body;
mod endpoint;
mod exchange;
mod guard;
mod handshake;
mod host;
pub(crate) mod hosting;
mod http_sse;
pub(crate) mod hub;
mod jobs;
mod listening;
mod mirror;
mod modern;
mod options;
mod reply;
mod session;
mod sse;
mod stream;

pub use hosting::HttpHosting;
pub use listening::HttpListening;
