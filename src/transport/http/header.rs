//! Headers from text.
//!
//! Owns their making, so that each is known for the secret that it may be. It must not know where they are sent.

use reqwest::header::{HeaderName, HeaderValue};

/// The name of the header that carries a handshake session; it goes where credentials go.
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// A header from text, marked as a secret. The error does not show the value.
pub(crate) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let wrong =
        |what| format!("the {what} of the header {name:?} has characters that HTTP forbids");
    let header = HeaderName::try_from(name).map_err(|_| wrong("name"))?;
    let mut value = HeaderValue::try_from(value).map_err(|_| wrong("value"))?;
    value.set_sensitive(true);
    Ok((header, value))
}
