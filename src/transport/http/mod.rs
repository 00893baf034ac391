//! HTTP as such: where the server is, how it is reached, and what its refusals mean.
//!
//! Owns the HTTP client, credentials and redirects. It must not know calls or tokens.

pub(crate) mod channel;
pub(crate) mod endpoint;
pub(crate) mod header;
pub(crate) mod origin;
pub(crate) mod provider;
pub(crate) mod refusal;
pub(crate) mod settings;
pub(crate) mod tls;
