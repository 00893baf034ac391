//! HTTP+SSE (2024-11-05): one event stream for all that the server says, and another address to post to.
//!
//! Owns opening that stream. Its end is the end of the connection. It must not know what the messages say.

use reqwest::Response;
use reqwest::Url;
use tokio::time::timeout;

use super::ask::refusal;
use super::link::{Link, ServerStream};
use super::reply::Reader;
use crate::client::clock;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Arc;
use crate::transport::http::origin::{Shown, is_same};

/// Opens the event stream and waits until the server has said where to post (2024-11-05, "HTTP with SSE").
pub(crate) async fn open(link: &Arc<Link>) -> Result<()> {
    let limit = link.channel.connect_timeout;
    let opened = timeout(limit, announced(link)).await.unwrap_or_else(|_| {
        let text = format!("the event stream did not say within {limit:?} where to post messages");
        Err(Error::new(ErrorKind::ConnectionLost, text))
    });
    let (response, endpoint) = opened?;
    link.post_to(endpoint);
    link.stream.send_replace(ServerStream::Open);
    let task = link.runtime.spawn(read(link.clone(), response));
    link.keep(task.abort_handle());
    Ok(())
}

/// The stream, read up to its first event, and what that event says.
async fn announced(link: &Arc<Link>) -> Result<(Response, Url)> {
    let mut response = link.channel.send(link.get(None)).await?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let mut reader = Reader::new(link, None);
    loop {
        if !reader.step(&mut response).await? {
            return Err(Error::connect(
                "the event stream ended before it said where to post messages",
            ));
        }
        if let Some(endpoint) = reader.endpoint.take() {
            return Ok((response, post_address(&link.channel.url, &endpoint)?));
        }
    }
}

/// The address to post to. Another origin could collect what is meant for this one.
fn post_address(stream: &Url, endpoint: &str) -> Result<Url> {
    let url = stream.join(endpoint).map_err(|error| {
        let text = "the address to which the server wants messages posted cannot be read";
        Error::new(ErrorKind::Protocol, text).with_source(error)
    })?;
    if is_same(&url, stream) {
        return Ok(url);
    }
    let text = format!(
        "the server wants messages posted to another origin, {}",
        Shown(&url)
    );
    Err(Error::new(ErrorKind::Protocol, text))
}

async fn read(link: Arc<Link>, mut response: Response) {
    let mut reader = Reader::new(&link, None);
    let error = loop {
        match reader.step(&mut response).await {
            Ok(true) => {}
            Ok(false) => break Error::connect("the server closed the event stream"),
            Err(error) => break error,
        }
    };
    link.session.disconnect(error, clock::now());
}
