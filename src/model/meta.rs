//! The `_meta` object that any request, notification, result or listed item may carry.
//!
//! Owns the reserved key names; knows nothing of the values behind them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `_meta` object: metadata beside the payload (specification, basic, "`_meta`").
///
/// ```
/// # use mcp_progress::model::Meta;
/// let mut meta = Meta::new();
/// meta.insert("com.example/trace", "a1");
/// assert_eq!(meta.get("com.example/trace").and_then(|v| v.as_str()), Some("a1"));
/// assert!(Meta::is_reserved(Meta::PROGRESS_TOKEN));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Meta(Map<String, Value>);

impl Meta {
    /// The token under which a request asks for progress. All revisions.
    pub const PROGRESS_TOKEN: &'static str = "progressToken";
    /// The revision that a request is written in. Since 2026-07-28, on every request.
    pub const PROTOCOL_VERSION: &'static str = "io.modelcontextprotocol/protocolVersion";
    /// Who sends the request. Since 2026-07-28.
    pub const CLIENT_INFO: &'static str = "io.modelcontextprotocol/clientInfo";
    /// What the client can do, for this one request. Since 2026-07-28, on every request.
    pub const CLIENT_CAPABILITIES: &'static str = "io.modelcontextprotocol/clientCapabilities";
    /// The least severe log message that the request wants. Since 2026-07-28.
    pub const LOG_LEVEL: &'static str = "io.modelcontextprotocol/logLevel";
    /// Who sends the result. Since 2026-07-28.
    pub const SERVER_INFO: &'static str = "io.modelcontextprotocol/serverInfo";
    /// The id of the `subscriptions/listen` request that a notification belongs to. Since 2026-07-28.
    pub const SUBSCRIPTION_ID: &'static str = "io.modelcontextprotocol/subscriptionId";

    /// The prefix that all of the protocol's own namespaced keys share.
    const RESERVED_PREFIX: &'static str = "io.modelcontextprotocol/";

    /// An empty object.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether `key` is written by the client itself and so not a user's to set: `progressToken` and every
    /// key that starts with `io.modelcontextprotocol/`.
    ///
    /// The specification reserves more prefixes for future use (any whose second label is
    /// `modelcontextprotocol` or `mcp`); those are not refused here.
    #[must_use]
    pub fn is_reserved(key: &str) -> bool {
        key == Self::PROGRESS_TOKEN || key.starts_with(Self::RESERVED_PREFIX)
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.0.get(key)
    }

    /// Sets `key` and returns what was there before.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(key.into(), value.into())
    }

    /// Removes `key` and returns what was there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.0.remove(key)
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// All keys with their values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The plain JSON object.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.0
    }
}

impl From<Map<String, Value>> for Meta {
    fn from(map: Map<String, Value>) -> Self {
        Self(map)
    }
}

impl<K: Into<String>, V: Into<Value>> FromIterator<(K, V)> for Meta {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        )
    }
}

impl<K: Into<String>, V: Into<Value>> Extend<(K, V)> for Meta {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(
            pairs
                .into_iter()
                .map(|(key, value)| (key.into(), value.into())),
        );
    }
}
