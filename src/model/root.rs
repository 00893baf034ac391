//! The folders that the user works on.
//!
//! Owns the payloads of `roots/list`; opens no folder and checks no address.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::meta::Meta;

/// A folder or file that a server may work on. Deprecated since 2026-07-28.
///
/// ```
/// use mcp_progress::model::Root;
///
/// let root = Root::new("file:///home/ada/engine").named("engine");
/// assert_eq!(root.name.as_deref(), Some("engine"));
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Root {
    /// Where it is: a `file://` URI. Not checked.
    pub uri: String,
    /// What to call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Metadata. Since 2025-06-18.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Root {
    /// The folder or file at this `file://` URI.
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            name: None,
            meta: None,
            other: Map::new(),
        }
    }

    /// Calls it so.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// The result of `roots/list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListRootsResult {
    /// The roots.
    pub roots: Vec<Root>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ListRootsResult {
    /// These roots.
    pub fn new(roots: impl IntoIterator<Item = Root>) -> Self {
        Self {
            roots: roots.into_iter().collect(),
            ..Self::default()
        }
    }
}
