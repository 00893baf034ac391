//! What each side can do.
//!
//! Owns the capability objects of both sides. They are sent once in a handshake, and since 2026-07-28 with
//! every request (client) and in the discovery result (server); this file does not know which.
//!
//! A capability is there if its object is, even an empty one. Settings without a schema stay plain JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::lenient::{is_off, null_as_default};

/// What a client can do for a server. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClientCapabilities {
    /// Capabilities outside the specification, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experimental: Option<Map<String, Value>>,
    /// Can list the folders that the user works on. Deprecated since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roots: Option<RootsCapability>,
    /// Can ask the user's language model. Deprecated since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling: Option<SamplingCapability>,
    /// Can ask the user. Since 2025-06-18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elicitation: Option<ElicitationCapability>,
    /// Can run a server's requests as tasks. Only in 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Map<String, Value>>,
    /// Extensions with their settings, by their identifiers. Since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ClientCapabilities {
    /// Can list roots; `list_changed` says that it also tells of changes (handshake revisions only).
    #[must_use]
    pub fn with_roots(mut self, list_changed: bool) -> Self {
        self.roots = Some(RootsCapability {
            list_changed,
            other: Map::new(),
        });
        self
    }

    /// Can answer `sampling/createMessage`, without tools and without context of other servers.
    #[must_use]
    pub fn with_sampling(mut self) -> Self {
        self.sampling.get_or_insert_default();
        self
    }

    /// Can answer `sampling/createMessage`, also where the model is to use tools. Since 2025-11-25.
    #[must_use]
    pub fn with_sampling_tools(mut self) -> Self {
        self.sampling
            .get_or_insert_default()
            .tools
            .get_or_insert_default();
        self
    }

    /// Can ask the user by a form.
    #[must_use]
    pub fn with_elicitation_form(mut self) -> Self {
        self.elicitation
            .get_or_insert_default()
            .form
            .get_or_insert_default();
        self
    }

    /// Can send the user to a URL. Since 2025-11-25.
    #[must_use]
    pub fn with_elicitation_url(mut self) -> Self {
        self.elicitation
            .get_or_insert_default()
            .url
            .get_or_insert_default();
        self
    }

    /// Adds an extension under its identifier with its settings, `{}` if it has none.
    #[must_use]
    pub fn with_extension(mut self, id: impl Into<String>, settings: Map<String, Value>) -> Self {
        let extensions = self.extensions.get_or_insert_default();
        extensions.insert(id.into(), Value::Object(settings));
        self
    }

    /// Adds a capability outside the specification.
    #[must_use]
    pub fn with_experimental(
        mut self,
        name: impl Into<String>,
        settings: Map<String, Value>,
    ) -> Self {
        let experimental = self.experimental.get_or_insert_default();
        experimental.insert(name.into(), Value::Object(settings));
        self
    }
}

/// Settings of a client's `roots` capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct RootsCapability {
    /// Sends `notifications/roots/list_changed`. Default `false`. Handshake revisions only.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub list_changed: bool,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Settings of a client's `sampling` capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SamplingCapability {
    /// Can include the context of other servers. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context: Option<Map<String, Value>>,
    /// Can let the model use tools. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Map<String, Value>>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Settings of a client's `elicitation` capability. An empty object means forms only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitationCapability {
    /// Can show a form. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<Map<String, Value>>,
    /// Can send the user to a URL. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<Map<String, Value>>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// What a server can do for a client. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ServerCapabilities {
    /// Capabilities outside the specification, by name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experimental: Option<Map<String, Value>>,
    /// Sends log messages. Deprecated since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Map<String, Value>>,
    /// Suggests values for arguments. Since 2025-03-26; before, any server may.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completions: Option<Map<String, Value>>,
    /// Has prompts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompts: Option<PromptsCapability>,
    /// Has resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourcesCapability>,
    /// Has tools.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolsCapability>,
    /// Can run requests as tasks. Only in 2025-11-25; later tasks are an extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Map<String, Value>>,
    /// Extensions with their settings, by their identifiers. Since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Map<String, Value>>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ServerCapabilities {
    /// The settings of an extension, if the server has it.
    #[must_use]
    pub fn extension(&self, id: &str) -> Option<&Value> {
        self.extensions.as_ref()?.get(id)
    }
}

/// Settings of a server's `prompts` capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct PromptsCapability {
    /// Tells when the list changes. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub list_changed: bool,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Settings of a server's `resources` capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ResourcesCapability {
    /// Tells when a single resource changes, for those who ask. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub subscribe: bool,
    /// Tells when the list changes. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub list_changed: bool,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Settings of a server's `tools` capability.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolsCapability {
    /// Tells when the list changes. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub list_changed: bool,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}
