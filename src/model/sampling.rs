//! Asking the user's language model.
//!
//! Owns the payloads of `sampling/createMessage`; knows no model.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::{
    annotations::Role,
    content::{AudioContent, ContentBlock, ImageContent, TextContent},
    lenient::{count, fraction, is_off, null_as_default},
    meta::Meta,
    tool::Tool,
};

/// The params of `sampling/createMessage`: a server asks for what a language model says. Deprecated since 2026-07-28.
///
/// The client decides on the model and on what it is told; the user should see both and may refuse.
///
/// Like [`Tool`], it can be read from JSON text or a [`Value`], but not from inside serde's `flatten`, `untagged` or `tag`
/// in a type of your own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateMessageRequest {
    /// The conversation so far.
    pub messages: Vec<SamplingMessage>,
    /// Which model the server would like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model_preferences: Option<ModelPreferences>,
    /// What the model should be told first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Whether to add what servers know. Absent means [`IncludeContext::None`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub include_context: Option<IncludeContext>,
    /// How daring the model should be.
    #[serde(
        default,
        deserialize_with = "fraction",
        skip_serializing_if = "Option::is_none"
    )]
    pub temperature: Option<f64>,
    /// The most tokens that the model may write. Every revision asks for it, yet a server may leave it out.
    #[serde(
        default,
        deserialize_with = "count",
        skip_serializing_if = "Option::is_none"
    )]
    pub max_tokens: Option<u64>,
    /// Texts at which the model stops.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub stop_sequences: Vec<String>,
    /// For the provider of the model, in its own form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Map<String, Value>>,
    /// Tools that the model may use. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<Tool>>,
    /// How the model uses them. Since 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tool_choice: Option<ToolChoice>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that have no place above, such as `task` of 2025-11-25.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CreateMessageRequest {
    /// This conversation, with so many tokens for the answer.
    pub fn new(messages: impl IntoIterator<Item = SamplingMessage>, max_tokens: u64) -> Self {
        Self {
            messages: messages.into_iter().collect(),
            max_tokens: Some(max_tokens),
            ..Self::default()
        }
    }
}

/// What of the servers' knowledge to add to a conversation. All but `None` are deprecated since 2025-11-25.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum IncludeContext {
    /// Nothing.
    None,
    /// That of the server that asks.
    ThisServer,
    /// That of all servers.
    AllServers,
    /// Something that no known revision names.
    #[serde(untagged)]
    Other(String),
}

/// Which model a server would like; advice only.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelPreferences {
    /// Names; the first that fits counts.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub hints: Vec<ModelHint>,
    /// How much a low price matters, from 0 to 1. Not checked against that range, nor are the other two.
    #[serde(
        default,
        deserialize_with = "fraction",
        skip_serializing_if = "Option::is_none"
    )]
    pub cost_priority: Option<f64>,
    /// How much speed matters, from 0 to 1.
    #[serde(
        default,
        deserialize_with = "fraction",
        skip_serializing_if = "Option::is_none"
    )]
    pub speed_priority: Option<f64>,
    /// How much intelligence matters, from 0 to 1.
    #[serde(
        default,
        deserialize_with = "fraction",
        skip_serializing_if = "Option::is_none"
    )]
    pub intelligence_priority: Option<f64>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// A hint at a model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ModelHint {
    /// A part of the model's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// How the model uses tools. Since 2025-11-25.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolChoice {
    /// Absent means [`ToolChoiceMode::Auto`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<ToolChoiceMode>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// Whether the model uses tools. Since 2025-11-25.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ToolChoiceMode {
    /// As it likes.
    Auto,
    /// At least one, before it is done.
    Required,
    /// None.
    None,
    /// Something that no known revision names.
    #[serde(untagged)]
    Other(String),
}

/// One message of a conversation with a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SamplingMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said. A single block is written as such, as before 2025-11-25, and several as an array.
    #[serde(deserialize_with = "one_or_many", serialize_with = "one_if_single")]
    pub content: Vec<SamplingContent>,
    /// Metadata. Since 2025-11-25.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl SamplingMessage {
    /// This content said by this side.
    pub fn new(role: Role, content: impl IntoIterator<Item = SamplingContent>) -> Self {
        Self {
            role,
            content: content.into_iter().collect(),
            meta: None,
            other: Map::new(),
        }
    }

    /// This text said by this side.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self::new(role, [SamplingContent::text(text)])
    }
}

