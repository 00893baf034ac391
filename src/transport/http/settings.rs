//! How a server is to be reached.
//!
//! Owns the options and their defaults. It must not know who sets or reads them.

use std::time::Duration;

use reqwest::header::HeaderMap;
use rustls::pki_types::CertificateDer;

use super::provider::HeaderProvider;
use crate::sync::Arc;

/// How many requests are in flight at once unless the endpoint says otherwise: below the 1,024 files that a process
/// may usually have open.
const MAX_CONNECTIONS: usize = 512;

/// The options of an endpoint but its address.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) headers: HeaderMap,
    pub(crate) provider: Option<HeaderProvider>,
    /// The user's own HTTP client.
    pub(crate) client: Option<reqwest::Client>,
    pub(crate) proxy: Proxying,
    pub(crate) connect_timeout: Duration,
    pub(crate) roots: Vec<CertificateDer<'static>>,
    pub(crate) prior_knowledge: bool,
    pub(crate) max_connections: usize,
    pub(crate) resume_timeout: Duration,
    /// Whether to speak HTTP+SSE at once.
    pub(crate) sse: bool,
    /// What the server was found to speak; locked while it is being found out.
    pub(crate) era: Arc<tokio::sync::Mutex<Option<Era>>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            headers: HeaderMap::new(),
            provider: None,
            client: None,
            proxy: Proxying::System,
            connect_timeout: Duration::from_secs(30),
            roots: Vec::new(),
            prior_knowledge: false,
            max_connections: MAX_CONNECTIONS,
            resume_timeout: Duration::from_secs(120),
            sse: false,
            era: Arc::default(),
        }
    }
}

/// Which way to the server.
#[derive(Clone, Debug)]
pub(crate) enum Proxying {
    /// As the environment says.
    System,
    None,
    Through(Box<reqwest::Proxy>),
}

/// What a server was found to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Era {
    Modern,
    Handshake,
    /// HTTP+SSE (2024-11-05).
    Sse,
}
