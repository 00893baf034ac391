//! A Model Context Protocol (MCP) client that calls remote tools **and shows how far they are**.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
mod codec;
mod error;
mod jsonrpc;
pub mod model;
mod progress;
mod session;
mod sync;
#[cfg(feature = "testing")]
pub mod testing;
pub mod transport;

pub use client::call::{Call, CallResult};
pub use client::canceller::Canceller;
pub use client::connect::Connect;
pub use client::detached::{Detached, DetachedResult};
pub use client::handle::Client;
pub use client::handler::{AsyncHandler, Handler, NoHandler, SyncHandler};
pub use client::introduction::Introduction;
pub use client::listen::Listen;
pub use client::methods::Empty;
pub use client::pages::Pages;
pub use client::request::Request;
pub use client::running::Running;
pub use client::streams::{Diagnostics, Notifications};
pub use error::{Clock, Error, ErrorKind, Result};
pub use jsonrpc::ErrorObject;
pub use model::progress::Progress;
pub use model::token::ProgressToken;
pub use model::version::ProtocolVersion;
pub use progress::end::StreamEnd;
pub use progress::mailbox::Overflow;
pub use progress::registry::{ProgressRegistry, Registration};
pub use progress::updates::Updates;
pub use session::notification::Notification;
pub use session::stats::{Diagnostic, DiagnosticKind, Stats};
