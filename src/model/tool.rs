//! Tools and what they answer.
//!
//! Owns the payloads of `tools/*`; the schemas in them stay text (`schema.rs`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    cache::CacheScope,
    content::ContentBlock,
    implementation::Icon,
    lenient::{is_off, null_as_default, ttl},
    meta::Meta,
    pagination::Paginated,
    schema::Schema,
};

/// A tool that a server offers.
///
/// Like [`Schema`], it can be read from JSON text or a [`Value`], but not from inside serde's `flatten`,
/// `untagged` or `tag` in a type of your own.
// Raw text survives beside a flattened map because serde buffers only the keys that no field claims.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Tool {
    /// The name to call it by.
    pub name: String,
    /// The name for people. Since 2025-06-18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, written for a language model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The arguments it takes, as the server wrote it.
    pub input_schema: Schema,
    /// The shape of its `structuredContent`, as the server wrote it. Since 2025-06-18.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Schema>,
    /// Hints on how it behaves. Since 2025-03-26.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Pictures for it. Since 2025-11-25.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub icons: Vec<Icon>,
    /// Metadata. Since 2025-06-18.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that have no place above, such as `execution` of 2025-11-25.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Tool {
    /// A tool with the two fields that every revision asks for.
    pub fn new(name: impl Into<String>, input_schema: Schema) -> Self {
        Self {
            name: name.into(),
            title: None,
            description: None,
            input_schema,
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
            other: Map::new(),
        }
    }

    /// What to show: the title, else the title in the annotations, else the name.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let annotated = || self.annotations.as_ref()?.title.as_deref();
        self.title
            .as_deref()
            .or_else(annotated)
            .unwrap_or(&self.name)
    }
}

/// Hints on how a tool behaves. Since 2025-03-26.
///
/// They are the server's own claims: no ground for a decision of safety unless the server is trusted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ToolAnnotations {
    /// The name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// It changes nothing. Absent means `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy something. Absent means `true`; without meaning for a tool that changes nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Calling it twice does no more than once. Absent means `false`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It deals with things outside the server's own world. Absent means `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The result of `tools/call`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct CallToolResult {
    /// The answer in blocks; empty if the server left it out.
    #[serde(default, deserialize_with = "null_as_default")]
    pub content: Vec<ContentBlock>,
    /// The answer as data. Since 2025-06-18: an object; since 2026-07-28: any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Value>,
    /// Whether the tool failed; [`content`](Self::content) then says how. Default `false`.
    #[serde(
        default,
        deserialize_with = "null_as_default",
        skip_serializing_if = "is_off"
    )]
    pub is_error: bool,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// `complete`, or absent, which means the same. Since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl CallToolResult {
    /// A success with one block of text.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self {
            content: vec![ContentBlock::text(text)],
            ..Self::default()
        }
    }

    /// A failure with one block of text.
    pub fn from_error(text: impl Into<String>) -> Self {
        Self {
            is_error: true,
            ..Self::from_text(text)
        }
    }

    /// The text blocks joined by line breaks, or `None` if there is no text block.
    #[must_use]
    pub fn as_text(&self) -> Option<String> {
        self.content
            .iter()
            .filter_map(ContentBlock::as_text)
            .map(str::to_owned)
            .reduce(|all, text| all + "\n" + &text)
    }
}

/// One page of `tools/list`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ListToolsResult {
    /// The tools of this page.
    pub tools: Vec<Tool>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// How long the page stays fresh, in milliseconds; 0 or absent: not at all. Since 2026-07-28.
    #[serde(
        default,
        deserialize_with = "ttl",
        skip_serializing_if = "Option::is_none"
    )]
    pub ttl_ms: Option<u64>,
    /// Who may reuse the page. Since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache_scope: Option<CacheScope>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// `complete`, or absent, which means the same. Since 2026-07-28.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_type: Option<String>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl Paginated for ListToolsResult {
    type Item = Tool;

    fn next_cursor(&self) -> Option<&str> {
        self.next_cursor.as_deref()
    }

    fn into_items(self) -> Vec<Tool> {
        self.tools
    }
}
