//! What a handler is told of a request beside its params.
//!
//! Owns the reading of the request's `_meta`. It must not know handlers, or what the request asks for.

use serde::Deserialize;

use crate::model::token::ProgressToken;
use crate::model::{ClientCapabilities, Meta};
use crate::session::inbound::ServerRequest;
use crate::sync::Arc;

/// The request that a handler serves: its method, and what stands in its `_meta`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestContext {
    /// The method of the request, `elicitation/create` for instance.
    pub method: String,
    /// The `_meta` of the request; empty where it has none.
    pub meta: Meta,
    /// What the client offered: a server may not ask for more.
    pub(super) offered: Arc<ClientCapabilities>,
}

impl RequestContext {
    /// The context of a request without `_meta`, for tests of a handler of your own.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            meta: Meta::new(),
            offered: Arc::default(),
        }
    }

    pub(crate) fn of(request: &ServerRequest, offered: &Arc<ClientCapabilities>) -> Self {
        #[derive(Default, Deserialize)]
        struct Peek {
            #[serde(rename = "_meta", default)]
            meta: Option<Meta>,
        }

        // One that is no object reads as absent: it costs the server its progress, and nobody the answer.
        let peek = request.params::<Peek>().unwrap_or_default();
        Self {
            method: request.method.clone(),
            meta: peek.meta.unwrap_or_default(),
            offered: offered.clone(),
        }
    }

    /// The token under which the server wants to hear how far the handler is; none where it did not ask.
    #[must_use]
    pub fn progress_token(&self) -> Option<ProgressToken> {
        let token = self.meta.get(Meta::PROGRESS_TOKEN)?;
        ProgressToken::deserialize(token).ok()
    }

    /// The id of the task that the request belongs to (revision 2025-11-25, "Tasks", related task metadata).
    #[must_use]
    pub fn related_task(&self) -> Option<&str> {
        self.meta.get(RELATED_TASK)?.get("taskId")?.as_str()
    }
}

const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
