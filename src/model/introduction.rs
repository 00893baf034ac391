//! How a server introduces itself.
//!
//! Owns the results of `initialize` (handshake revisions) and `server/discover` (since 2026-07-28); knows
//! nothing of which to ask for, or what to conclude from it.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    cache::CacheScope,
    capabilities::ServerCapabilities,
    implementation::Implementation,
    lenient::{null_as_default, ttl},
    meta::Meta,
};

/// The result of `initialize`. Revisions 2024-11-05 to 2025-11-25.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct InitializeResult {
    /// The revision that the server wants to speak. A string, since it may be one unknown here.
    pub protocol_version: String,
    /// What the server can do.
    #[serde(default, deserialize_with = "null_as_default")]
    pub capabilities: ServerCapabilities,
    /// Who the server says it is.
    pub server_info: Implementation,
    /// How to use the server, written for a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Not of these revisions; some servers send it all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The result of `server/discover`. Since 2026-07-28.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DiscoverResult {
    /// The revisions that the server names. Strings, since some may be unknown here. Real servers leave out
    /// handshake revisions that they serve, or name those, which then still need their handshake.
    pub supported_versions: Vec<String>,
    /// What the server can do.
    #[serde(default, deserialize_with = "null_as_default")]
    pub capabilities: ServerCapabilities,
    /// How to use the server, written for a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// How long the answer stays fresh, in milliseconds; 0 or absent: not at all.
    #[serde(
        default,
        deserialize_with = "ttl",
        skip_serializing_if = "Option::is_none"
    )]
    pub ttl_ms: Option<u64>,
    /// Who may reuse the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Metadata; see [`server_info`](Self::server_info).
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// `complete`, or absent, which means the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl DiscoverResult {
    /// Who the server says it is, out of [`Meta::SERVER_INFO`]; `None` if it does not say or says it badly.
    #[must_use]
    pub fn server_info(&self) -> Option<Implementation> {
        let info = self.meta.as_ref()?.get(Meta::SERVER_INFO)?;
        Implementation::deserialize(info).ok()
    }
}
