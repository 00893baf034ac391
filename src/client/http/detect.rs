//! Finding out what a server speaks over HTTP.
//!
//! Owns the order of the tries (revision 2026-07-28, Streamable HTTP, "Backward Compatibility"): the modern probe, then
//! `initialize`, then the event stream of 2024-11-05. It must not know what the requests hold.

use std::pin::pin;

use futures::future::{self, Either};
use reqwest::header::HeaderValue;

use super::event_channel;
use super::link::Link;
use super::server_stream;
use crate::client::connect::{Connect, Options};
use crate::client::era::{
    LATE_PROBE, adopt_modern, discover, handshake, names_a_handshake, no_common_version,
    versions_named_by,
};
use crate::client::handle::Client;
use crate::client::introduction::Introduction;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::ProtocolVersion;
use crate::session::wire::Wire;
use crate::sync::Arc;
use crate::transport::http::settings::Era;

/// Agrees on a revision with the server.
///
/// One client at a time asks; those of the same endpoint that come later begin with what it found.
pub(crate) async fn negotiate(client: &Client, link: &Arc<Link>, connect: &Connect) -> Result<()> {
    let options = &connect.options;
    if link.channel.sse {
        return speak(client, link, options, Era::Sse).await;
    }
    if let Some(version) = options.version {
        return pinned(client, link, options, version).await;
    }
    let mut known = link.channel.era.lock().await;
    if let Some(era) = *known {
        drop(known);
        match speak(client, link, options, era).await {
            Ok(()) => return Ok(()),
            // The server is another one than it was.
            Err(error) if is_answer(&error) => {
                tracing::debug!(%error, ?era, "the server has changed its era")
            }
            Err(error) => return Err(error),
        }
        known = link.channel.era.lock().await;
    }
    *known = Some(find(client, link, connect).await?);
    // A probe that is still not answered is waited for no longer.
    link.end_needless();
    Ok(())
}

async fn pinned(
    client: &Client,
    link: &Arc<Link>,
    options: &Options,
    version: ProtocolVersion,
) -> Result<()> {
    if version.is_modern() {
        let discovered = discover(client, options, options.connect_timeout).await?;
        adopt_modern(client, options, discovered, version)?;
        link.session.know_tools();
        return Ok(());
    }
    if let Some(id) = &options.session_id {
        return join(client, link, version, id);
    }
    match handshake(client, options, version).await {
        Err(error) if is_refused(&error) => by_events(client, link, options, error).await,
        shaken => shaken,
    }
}

/// Goes on in a handshake session that another client began.
fn join(client: &Client, link: &Arc<Link>, version: ProtocolVersion, id: &str) -> Result<()> {
    let mut id = HeaderValue::try_from(id).map_err(|error| {
        let text = "the session's id cannot stand in a header";
        Error::new(ErrorKind::InvalidInput, text).with_source(error)
    })?;
    id.set_sensitive(true);
    link.join_session(&id);
    client.session().set_wire(Wire::handshake(Some(version)));
    client.introduce(Introduction::unknown(version));
    server_stream::open(link);
    Ok(())
}

/// Begins in an era that is known.
async fn speak(client: &Client, link: &Arc<Link>, options: &Options, era: Era) -> Result<()> {
    match era {
        Era::Modern => {
            let discovered = discover(client, options, options.connect_timeout).await?;
            adopt_modern(client, options, discovered, ProtocolVersion::LATEST)?;
            link.session.know_tools();
            Ok(())
        }
        Era::Handshake => handshake(client, options, ProtocolVersion::LATEST_HANDSHAKE).await,
        Era::Sse => {
            event_channel::open(link).await?;
            shake_over_events(client, options).await
        }
    }
}

