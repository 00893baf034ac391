//! A JSON Schema exactly as its author wrote it.
//!
//! Owns the raw text; neither interprets nor validates it.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};

/// A JSON Schema kept as the text that came from the peer, so that it can be passed on unchanged: same keys,
/// same order, same numbers.
///
/// Two schemas are equal if their texts are; to compare meaning, compare [`to_value`](Self::to_value).
///
/// Can be read from JSON text and from a [`Value`] (then the order of keys is the value's), but not inside a
/// type of your own that uses serde's `flatten`, `untagged` or `tag` around it: those lose the text.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Schema(Box<RawValue>);

impl Schema {
    /// Takes a schema written as JSON text.
    ///
    /// # Errors
    ///
    /// If the text is not one JSON value. Whether it is a good schema is not checked.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text).map(Self)
    }

    /// Takes a schema built in code.
    ///
    /// # Errors
    ///
    /// If the value cannot be written as JSON, which serde_json rules out for ordinary values.
    pub fn from_value(value: &Value) -> Result<Self, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Self)
    }

    /// The text, white space and line breaks included, as the peer sent it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }

    /// Parses the text.
    ///
    /// # Errors
    ///
    /// If the schema nests deeper than serde_json reads (128 levels), or has a number beyond the range of
    /// `f64`. The text itself is well formed.
    pub fn to_value(&self) -> Result<Value, serde_json::Error> {
        serde_json::from_str(self.as_str())
    }
}

impl PartialEq for Schema {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Schema {}

impl fmt::Debug for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Schema({})", self.as_str())
    }
}
