//! What a server asks before it goes on with a request.
//!
//! Owns the result that asks, and its questions. It must not know who answers them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::lenient::null_as_default;

/// A result that asks for input: the request is to be sent again with the answers. Revision 2026-07-28, "Multi Round-Trip
/// Requests".
///
/// A call answers by the client's handlers and goes on by itself; this is for those that take the result as it is
/// ([`Request::allow_input_required`](crate::Request::allow_input_required)) and answer with
/// [`Request::input_responses`](crate::Request::input_responses).
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[non_exhaustive]
pub struct InputRequired {
    /// `input_required`, where this is such a result.
    pub result_type: Option<String>,
    /// The questions, by names that the server chose.
    #[serde(
        deserialize_with = "null_as_default",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub input_requests: BTreeMap<String, InputRequest>,
    /// To be sent back with the answers exactly as it is, and not to be looked into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_state: Option<Box<RawValue>>,
}

/// One question: `elicitation/create`, `sampling/createMessage` or `roots/list`, with its params.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct InputRequest {
    /// The method.
    pub method: String,
    /// The params, verbatim.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Box<RawValue>>,
}

impl InputRequired {
    /// Whether this is a result that asks for input, and not another one.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        self.result_type.as_deref() == Some("input_required")
    }
}
