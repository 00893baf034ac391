//! Hints on who a piece of content is for.
//!
//! Owns what content, resources and prompts share; imports none of them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::{fraction, null_as_default};

/// One of the two ends of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// The person.
    User,
    /// The language model.
    Assistant,
    /// A role that no known revision names.
    #[serde(untagged)]
    Other(String),
}

/// Hints on how to use or show something. All optional.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Annotations {
    /// Who it is meant for; empty if not said.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub audience: Vec<Role>,
    /// How much it matters, from 0 (can be left out) to 1 (needed). Not checked against that range.
    #[serde(
        default,
        deserialize_with = "fraction",
        skip_serializing_if = "Option::is_none"
    )]
    pub priority: Option<f64>,
    /// When it was last changed, in ISO 8601. Since 2025-06-18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
