//! The events about questions, for programs.
//!
//! Owns their members. Values that were filled in are not among them. It must not know where they are written.

use mcp_progress::model::{ElicitAction, ElicitForm, ElicitUrl, FormSchema};
use serde::Serialize;

/// The server asks.
#[derive(Debug, Serialize)]
pub(crate) struct Question<'a> {
    event: &'static str,
    mode: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<&'a FormSchema>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
}

impl<'a> Question<'a> {
    pub(crate) fn form(form: &'a ElicitForm) -> Self {
        Self {
            event: "question",
            mode: "form",
            message: &form.message,
            schema: Some(&form.requested_schema),
            url: None,
        }
    }

    pub(crate) fn page(url: &'a ElicitUrl) -> Self {
        Self {
            event: "question",
            mode: "url",
            message: &url.message,
            schema: None,
            url: Some(&url.url),
        }
    }
}

/// It was answered.
#[derive(Debug, Serialize)]
pub(crate) struct Answer<'a> {
    event: &'static str,
    action: &'a ElicitAction,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

impl<'a> Answer<'a> {
    pub(crate) const fn new(action: &'a ElicitAction, reason: Option<&'a str>) -> Self {
        Self {
            event: "answer",
            action,
            reason,
        }
    }
}
