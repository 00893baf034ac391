//! Owns what the HTTP side of a server was told to be. Must not know how any of it is done.

use std::time::Duration;

/// How a server is hosted.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) json_only: bool,
    pub(crate) stateless: bool,
    pub(crate) event_ids: bool,
    pub(crate) retry: Option<Duration>,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) close_after: Option<usize>,
    pub(crate) answer_on_get: bool,
    pub(crate) crlf: bool,
    pub(crate) origins: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            json_only: false,
            stateless: false,
            event_ids: true,
            retry: None,
            keep_alive: None,
            close_after: None,
            answer_on_get: false,
            crlf: false,
            origins: Vec::new(),
        }
    }
}