/// One piece of a message, told apart by its `type`.
///
/// A block that is not known, or lacks a field of its type, is [`Unknown`](Self::Unknown), as with
/// [`ContentBlock`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[non_exhaustive]
pub enum SamplingContent {
    /// Text.
    Text(TextContent),
    /// A picture.
    Image(ImageContent),
    /// A sound. Since 2025-03-26.
    Audio(AudioContent),
    /// The model wants to use a tool. Since 2025-11-25.
    ToolUse(ToolUseContent),
    /// What a tool answered. Since 2025-11-25.
    ToolResult(ToolResultContent),
    /// Anything else, as it came.
    #[serde(untagged)]
    Unknown(Map<String, Value>),
}

impl SamplingContent {
    /// A block of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(TextContent::new(text))
    }

    /// The text of a text block.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(content) => Some(&content.text),
            _ => None,
        }
    }
}

/// The model wants to use a tool. Since 2025-11-25.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolUseContent {
    /// The name of this use, which its result repeats.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub input: Map<String, Value>,
    /// Metadata, to be kept when the block is sent again.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ToolUseContent {
    /// The use of a tool, under a name for this use.
    pub fn new(id: impl Into<String>, name: impl Into<String>, input: Map<String, Value>) -> Self {
        Self {
            id: id.into(),
            name: name.into(),
            input,
            meta: None,
            other: Map::new(),
        }
    }
}

/// What a tool answered. Since 2025-11-25.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolResultContent {
    /// Which use: [`ToolUseContent::id`].
    pub tool_use_id: String,
    /// The answer in blocks.
    #[serde(default, deserialize_with = "null_as_default")]
    pub content: Vec<ContentBlock>,
    /// The answer as data.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// Whether the tool failed. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub is_error: bool,
    /// Metadata, to be kept when the block is sent again.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ToolResultContent {
    /// The answer to this use.
    pub fn new(
        tool_use_id: impl Into<String>,
        content: impl IntoIterator<Item = ContentBlock>,
    ) -> Self {
        Self {
            tool_use_id: tool_use_id.into(),
            content: content.into_iter().collect(),
            ..Self::default()
        }
    }
}

/// The result of `sampling/createMessage`: what the model said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CreateMessageResult {
    /// Who speaks: the model, so [`Role::Assistant`].
    pub role: Role,
    /// What it said. A single block is written as such, and several as an array.
    #[serde(deserialize_with = "one_or_many", serialize_with = "one_if_single")]
    pub content: Vec<SamplingContent>,
    /// The model's name.
    pub model: String,
    /// Why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<StopReason>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CreateMessageResult {
    /// The code of the error that says that the user refused (revision 2025-11-25, "Sampling", error handling).
    pub const USER_REJECTED: i64 = -1;

    /// What the model of this name said.
    pub fn new(
        model: impl Into<String>,
        content: impl IntoIterator<Item = SamplingContent>,
    ) -> Self {
        Self {
            role: Role::Assistant,
            content: content.into_iter().collect(),
            model: model.into(),
            stop_reason: None,
            meta: None,
            other: Map::new(),
        }
    }

    /// The text that the model of this name wrote.
    pub fn text(model: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(model, [SamplingContent::text(text)])
    }

    /// Why it stopped.
    #[must_use]
    pub fn with_stop_reason(mut self, reason: StopReason) -> Self {
        self.stop_reason = Some(reason);
        self
    }
}

/// Why a model stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum StopReason {
    /// It had said everything.
    EndTurn,
    /// It came to a text at which it had to stop.
    StopSequence,
    /// It had no more tokens.
    MaxTokens,
    /// It wants to use tools. Since 2025-11-25.
    ToolUse,
    /// A reason of the model's provider.
    #[serde(untagged)]
    Other(String),
}

/// Reads a single block or an array of them.
fn one_or_many<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<SamplingContent>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Content {
        Many(Vec<SamplingContent>),
        One(SamplingContent),
    }

    Ok(match Content::deserialize(deserializer)? {
        Content::Many(many) => many,
        Content::One(one) => vec![one],
    })
}

fn one_if_single<S: Serializer>(
    content: &[SamplingContent],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match content {
        [one] => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}
