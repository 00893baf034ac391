//! What a handler is told of a request beside its params.
//!
//! Owns the reading of the request's `_meta`. It must not know handlers, or what the request asks for.

use serde::Deserialize;

use super::reports::{Reports, Way};
use crate::model::token::ProgressToken;
use crate::model::{ClientCapabilities, Meta};
use crate::reporter::{ProgressReporter, ReporterBuilder, ReporterError};
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
    /// Its progress, where the server wants to hear of it.
    reports: Option<Arc<Reports>>,
}

impl RequestContext {
    /// The context of a request without `_meta`, for tests of a handler of your own.
    pub fn new(method: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            meta: Meta::new(),
            offered: Arc::default(),
            reports: None,
        }
    }

    pub(crate) fn of(
        request: &ServerRequest,
        offered: &Arc<ClientCapabilities>,
        way: Option<&Arc<dyn Way>>,
    ) -> Self {
        #[derive(Default, Deserialize)]
        struct Peek {
            #[serde(rename = "_meta", default)]
            meta: Option<Meta>,
        }

        // One that is no object reads as absent: it costs the server its progress, and nobody the answer.
        let peek = request.params::<Peek>().unwrap_or_default();
        let mut context = Self {
            method: request.method.clone(),
            meta: peek.meta.unwrap_or_default(),
            offered: offered.clone(),
            reports: None,
        };
        if let (Some(token), Some(way)) = (context.progress_token(), way) {
            context.reports = Some(Arc::new(Reports::new(token, way.clone())));
        }
        context
    }

    pub(crate) const fn reports(&self) -> Option<&Arc<Reports>> {
        self.reports.as_ref()
    }

    /// Reports to the server how far the handler is, with the process-wide defaults. Does nothing where the server did not
    /// ask for it, and in revision 2026-07-28, in which clients report nothing.
    ///
    /// Every call gives the same reporter. It need not be finished: that is done with the handler's answer, and what is
    /// held goes out before it, unless the server does not read for a second; with an error it has failed. Where the
    /// server cancels its request, nothing more goes out. Over HTTP each message is posted by itself, and the last update
    /// and the answer may arrive in either order.
    ///
    /// ```
    /// use mcp_progress::model::{ElicitForm, ElicitResult};
    /// use mcp_progress::{ErrorObject, RequestContext};
    ///
    /// async fn fill_in(form: ElicitForm, context: RequestContext) -> Result<ElicitResult, ErrorObject> {
    ///     let reporter = context.reporter();
    ///     let mut result = ElicitResult::accept();
    ///     for field in reporter.wrap(&form.requested_schema.fields) {
    ///         // Ask somebody.
    ///         result = result.with(&field.name, "Ada");
    ///     }
    ///     Ok(result)
    /// }
    /// # let _ = fill_in;
    /// ```
    #[must_use]
    pub fn reporter(&self) -> ProgressReporter {
        let reporter = self.reporter_with(|builder| builder);
        reporter.unwrap_or_else(|error| {
            tracing::error!(%error, "the defaults of reporters are of no use; nothing is reported");
            ProgressReporter::noop()
        })
    }

    /// As [`reporter`](Self::reporter), with options. Those of the first call count.
    ///
    /// # Errors
    ///
    /// [`ReporterError::BadConfig`] for options that cannot be.
    pub fn reporter_with(
        &self,
        options: impl FnOnce(ReporterBuilder) -> ReporterBuilder,
    ) -> Result<ProgressReporter, ReporterError> {
        let reports = self.reports.as_ref();
        reports.map_or_else(
            || Ok(ProgressReporter::noop()),
            |reports| reports.reporter(options),
        )
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