async fn find(client: &Client, link: &Arc<Link>, connect: &Connect) -> Result<Era> {
    let options = &connect.options;
    let mut probe = pin!(discover(client, options, None));
    let wait = pin!(tokio::time::sleep(connect.probe_limit()));
    let answer = match future::select(&mut probe, wait).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => {
            tracing::debug!("the probe is not answered; trying the handshake beside it");
            let refused = match by_handshake(client, link, options).await {
                Ok(era) => return Ok(era),
                Err(error) => error,
            };
            // Refused, and perhaps the probe was only slow.
            match tokio::time::timeout(LATE_PROBE, probe).await {
                Ok(Ok(discovered)) => Ok(discovered),
                _ => return Err(refused),
            }
        }
    };
    let discovered = match answer {
        Ok(discovered) => discovered,
        Err(error) if is_broken(&error) => {
            // A server that hangs up on what it does not know gets a second chance with what it knows.
            let tried = by_handshake(client, link, options).await;
            return tried.map_err(|_| error);
        }
        Err(error) if !is_answer(&error) => return Err(error),
        Err(error) => match versions_named_by(&error) {
            // It refused what it names: a server that warms up, or counts.
            Some(versions) if names(&versions, ProtocolVersion::LATEST) => {
                discover(client, options, options.connect_timeout).await?
            }
            Some(versions) => return Err(no_common_version(&versions, options)),
            None if is_modern(&error) => return Err(error),
            None => return by_handshake(client, link, options).await,
        },
    };
    let handshakes = names_a_handshake(&discovered);
    match adopt_modern(client, options, discovered, ProtocolVersion::LATEST) {
        Err(error) if error.kind() == ErrorKind::Unsupported && handshakes => {
            by_handshake(client, link, options).await
        }
        adopted => {
            adopted?;
            link.session.know_tools();
            Ok(Era::Modern)
        }
    }
}

async fn by_handshake(client: &Client, link: &Arc<Link>, options: &Options) -> Result<Era> {
    match handshake(client, options, ProtocolVersion::LATEST_HANDSHAKE).await {
        Ok(()) => Ok(Era::Handshake),
        Err(error) if is_refused(&error) => by_events(client, link, options, error)
            .await
            .map(|()| Era::Sse),
        Err(error) => Err(error),
    }
}

/// The last way: HTTP+SSE. Where that fails too, what the handshake met says more.
async fn by_events(
    client: &Client,
    link: &Arc<Link>,
    options: &Options,
    refusal: Error,
) -> Result<()> {
    if let Err(error) = event_channel::open(link).await {
        tracing::debug!(%error, "the server has no event stream of 2024-11-05 either");
        // A stream that is there and brings nothing is held back by something in between.
        return Err(match error.kind() {
            ErrorKind::ConnectionLost => refusal.with_source(error),
            _ => refusal,
        });
    }
    shake_over_events(client, options).await
}

/// The transport is that of 2024-11-05, but servers speak later revisions over it too.
async fn shake_over_events(client: &Client, options: &Options) -> Result<()> {
    let version = options.version.unwrap_or(ProtocolVersion::LATEST_HANDSHAKE);
    handshake(client, options, version).await
}

fn names(versions: &[String], version: ProtocolVersion) -> bool {
    versions.iter().any(|named| named == version.as_str())
}

/// Whether an error of the modern era's own says that the server speaks it.
fn is_modern(error: &Error) -> bool {
    error
        .as_rpc()
        .is_some_and(|rpc| ErrorObject::MODERN.contains(&rpc.code))
}

/// Whether the server was there and refused, for another reason than who asks or how often.
fn is_answer(error: &Error) -> bool {
    let personal = matches!(error.status(), Some(401 | 403 | 407 | 429));
    match error.kind() {
        ErrorKind::Http | ErrorKind::Rpc => !personal,
        ErrorKind::Protocol | ErrorKind::Decode | ErrorKind::Unsupported => true,
        _ => false,
    }
}

/// Whether the connection was there, and ended before an answer.
fn is_broken(error: &Error) -> bool {
    let source = std::error::Error::source(error);
    let reached = source.and_then(|source| source.downcast_ref::<reqwest::Error>());
    error.kind() == ErrorKind::ConnectionLost && reached.is_some_and(|source| !source.is_connect())
}

/// Whether the address does not take what is posted to it.
fn is_refused(error: &Error) -> bool {
    is_answer(error)
        && error
            .status()
            .is_some_and(|status| (400..500).contains(&status))
}
