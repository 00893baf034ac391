//! Where an MCP server is on the network, and how it is to be reached.
//!
//! Owns the options. It must not know what is said there.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use futures::future::BoxFuture;
use reqwest::Url;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::channel::Channel;
use super::header::header;
use super::origin::Shown;
use super::provider::{HeaderProvider, HeaderQuery};
use super::settings::{Proxying, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::transport::connector::{Connection, Connector};

/// An MCP server that is reached over HTTP: Streamable HTTP in every revision, and HTTP+SSE (2024-11-05).
///
/// The first mistake in an option is kept, and told when the client connects. Clones share what was found out about
/// the server's era, so that only the first of several clients asks.
///
/// ```no_run
/// # async fn example() -> mcp_progress::Result<()> {
/// use mcp_progress::Client;
/// use mcp_progress::transport::HttpEndpoint;
///
/// let endpoint = HttpEndpoint::new("https://example.com/mcp").bearer("a token");
/// let client = Client::connect(endpoint).await?;
/// # let _ = client; Ok(()) }
/// ```
#[derive(Clone)]
#[must_use = "an endpoint does nothing until a client connects to it"]
pub struct HttpEndpoint {
    url: std::result::Result<Url, String>,
    settings: Settings,
    /// The first option that was wrong.
    mistake: Option<String>,
}

impl HttpEndpoint {
    /// The server at this URL, often one that ends in `/mcp`.
    pub fn new(url: impl AsRef<str>) -> Self {
        let parsed = Url::parse(url.as_ref()).map_err(|error| error.to_string());
        let url = parsed.and_then(|url| match url.scheme() {
            "http" | "https" => Ok(url),
            other => Err(format!("the scheme is {other}, not http or https")),
        });
        Self {
            url,
            settings: Settings::default(),
            mistake: None,
        }
    }

    /// Sends this header with every HTTP request. It is taken for a secret: shown nowhere, and sent to the origin of
    /// the URL only, whatever the server redirects to.
    pub fn header(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> Self {
        match header(name.as_ref(), value.as_ref()) {
            Ok((name, value)) => {
                self.settings.headers.append(name, value);
            }
            Err(text) => {
                self.mistake.get_or_insert(text);
            }
        }
        self
    }

    /// Sends `Authorization: Bearer …` with every HTTP request.
    pub fn bearer(mut self, token: impl AsRef<str>) -> Self {
        self.settings.headers.remove("authorization");
        self.header("authorization", format!("Bearer {}", token.as_ref()))
    }

    /// Asks `provide` for headers before each HTTP request, and once more when the server answers 401 to them; the
    /// request is then sent again, since it was not acted on.
    ///
    /// For tokens that expire: keep one, and get a new one where [`HeaderQuery::refused`] is set. What it gives is
    /// treated as [`header`](Self::header) does. Where it fails, so does the request.
    ///
    /// ```
    /// use mcp_progress::transport::HttpEndpoint;
    ///
    /// let endpoint = HttpEndpoint::new("https://example.com/mcp").header_provider(|query| async move {
    ///     let token = if query.refused { "a new token" } else { "the old one" };
    ///     Ok(vec![("authorization".to_owned(), format!("Bearer {token}"))])
    /// });
    /// # let _ = endpoint;
    /// ```
    pub fn header_provider<F, Fut>(mut self, provide: F) -> Self
    where
        F: Fn(HeaderQuery) -> Fut + Send + Sync + 'static,
        Fut: Future<
                Output = std::result::Result<
                    Vec<(String, String)>,
                    Box<dyn std::error::Error + Send + Sync>,
                >,
            > + Send
            + 'static,
    {
        self.settings.provider = Some(HeaderProvider::new(provide));
        self
    }

    /// Goes through this proxy, `http://user:password@host:port` for instance. Default: what the environment says
    /// (`HTTP_PROXY`, `HTTPS_PROXY`, `NO_PROXY`).
    pub fn proxy(mut self, url: impl AsRef<str>) -> Self {
        match reqwest::Proxy::all(url.as_ref()) {
            Ok(proxy) => self.settings.proxy = Proxying::Through(Box::new(proxy)),
            Err(_) => {
                self.mistake
                    .get_or_insert_with(|| "the URL of the proxy cannot be read".to_owned());
            }
        }
        self
    }

    /// Goes through no proxy, whatever the environment says.
    pub fn no_proxy(mut self) -> Self {
        self.settings.proxy = Proxying::None;
        self
    }

    /// Uses this HTTP client instead of one of its own. Its connections, proxy, TLS and redirects then count, and not
    /// those options here.
    ///
    /// This crate links reqwest without a provider of cryptography. A program that builds its own client and wants TLS
    /// enables reqwest's `rustls` feature, or installs a provider of rustls first.
    ///
    /// Its total time-out is overridden for each request, since it would end every long call. A `read_timeout` cannot
    /// be: leave it out, or streams end that are silent for so long.
    pub fn http_client(mut self, client: reqwest::Client) -> Self {
        self.settings.client = Some(client);
        self
    }

    /// How long opening a connection may take. Default 30 seconds.
    pub const fn connect_timeout(mut self, limit: Duration) -> Self {
        self.settings.connect_timeout = limit;
        self
    }

    /// Trusts these certificates too, in PEM format, beside those of the operating system: for a server that signs its
    /// own.
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        let read: std::result::Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(pem.as_ref()).collect();
        match read {
            Ok(roots) if !roots.is_empty() => self.settings.roots.extend(roots),
            _ => {
                self.mistake
                    .get_or_insert_with(|| "there is no certificate in the PEM text".to_owned());
            }
        }
        self
    }

    /// Speaks HTTP/2 from the first byte, also without TLS. Default: what TLS agrees on, else HTTP/1.1.
    pub const fn http2_prior_knowledge(mut self) -> Self {
        self.settings.prior_knowledge = true;
        self
    }

    /// How many requests may be in flight at once. Default 512. Over HTTP/1.1 each has a connection.
    ///
    /// Further ones wait, unwritten, with their idle clocks stopped; [`Stats::queued_frames`](crate::Stats) counts them.
    /// A subscription ([`Client::listen`](crate::Client::listen)) takes one as long as it is open. Zero counts as one.
    pub fn max_connections(mut self, limit: usize) -> Self {
        self.settings.max_connections = limit.clamp(1, tokio::sync::Semaphore::MAX_PERMITS);
        self
    }

    /// How long a response stream that broke may bring nothing before its call fails. Default 2 minutes.
    ///
    /// In the handshake revisions a stream with event ids is taken up again where it broke. Some servers accept that
    /// and then send nothing.
    pub const fn resume_timeout(mut self, limit: Duration) -> Self {
        self.settings.resume_timeout = limit;
        self
    }

    /// Speaks HTTP+SSE (2024-11-05) at once: the URL is that of the event stream. Default: tried where the server
    /// refuses Streamable HTTP.
    pub const fn sse(mut self) -> Self {
        self.settings.sse = true;
        self
    }
}

impl Connector for HttpEndpoint {
    /// Connects nothing yet: HTTP does with the first request.
    fn connect(&self) -> BoxFuture<'_, Result<Connection>> {
        let checked = match (&self.mistake, &self.url) {
            (Some(mistake), _) => Err(Error::new(ErrorKind::InvalidInput, mistake.clone())),
            (None, Err(error)) => {
                let text = format!("the server's URL cannot be read: {error}");
                Err(Error::new(ErrorKind::InvalidInput, text))
            }
            (None, Ok(url)) => Channel::new(&self.settings, url.clone()).map(Connection::http),
        };
        Box::pin(std::future::ready(checked))
    }
}

/// Without headers, which may be secrets.
impl fmt::Debug for HttpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpEndpoint")
            .field("url", &self.url.as_ref().ok().map(Shown))
            .field("max_connections", &self.settings.max_connections)
            .finish_non_exhaustive()
    }
}
