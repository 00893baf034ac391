//! Owns one update as a script writes it. Must not know connections, nor which request it goes to.

use serde_json::{Map, Value};

/// One `notifications/progress` as a script sends it.
///
/// The fields are JSON values, written exactly as given: `1` stays `1`, `1.0` stays `1.0`, and a string where
/// the specification wants a number is written as a string, to see what a client makes of it.
///
/// ```
/// use mcp_progress::testing::{Script, Update};
/// use serde_json::json;
///
/// let script = Script::new()
///     .progress_with(Update::new(0.5).total(2).message("half of the first"))
///     .progress_with(Update::new(1).meta(json!({"example.com/shard": 7})))
///     .progress_with(Update::new(2).other("total", json!("two"))); // malformed on purpose
/// # let _ = script;
/// ```
#[derive(Clone, Debug)]
pub struct Update {
    fields: Map<String, Value>,
}

impl Update {
    /// An update that has come to `progress`, with no total and no message.
    pub fn new(progress: impl Into<Value>) -> Self {
        Self {
            fields: Map::from_iter([("progress".to_owned(), progress.into())]),
        }
    }

    /// An update without any field yet.
    pub(crate) fn empty() -> Self {
        Self { fields: Map::new() }
    }

    /// Sets how much there is to do altogether.
    #[must_use]
    pub fn total(self, total: impl Into<Value>) -> Self {
        self.other("total", total)
    }

    /// Sets the text for people.
    #[must_use]
    pub fn message(self, message: impl Into<String>) -> Self {
        self.other("message", message.into())
    }

    /// Sets the `_meta` object of the notification.
    #[must_use]
    pub fn meta(self, meta: Value) -> Self {
        self.other("_meta", meta)
    }

    /// Sets any other field of the notification's parameters, or replaces one of the known ones.
    ///
    /// The token is set last, by the script step; it cannot be replaced here. See [`Script::progress_for`].
    ///
    /// [`Script::progress_for`]: crate::testing::Script::progress_for
    #[must_use]
    pub fn other(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.fields.insert(name.into(), value.into());
        self
    }

    /// The parameters of the notification, for the operation that goes by `token`.
    pub(crate) fn params(&self, token: &Value) -> Value {
        let mut params = self.fields.clone();
        params.insert("progressToken".to_owned(), token.clone());
        Value::Object(params)
    }
}
