//! What a client wants to hear of.
//!
//! Owns the filter of `subscriptions/listen`; knows nothing of the stream it opens.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::{is_off, null_as_default};

/// Which notifications a `subscriptions/listen` stream carries. Since 2026-07-28.
///
/// Sent in the request, and echoed in `notifications/subscriptions/acknowledged` as far as the server agreed.
/// Everything is off unless asked for.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SubscriptionFilter {
    /// Wants `notifications/tools/list_changed`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub tools_list_changed: bool,
    /// Wants `notifications/prompts/list_changed`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub prompts_list_changed: bool,
    /// Wants `notifications/resources/list_changed`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub resources_list_changed: bool,
    /// Wants `notifications/resources/updated` for these URIs.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub resource_subscriptions: Vec<String>,
    /// Wants `notifications/tasks` for these tasks (extension `io.modelcontextprotocol/tasks`).
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub task_ids: Vec<String>,
    /// Fields that no known revision names, such as those of extensions.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl SubscriptionFilter {
    /// A filter that asks for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks to be told when the list of tools changes. Default: off.
    #[must_use]
    pub fn with_tools(mut self) -> Self {
        self.tools_list_changed = true;
        self
    }

    /// Asks to be told when the list of prompts changes. Default: off.
    #[must_use]
    pub fn with_prompts(mut self) -> Self {
        self.prompts_list_changed = true;
        self
    }

    /// Asks to be told when the list of resources changes. Default: off.
    #[must_use]
    pub fn with_resources(mut self) -> Self {
        self.resources_list_changed = true;
        self
    }

    /// Asks to be told when this resource changes. Can be called for many. Default: none.
    #[must_use]
    pub fn with_resource(mut self, uri: impl Into<String>) -> Self {
        self.resource_subscriptions.push(uri.into());
        self
    }

    /// Asks to be told when the state of this task changes. Can be called for many. Default: none. The server must offer
    /// the extension `io.modelcontextprotocol/tasks`.
    #[must_use]
    pub fn with_task(mut self, id: impl Into<String>) -> Self {
        self.task_ids.push(id.into());
        self
    }

    /// Whether it asks for nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
