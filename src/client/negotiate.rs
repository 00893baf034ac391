//! Finding out which revision the server speaks.
//!
//! Owns the probe and the handshake (revision 2026-07-28, stdio, "Backward Compatibility"): ask `server/discover`
//! first; any answer that is not of the modern era, silence, or the end of the connection leads to `initialize`.
//! It is never keyed to one error code or text, but for the one error that the modern era defines.

use std::future::IntoFuture;
use std::pin::pin;

use futures::future::{self, BoxFuture, Either};

use super::connect::{Connect, Options};
use super::era::{
    LATE_PROBE, adopt_modern, discover, handshake, names_a_handshake, no_common_version,
    versions_named_by,
};
use super::handle::Client;
#[cfg(feature = "http")]
use super::{handle::Way, http};
use crate::error::{Error, ErrorKind, Result};
use crate::model::ProtocolVersion;

impl IntoFuture for Connect {
    type Output = Result<Client>;
    type IntoFuture = BoxFuture<'static, Result<Client>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(negotiate(self))
    }
}

async fn negotiate(connect: Connect) -> Result<Client> {
    let client = connect.open().await?;
    let options = &connect.options;
    #[cfg(feature = "http")]
    if let Way::Http(link) = client.way() {
        let agreed = http::detect::negotiate(&client, link, &connect).await;
        agreed.map_err(|error| explain(error, options))?;
        return Ok(client);
    }
    match options.version {
        Some(version) if version.is_modern() => {
            let discovered = discover(&client, options, options.connect_timeout).await;
            let discovered = discovered.map_err(|error| explain(error, options))?;
            adopt_modern(&client, options, discovered, version)?;
        }
        Some(version) => {
            let shaken = handshake(&client, options, version).await;
            shaken.map_err(|error| explain(error, options))?;
        }
        None => {
            if let Some(again) = detect(&client, &connect).await? {
                return Ok(again);
            }
        }
    }
    Ok(client)
}

/// Finds the era; gives another client where the server had to be connected to again.
async fn detect(client: &Client, connect: &Connect) -> Result<Option<Client>> {
    let options = &connect.options;
    let mut probe = pin!(discover(client, options, None));
    let wait = pin!(tokio::time::sleep(connect.probe_limit()));
    match future::select(&mut probe, wait).await {
        Either::Left((Ok(discovered), _)) => {
            let handshakes = names_a_handshake(&discovered);
            match adopt_modern(client, options, discovered, ProtocolVersion::LATEST) {
                Err(error) if error.kind() == ErrorKind::Unsupported && handshakes => {
                    // It answers the probe, but every revision it names that is known here begins with a handshake.
                    handshake(client, options, ProtocolVersion::LATEST_HANDSHAKE).await?;
                }
                adopted => adopted?,
            }
        }
        Either::Left((Err(error), _)) if error.kind() == ErrorKind::ConnectionLost => {
            // A server that exits on what it does not know gets a second chance with what it knows.
            tracing::debug!(%error, "the server ended on the probe; connecting again for the handshake");
            let again = connect.open().await.map_err(|_| error)?;
            handshake(&again, options, ProtocolVersion::LATEST_HANDSHAKE).await?;
            return Ok(Some(again));
        }
        Either::Left((Err(error), _)) => match versions_named_by(&error) {
            Some(versions) => return Err(no_common_version(&versions, options)),
            None => handshake(client, options, ProtocolVersion::LATEST_HANDSHAKE).await?,
        },
        Either::Right(_) => {
            tracing::debug!("the probe is not answered; trying the handshake beside it");
            let refused = match handshake(client, options, ProtocolVersion::LATEST_HANDSHAKE).await
            {
                Ok(()) => return Ok(None),
                Err(error) => error,
            };
            // Refused, and perhaps the probe was only slow: a late answer to it means the modern era.
            let discovered = tokio::time::timeout(LATE_PROBE, probe).await;
            let Ok(Ok(discovered)) = discovered else {
                return Err(refused);
            };
            adopt_modern(client, options, discovered, ProtocolVersion::LATEST)?;
        }
    }
    Ok(None)
}

/// The refusal of a pinned revision, in the words of who pinned it.
fn explain(error: Error, options: &Options) -> Error {
    let modern = options.version.filter(|version| version.is_modern());
    match (versions_named_by(&error), modern) {
        (Some(versions), _) => no_common_version(&versions, options).with_source(error),
        (None, Some(version)) if error.kind() == ErrorKind::Rpc => {
            let text = format!(
                "the server does not know `server/discover`, with which revision {version} begins"
            );
            Error::new(ErrorKind::Unsupported, text)
                .with_hint("leave the revision open, and one that the server speaks is found")
                .with_source(error)
        }
        _ => error,
    }
}
