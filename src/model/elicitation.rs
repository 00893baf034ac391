//! Asking the user: what a server wants to know, and what the user said.
//!
//! Owns the payloads of `elicitation/create` and what belongs to it; the fields of a form are in `form`.

use serde::de::{Deserializer, Error as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{form::FormSchema, meta::Meta};
use crate::jsonrpc::ErrorObject;

/// The params of `elicitation/create`: a question to the user (revisions since 2025-06-18, "Elicitation").
///
/// Like [`Schema`](super::Schema), it can be read from JSON text or a [`Value`], but not from inside serde's `flatten`,
/// `untagged` or `tag` in a type of your own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
#[non_exhaustive]
pub enum ElicitRequest {
    /// By a form. Also where the server names no mode.
    Form(ElicitForm),
    /// By a page that the user visits. Since 2025-11-25.
    Url(ElicitUrl),
}

impl<'de> Deserialize<'de> for ElicitRequest {
    /// Fails for a mode that no known revision names.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Peek {
            #[serde(default)]
            mode: Option<String>,
        }

        // The text, so that the form keeps its order.
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let peek: Peek = serde_json::from_str(raw.get()).map_err(D::Error::custom)?;
        match peek.mode.as_deref() {
            None | Some("form") => serde_json::from_str(raw.get()).map(Self::Form),
            Some("url") => serde_json::from_str(raw.get()).map(Self::Url),
            Some(other) => {
                let text = format!("the mode {other:?} is not known");
                return Err(D::Error::custom(text));
            }
        }
        .map_err(D::Error::custom)
    }
}

impl ElicitRequest {
    /// What to tell the user.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::Form(form) => &form.message,
            Self::Url(url) => &url.message,
        }
    }
}

/// A question by a form.
///
/// Show which server asks, and let the user decline. A form is not for passwords or keys; servers have
/// [`ElicitUrl`] for those.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitForm {
    /// What to tell the user.
    pub message: String,
    /// The fields.
    pub requested_schema: FormSchema,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that have no place above: `mode`, and `task` of 2025-11-25, among them.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ElicitForm {
    /// This question with these fields.
    pub fn new(message: impl Into<String>, requested_schema: FormSchema) -> Self {
        Self {
            message: message.into(),
            requested_schema,
            meta: None,
            other: Map::new(),
        }
    }
}

/// A question by a page that the user visits, for what must not pass through this client. Since 2025-11-25.
///
/// Show the whole address and where it leads, and open it only with the user's consent; never fetch it beforehand.
/// Accepting means that the user agreed to go there, not that anything is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitUrl {
    #[serde(default)]
    mode: UrlMode,
    /// What to tell the user.
    pub message: String,
    /// Where to go. Not checked.
    pub url: String,
    /// The name of the question, which [`ElicitationComplete`] repeats. Only in 2025-11-25.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elicitation_id: Option<String>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that have no place above, such as `task` of 2025-11-25.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

/// The one mode of such a question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UrlMode {
    #[default]
    Url,
}

impl ElicitUrl {
    /// This question, answered at this address.
    pub fn new(message: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            mode: UrlMode::Url,
            message: message.into(),
            url: url.into(),
            elicitation_id: None,
            meta: None,
            other: Map::new(),
        }
    }
}

/// What the user did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ElicitAction {
    /// Sent the form, or agreed to visit the page.
    Accept,
    /// Said no.
    Decline,
    /// Closed the question without an answer.
    Cancel,
    /// Something that no known revision names.
    #[serde(untagged)]
    Other(String),
}

/// The result of `elicitation/create`.
///
/// ```
/// use mcp_progress::model::ElicitResult;
///
/// let result = ElicitResult::accept().with("name", "Ada").with("age", 36);
/// assert_eq!(
///     serde_json::to_string(&result)?,
///     r#"{"action":"accept","content":{"age":36,"name":"Ada"}}"#
/// );
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitResult {
    /// What the user did.
    pub action: ElicitAction,
    /// What the user filled in, by the names of the fields. Only where a form was accepted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Map<String, Value>>,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ElicitResult {
    /// The user agreed. The fields of a form that are not given with [`with`](Self::with) get their defaults; give `()` or
    /// `null` for one that the user has emptied.
    #[must_use]
    pub fn accept() -> Self {
        Self::of(ElicitAction::Accept)
    }

    /// The user agreed, and filled this in.
    #[must_use]
    pub fn accept_with(content: Map<String, Value>) -> Self {
        Self {
            content: Some(content),
            ..Self::accept()
        }
    }

    /// The user said no.
    #[must_use]
    pub fn decline() -> Self {
        Self::of(ElicitAction::Decline)
    }

    /// The user gave no answer.
    #[must_use]
    pub fn cancel() -> Self {
        Self::of(ElicitAction::Cancel)
    }

    /// Adds the value of a field.
    #[must_use]
    pub fn with(mut self, field: impl Into<String>, value: impl Into<Value>) -> Self {
        let content = self.content.get_or_insert_default();
        content.insert(field.into(), value.into());
        self
    }

    fn of(action: ElicitAction) -> Self {
        Self {
            action,
            content: None,
            meta: None,
            other: Map::new(),
        }
    }
}

/// The params of `notifications/elicitation/complete`: what the user went to a page for is done. Only in 2025-11-25.
///
/// Servers need not send it. It comes among [`Client::notifications`](crate::Client::notifications).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ElicitationComplete {
    /// Which question: [`ElicitUrl::elicitation_id`]. One that is not known is to be ignored.
    pub elicitation_id: String,
    /// Metadata.
    #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Meta>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl ElicitationComplete {
    /// The notification's method.
    pub const METHOD: &'static str = "notifications/elicitation/complete";

    /// The question of this name is done.
    pub fn new(elicitation_id: impl Into<String>) -> Self {
        Self {
            elicitation_id: elicitation_id.into(),
            meta: None,
            other: Map::new(),
        }
    }
}

/// The data of the error -32042: the request works only after the user has been to these pages. Only in 2025-11-25.
///
/// ```no_run
/// # async fn example(client: mcp_progress::Client) -> mcp_progress::Result<()> {
/// use mcp_progress::model::UrlElicitationRequired;
/// use serde_json::json;
///
/// if let Err(error) = client.call_tool("list-my-files", json!({})).await
///     && let Some(required) = error.as_rpc().and_then(UrlElicitationRequired::of)
/// {
///     for page in required.elicitations {
///         tracing::info!("{}: {}", page.message, page.url);
///     }
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct UrlElicitationRequired {
    /// The pages.
    pub elicitations: Vec<ElicitUrl>,
    /// Fields that no known revision names.
    #[serde(flatten)]
    pub other: Map<String, Value>,
}

impl UrlElicitationRequired {
    /// The error's code.
    pub const CODE: i64 = -32042;

    /// Reads the data of an error; none where the code is another, or the data is not of the form.
    #[must_use]
    pub fn of(error: &ErrorObject) -> Option<Self> {
        let data = error.data.as_ref().filter(|_| error.code == Self::CODE)?;
        Self::deserialize(data).ok()
    }
}
