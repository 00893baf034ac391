//! Notifications of the server that belong to no call.
//!
//! Owns their form. It must not know who reads them.

use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// A notification of the server: a log message, a changed list, an updated resource, or one of its own.
///
/// Progress does not come this way; see [`ProgressRegistry`](crate::ProgressRegistry).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Notification {
    /// Its method, `notifications/message` for instance.
    pub method: String,
    /// Its params, verbatim.
    pub params: Option<Box<RawValue>>,
}

impl Notification {
    /// The method of log messages; their params are a [`LogMessage`](crate::model::LogMessage).
    pub const LOG: &'static str = "notifications/message";

    /// The params as a type.
    ///
    /// # Errors
    ///
    /// Fails where the params do not have the form of `T`; absent ones are read as `null`.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.params.as_ref().map_or("null", |params| params.get()))
    }
}
