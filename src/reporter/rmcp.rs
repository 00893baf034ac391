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
    /// As the request had it, also where it is none of ours: an integer beyond 2^53.
    token: RmcpToken,
    log_from: Option<LoggingLevel>,
}

impl RmcpSink {
    /// A sink for the updates of this token.
    #[must_use]
    pub const fn new(peer: Peer<RoleServer>, token: RmcpToken) -> Self {
        Self {
            peer,
            token,
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
    /// A reporter for a request that an `rmcp` server handles, with the process-wide defaults. Where the request brought no
    /// token, it does nothing.
    ///
    /// ```
    /// # async fn count(context: rmcp::service::RequestContext<rmcp::RoleServer>)
    /// #     -> Result<rmcp::model::CallToolResult, Box<dyn std::error::Error>> {
    /// use mcp_progress::ProgressReporter;
    /// use rmcp::model::{CallToolResult, ContentBlock};
    ///
    /// let reporter = ProgressReporter::from_rmcp(&context)?;
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
    /// [`NoRuntime`](ReporterError::NoRuntime).
    pub fn from_rmcp(context: &RequestContext<RoleServer>) -> Result<Self, ReporterError> {
        match ReporterBuilder::from_rmcp(context) {
            Some(builder) => builder.build(),
            None => Ok(Self::noop()),
        }
    }
}

impl ReporterBuilder {
    /// A reporter with options of its own for a request that an `rmcp` server handles; none where it brought no token.
    #[must_use]
    pub fn from_rmcp(context: &RequestContext<RoleServer>) -> Option<Self> {
        let token = context.meta.get_progress_token()?;
        let named = token_of(&token);
        let mut sink = RmcpSink::new(context.peer.clone(), token);
        sink.log_from = context.meta.log_level().map(level_of);
        Some(ProgressReporter::builder(sink).token(named))
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
        let mut params = ProgressNotificationParam::new(self.token.clone(), update.progress);
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
            .field("token", &self.token)
            .field("log_from", &self.log_from)
            .finish_non_exhaustive()
    }
}
