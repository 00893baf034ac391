//! Servers made with `rmcp`: a sink over the peer of a request.
//!
//! Owns the translation into that crate's types. It must not know how its transports work.
#![allow(
    deprecated,
    reason = "rmcp marks all of logging as deprecated, which the revisions in use still have"
)]

use std::fmt;

use futures::future::BoxFuture;
use rmcp::model::{
    LoggingLevel as RmcpLevel, LoggingMessageNotificationParam, NumberOrString,
    ProgressNotificationParam, ProgressToken as RmcpToken,
};
use rmcp::service::{Peer, RequestContext, RoleServer, ServiceError};
use serde_json::Value;

use super::builder::ReporterBuilder;
use super::error::ReporterError;
use super::handle::ProgressReporter;
use super::sink::{ProgressSink, ProgressUpdate, SinkError};
use crate::model::{LoggingLevel, ProgressToken};

/// Sends updates to the client of an `rmcp` server, each in turn with what its transport takes.
///
/// Life-cycle events are sent as log messages where the request names a level (`io.modelcontextprotocol/logLevel`, revision
/// 2026-07-28), or from the level of [`log_from`](Self::log_from): in the handshake revisions only the server itself knows
/// what the client has set.
#[derive(Clone)]
pub struct RmcpSink {
    peer: Peer<RoleServer>,
    /// The token as the request had it, which may be none that we can carry: an integer beyond 2^53.
    original: Option<RmcpToken>,
    log_from: Option<LoggingLevel>,
}

impl RmcpSink {
    /// A sink that sends each update under its own token.
    #[must_use]
    pub const fn new(peer: Peer<RoleServer>) -> Self {
        Self {
            peer,
            original: None,
            log_from: None,
        }
    }

    /// Sends life-cycle events from this level up.
    #[must_use]
    pub const fn log_from(mut self, level: LoggingLevel) -> Self {
        self.log_from = Some(level);
        self
    }
}

impl ProgressReporter {
    /// A reporter for a request that an `rmcp` server handles, with the process-wide defaults. See
    /// [`ReporterBuilder::from_rmcp`] for one with options, and for requests that need not have a token.
    ///
    /// ```
    /// # async fn count(context: rmcp::service::RequestContext<rmcp::RoleServer>)
    /// #     -> Result<rmcp::model::CallToolResult, Box<dyn std::error::Error>> {
    /// use mcp_progress::reporter::ReporterBuilder;
    /// use rmcp::model::{CallToolResult, ContentBlock};
    ///
    /// let reporter = ReporterBuilder::from_rmcp(&context).or_noop().build()?;
    /// for file in reporter.wrap(["a", "b", "c"]) {
    ///     reporter.message(format!("reading {file}"))?;
    /// }
    /// reporter.finish().await?; // the last update is out before the result
    /// # Ok(
    /// CallToolResult::success(vec![ContentBlock::text("done")])
    /// # ) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`MissingToken`](ReporterError::MissingToken) where the request brought none, and
    /// [`NoRuntime`](ReporterError::NoRuntime).
    pub fn from_rmcp(context: &RequestContext<RoleServer>) -> Result<Self, ReporterError> {
        ReporterBuilder::from_rmcp(context).build()
    }
}

impl ReporterBuilder {
    /// A reporter with options of its own for a request that an `rmcp` server handles, under the token that it brought, if
    /// it did.
    pub fn from_rmcp(context: &RequestContext<RoleServer>) -> Self {
        let mut sink = RmcpSink::new(context.peer.clone());
        sink.original = context.meta.get_progress_token();
        sink.log_from = context.meta.log_level().map(level_of);
        let token = sink.original.as_ref().map(token_of);
        ProgressReporter::builder(sink).token(token)
    }
}

/// Our name for a token. One that we cannot carry goes by its text; the sink keeps the original.
fn token_of(token: &RmcpToken) -> ProgressToken {
    match &token.0 {
        NumberOrString::Number(number) => ProgressToken::from_integer(*number)
            .unwrap_or_else(|| ProgressToken::from(number.to_string())),
        NumberOrString::String(text) => ProgressToken::from(&**text),
    }
}

fn rmcp_token(token: &ProgressToken) -> RmcpToken {
    RmcpToken(match (token.as_integer(), token.as_str()) {
        (Some(number), _) => NumberOrString::Number(number),
        (None, text) => NumberOrString::String(text.unwrap_or_default().into()),
    })
}

const fn level_of(level: RmcpLevel) -> LoggingLevel {
    match level {
        RmcpLevel::Debug => LoggingLevel::Debug,
        RmcpLevel::Info => LoggingLevel::Info,
        RmcpLevel::Notice => LoggingLevel::Notice,
        RmcpLevel::Warning => LoggingLevel::Warning,
        RmcpLevel::Error => LoggingLevel::Error,
        RmcpLevel::Critical => LoggingLevel::Critical,
        RmcpLevel::Alert => LoggingLevel::Alert,
        RmcpLevel::Emergency => LoggingLevel::Emergency,
    }
}

const fn rmcp_level(level: LoggingLevel) -> RmcpLevel {
    match level {
        LoggingLevel::Debug => RmcpLevel::Debug,
        LoggingLevel::Info => RmcpLevel::Info,
        LoggingLevel::Notice => RmcpLevel::Notice,
        LoggingLevel::Warning => RmcpLevel::Warning,
        LoggingLevel::Error => RmcpLevel::Error,
        LoggingLevel::Critical => RmcpLevel::Critical,
        LoggingLevel::Alert => RmcpLevel::Alert,
        LoggingLevel::Emergency => RmcpLevel::Emergency,
    }
}

fn refused(error: ServiceError) -> SinkError {
    let text = error.to_string();
    match error {
        ServiceError::TransportClosed | ServiceError::Cancelled { .. } => {
            SinkError::permanent(text)
        }
        _ => SinkError::transient(text),
    }
}

impl ProgressSink for RmcpSink {
    fn send(&self, update: ProgressUpdate) -> BoxFuture<'_, Result<(), SinkError>> {
        let token = self.original.clone();
        let token = token.unwrap_or_else(|| rmcp_token(&update.token));
        let mut params = ProgressNotificationParam::new(token, update.progress);
        params.total = update.total;
        params.message = update.message;
        Box::pin(async move { self.peer.notify_progress(params).await.map_err(refused) })
    }

    fn log(
        &self,
        level: LoggingLevel,
        data: Value,
    ) -> Option<BoxFuture<'_, Result<(), SinkError>>> {
        self.log_from.filter(|from| level >= *from)?;
        let params =
            LoggingMessageNotificationParam::new(rmcp_level(level), data).with_logger("progress");
        Some(Box::pin(async move {
            let sent = self.peer.notify_logging_message(params).await;
            sent.map_err(refused)
        }))
    }
}

impl fmt::Debug for RmcpSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RmcpSink")
            .field("original", &self.original)
            .field("log_from", &self.log_from)
            .finish_non_exhaustive()
    }
}
