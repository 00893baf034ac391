//! A connection over HTTP: one exchange for each message, and the streams that bring the answers.
//!
//! Owns what each exchange means for its call, for every revision. It must not know credentials or redirects.

pub(crate) mod ask;
pub(crate) mod backoff;
pub(crate) mod content;
pub(crate) mod detect;
pub(crate) mod driver;
pub(crate) mod event_channel;
mod farewell;
pub(crate) mod link;
pub(crate) mod loss;
pub(crate) mod notice;
pub(crate) mod pump;
pub(crate) mod renewal;
pub(crate) mod reply;
pub(crate) mod sender;
pub(crate) mod server_stream;
pub(crate) mod told;
