//! Sending one HTTP request and getting the head of its response.
//!
//! Owns credentials, redirects and the second try after a 401. It must not know what the body says.

use std::fmt;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, LOCATION, WWW_AUTHENTICATE};
use reqwest::{Client, Method, Request, Response, StatusCode, Url, redirect};

use super::header::SESSION_ID;
use super::origin::{Shown, is_same};
use super::provider::{HeaderProvider, HeaderQuery};
use super::refusal::unreachable;
use super::settings::{Era, Proxying, Settings};
use super::tls::{self, Needs};
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Arc;

/// How many redirects are followed.
const MAX_REDIRECTS: usize = 5;

/// In place of a client's own time-out, which would end every long call.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);

/// The way to one server.
#[derive(Clone)]
pub(crate) struct Channel {
    client: Client,
    /// Whether the client is the user's, with time-outs of its own.
    foreign: bool,
    pub(crate) url: Url,
    headers: HeaderMap,
    provider: Option<HeaderProvider>,
    pub(crate) max_connections: usize,
    pub(crate) resume_timeout: Duration,
    pub(crate) connect_timeout: Duration,
    /// Whether to speak HTTP+SSE at once.
    pub(crate) sse: bool,
    /// What the server was found to speak; locked while it is being found out.
    pub(crate) era: Arc<tokio::sync::Mutex<Option<Era>>>,
}

/// One HTTP request.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    /// The headers of the protocol, beside those of the settings.
    pub(crate) headers: HeaderMap,
    pub(crate) body: bytes::Bytes,
}

impl Channel {
    pub(crate) fn new(settings: &Settings, url: Url) -> Result<Self> {
        let client = match &settings.client {
            Some(client) => client.clone(),
            None => client(settings, &url)?,
        };
        Ok(Self {
            client,
            foreign: settings.client.is_some(),
            url,
            headers: settings.headers.clone(),
            provider: settings.provider.clone(),
            max_connections: settings.max_connections,
            resume_timeout: settings.resume_timeout,
            connect_timeout: settings.connect_timeout,
            sse: settings.sse,
            era: settings.era.clone(),
        })
    }

    /// Sends a request; the head of the response, whatever its status, once redirects are followed.
    ///
    /// # Errors
    ///
    /// Fails where there is no response.
    pub(crate) async fn send(&self, request: Outgoing) -> Result<Response> {
        self.send_made(|| request.clone()).await
    }

    /// As [`send`](Self::send), for a request that is made anew where it must be sent once more, and so needs no copy
    /// where not.
    pub(crate) async fn send_made(&self, make: impl Fn() -> Outgoing) -> Result<Response> {
        let mut query = HeaderQuery::default();
        let mut hops = 0;
        let mut elsewhere: Option<Url> = None;
        loop {
            let mut request = make();
            if let Some(url) = elsewhere.take() {
                request.url = url;
            }
            let at_home = is_same(&request.url, &self.url);
            if !at_home {
                request.headers.remove(&SESSION_ID);
            }
            let (method, url) = (request.method.clone(), request.url.clone());
            let response = self.send_once(request, at_home, &query).await?;
            let status = response.status();
            if status == StatusCode::UNAUTHORIZED
                && at_home
                && self.provider.is_some()
                && !query.refused
            {
                query.refused = true;
                let challenge = response.headers().get(WWW_AUTHENTICATE);
                query.challenge =
                    challenge.map(|text| String::from_utf8_lossy(text.as_bytes()).into_owned());
                elsewhere = Some(url);
                continue;
            }
            let Some(next) = redirected(&method, &url, &response) else {
                return Ok(response);
            };
            hops += 1;
            if hops > MAX_REDIRECTS {
                let text = format!("the server redirects more than {MAX_REDIRECTS} times");
                return Err(Error::new(ErrorKind::Http, text).with_status(status.as_u16()));
            }
            if at_home && !is_same(&next, &self.url) {
                tracing::debug!(to = %Shown(&next), "redirected to another origin; credentials stay behind");
            }
            elsewhere = Some(next);
        }
    }

    async fn send_once(
        &self,
        request: Outgoing,
        at_home: bool,
        query: &HeaderQuery,
    ) -> Result<Response> {
        let mut headers = request.headers;
        if at_home {
            if !self.headers.is_empty() {
                put(&mut headers, self.headers.clone());
            }
            if let Some(provider) = &self.provider {
                put(&mut headers, provider.headers(query.clone()).await?);
            }
        }
        // The builder makes a header of the credentials in the URL. One that was given by itself wins.
        let built = self.client.request(request.method, request.url).build();
        let mut sent: Request = built.map_err(unreachable)?;
        if let Some(basic) = sent.headers_mut().remove(AUTHORIZATION) {
            headers.entry(AUTHORIZATION).or_insert(basic);
        }
        *sent.headers_mut() = headers;
        if !request.body.is_empty() {
            *sent.body_mut() = Some(request.body.into());
        }
        if self.foreign {
            *sent.timeout_mut() = Some(FOR_EVER);
        }
        self.client.execute(sent).await.map_err(unreachable)
    }
}

/// The endpoint's headers win over those of the protocol, and later ones over earlier.
fn put(headers: &mut HeaderMap, added: HeaderMap) {
    let mut last = None;
    for (name, value) in added {
        // A name is given for the first of its values only.
        match name {
            Some(name) => {
                headers.insert(name.clone(), value);
                last = Some(name);
            }
            None => {
                if let Some(name) = &last {
                    headers.append(name.clone(), value);
                }
            }
        }
    }
}

/// Where a response sends this very request, if it does so without changing it.
fn redirected(method: &Method, url: &Url, response: &Response) -> Option<Url> {
    let follows = match response.status() {
        StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT => true,
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => *method == Method::GET,
        _ => false,
    };
    let location = response.headers().get(LOCATION).filter(|_| follows)?;
    let mut next = url.join(location.to_str().ok()?).ok()?;
    // Credentials in the URL are for its origin, and a redirect within it does not repeat them.
    if is_same(&next, url) && next.username().is_empty() && next.password().is_none() {
        let _ = next.set_username(url.username());
        let _ = next.set_password(url.password());
    }
    matches!(next.scheme(), "http" | "https").then_some(next)
}

fn client(settings: &Settings, url: &Url) -> Result<Client> {
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .connect_timeout(settings.connect_timeout)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(settings.max_connections.max(2));
    builder = match &settings.proxy {
        Proxying::System => builder,
        Proxying::None => builder.no_proxy(),
        Proxying::Through(proxy) => builder.proxy((**proxy).clone()),
    };
    if settings.prior_knowledge {
        builder = builder.http2_prior_knowledge();
    }
    let needs = Needs {
        secure: url.scheme() == "https",
        roots: &settings.roots,
        prior_knowledge: settings.prior_knowledge,
    };
    builder = builder.tls_backend_preconfigured(tls::config(needs)?);
    builder.build().map_err(unreachable)
}

/// Without headers, which are secrets.
impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel")
            .field("url", &Shown(&self.url))
            .field("authorized", &self.headers.contains_key(AUTHORIZATION))
            .finish_non_exhaustive()
    }
}
