//! The two ways to begin, and what they agree on.
//!
//! Owns `server/discover`, `initialize`, and the revision that follows from their answers. It must not know when which
//! of them is tried.

use std::future::IntoFuture;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::call::{Call, CallResult};
use super::clock;
use super::connect::Options;
use super::core::Core;
use super::handle::Client;
use super::introduction::Introduction;
use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::{DiscoverResult, InitializeResult, Meta, ProtocolVersion};
use crate::session::calls::NewCall;
use crate::session::flight::{Follow, Kind};
use crate::session::wire::{Message, Wire};

/// How long a late answer to the probe is waited for after `initialize` was refused.
pub(super) const LATE_PROBE: Duration = Duration::from_secs(5);

/// Asks `server/discover` in the modern revision.
pub(super) async fn discover(
    client: &Client,
    options: &Options,
    limit: Option<Duration>,
) -> Result<DiscoverResult> {
    let meta = modern_meta(options, ProtocolVersion::LATEST);
    let params = json!({ "_meta": meta });
    request(client, "server/discover", &params, limit)?.await
}

pub(super) fn adopt_modern(
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
pub(super) async fn handshake(
    client: &Client,
    options: &Options,
    version: ProtocolVersion,
) -> Result<()> {
    let params = json!({
        "protocolVersion": version,
        "capabilities": options.offered(version),
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
    let mut message =
        Message::new(method, params).map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
    client.telemetry().put_trace(&mut message);
    let call = NewCall {
        message,
        token: None,
        own: None,
        kind: Kind::Negotiation,
        follow: Follow::default(),
        reissues: 0,
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

/// What the client can do, and that it understands tasks (extension `io.modelcontextprotocol/tasks`, "Capability
/// Negotiation"). The handshake does not say so: the extension is not defined there, and a server was seen to answer with
/// tasks of the modern form.
fn modern_capabilities(options: &Options, version: ProtocolVersion) -> Value {
    let mut capabilities = options.offered(version);
    if options.limits.tasks {
        let extensions = capabilities.extensions.get_or_insert_default();
        extensions.entry(TASKS).or_insert_with(|| json!({}));
    }
    json!(capabilities)
}

const TASKS: &str = "io.modelcontextprotocol/tasks";

/// The members of `_meta` that every modern request carries (revision 2026-07-28, "Overview", `_meta`).
fn modern_meta(options: &Options, version: ProtocolVersion) -> Map<String, Value> {
    let mut meta = Map::new();
    meta.insert(Meta::PROTOCOL_VERSION.to_owned(), json!(version));
    meta.insert(Meta::CLIENT_INFO.to_owned(), json!(options.client_info));
    meta.insert(
        Meta::CLIENT_CAPABILITIES.to_owned(),
        modern_capabilities(options, version),
    );
    if let Some(level) = options.log_level {
        meta.insert(Meta::LOG_LEVEL.to_owned(), json!(level));
    }
    meta
}

/// The revisions that a server of the modern era names when it does not speak ours.
pub(super) fn versions_named_by(error: &Error) -> Option<Vec<String>> {
    let rpc = error
        .as_rpc()
        .filter(|rpc| rpc.code == ErrorObject::UNSUPPORTED_PROTOCOL_VERSION)?;
    let supported = rpc.data.as_ref()?.get("supported")?;
    serde_json::from_value(supported.clone()).ok()
}

pub(super) fn names_a_handshake(discovered: &DiscoverResult) -> bool {
    let known = |version: &String| version.parse::<ProtocolVersion>().ok();
    let mut known = discovered.supported_versions.iter().filter_map(known);
    known.any(|version| !version.is_modern())
}

pub(super) fn no_common_version(versions: &[String], options: &Options) -> Error {
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
