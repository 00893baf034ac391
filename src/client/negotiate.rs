//! Finding out which revision the server speaks.
//!
//! Owns the probe and the handshake (revision 2026-07-28, stdio, "Backward Compatibility"): ask `server/discover`
//! first; any answer that is not of the modern era, silence, or the end of the connection leads to `initialize`.
//! It is never keyed to one error code or text, but for the one error that the modern era defines.

use std::future::IntoFuture;
use std::pin::pin;
use std::time::Duration;

use futures::future::{self, BoxFuture, Either};
use serde_json::{Map, Value, json};

use super::call::{Call, CallResult};
use super::clock;
use super::connect::{Connect, Options};
use super::core::Core;
use super::handle::Client;
use super::introduction::Introduction;
use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::{DiscoverResult, InitializeResult, Meta, ProtocolVersion};
use crate::session::calls::NewCall;
use crate::session::flight::Kind;
use crate::session::wire::{Message, Wire};

/// How long a late answer to the probe is waited for after `initialize` was refused.
const LATE_PROBE: Duration = Duration::from_secs(5);

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

/// Asks `server/discover` in the modern revision.
async fn discover(
    client: &Client,
    options: &Options,
    limit: Option<Duration>,
) -> Result<DiscoverResult> {
    let meta = modern_meta(options, ProtocolVersion::LATEST);
    let params = json!({ "_meta": meta });
    request(client, "server/discover", &params, limit)?.await
}

fn adopt_modern(
    client: &Client,
    options: &Options,
    discovered: DiscoverResult,
    version: ProtocolVersion,
) -> Result<()> {
    if !discovered
        .supported_versions
        .iter()
        .any(|supported| supported == version.as_str())
    {
        return Err(no_common_version(&discovered.supported_versions, options));
    }
    client
        .session()
        .set_wire(Wire::modern(version, modern_meta(options, version)));
    client.introduce(Introduction::of_discovery(version, discovered));
    Ok(())
}

/// `initialize`, then `notifications/initialized` (revision 2025-11-25, "Lifecycle").
async fn handshake(client: &Client, options: &Options, version: ProtocolVersion) -> Result<()> {
    let params = json!({
        "protocolVersion": version,
        "capabilities": options.capabilities,
        "clientInfo": options.client_info,
    });
    let result: InitializeResult =
        request(client, "initialize", &params, options.connect_timeout)?.await?;
    let agreed = result.protocol_version.parse::<ProtocolVersion>();
    let agreed = agreed.ok().filter(|agreed| !agreed.is_modern());
    let agreed = agreed.filter(|agreed| options.version.is_none_or(|pinned| pinned == *agreed));
    let Some(agreed) = agreed else {
        return Err(no_common_version(&[result.protocol_version], options));
    };
    client.session().set_wire(Wire::handshake(Some(agreed)));
    let logging = result.capabilities.logging.is_some();
    client.introduce(Introduction::of_handshake(agreed, result));
    client.notify("notifications/initialized", Value::Null)?;
    if let Some(level) = options.log_level {
        if logging {
            client.set_log_level(level).await?;
        } else {
            tracing::warn!("the server offers no log messages; the log level is not set");
        }
    }
    Ok(())
}

/// A request of the negotiation: without progress, with its own limit, never cancelled on the wire.
fn request<T: serde::de::DeserializeOwned>(
    client: &Client,
    method: &'static str,
    params: &Value,
    limit: Option<Duration>,
) -> Result<CallResult<T>> {
    let message =
        Message::new(method, params).map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
    let call = NewCall {
        message,
        token: None,
        own: None,
        kind: Kind::Negotiation,
    };
    let session = client.session().clone();
    let flight = session.register(call, clock::now())?;
    let limits = Limits {
        idle: None,
        total: limit,
        ..Limits::default()
    };
    Ok(IntoFuture::into_future(Call::new(Ok(Core::new(
        client.clone(),
        session,
        flight,
        limits,
    )))))
}

/// The members of `_meta` that every modern request carries (revision 2026-07-28, "Overview", `_meta`).
fn modern_meta(options: &Options, version: ProtocolVersion) -> Map<String, Value> {
    let mut meta = Map::new();
    meta.insert(Meta::PROTOCOL_VERSION.to_owned(), json!(version));
    meta.insert(Meta::CLIENT_INFO.to_owned(), json!(options.client_info));
    meta.insert(
        Meta::CLIENT_CAPABILITIES.to_owned(),
        json!(options.capabilities),
    );
    if let Some(level) = options.log_level {
        meta.insert(Meta::LOG_LEVEL.to_owned(), json!(level));
    }
    meta
}

/// The revisions that a server of the modern era names when it does not speak ours.
fn versions_named_by(error: &Error) -> Option<Vec<String>> {
    let rpc = error
        .as_rpc()
        .filter(|rpc| rpc.code == ErrorObject::UNSUPPORTED_PROTOCOL_VERSION)?;
    let supported = rpc.data.as_ref()?.get("supported")?;
    serde_json::from_value(supported.clone()).ok()
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

fn names_a_handshake(discovered: &DiscoverResult) -> bool {
    let known = |version: &String| version.parse::<ProtocolVersion>().ok();
    let mut known = discovered.supported_versions.iter().filter_map(known);
    known.any(|version| !version.is_modern())
}

fn no_common_version(versions: &[String], options: &Options) -> Error {
    let ours = match &options.version {
        Some(pinned) => std::slice::from_ref(pinned),
        None => ProtocolVersion::ALL,
    };
    let ours = ours
        .iter()
        .map(|version| version.as_str())
        .collect::<Vec<_>>()
        .join(", ");
    let theirs = if versions.is_empty() {
        "none".to_owned()
    } else {
        versions.join(", ")
    };
    let text = format!(
        "no common protocol revision: the server names {theirs}; this client speaks {ours}"
    );
    Error::new(ErrorKind::Unsupported, text)
}
