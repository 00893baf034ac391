//! Setting the telemetry of a client.
//!
//! Owns that part of the builder. It must not know what becomes of it.

use super::observer::CallObserver;
use super::trace_context::TraceContext;
use crate::client::connect::Connect;

impl Connect {
    /// Tells `observer` of every call: its start, its first update, milestones, and how it ended. Several may be added; they
    /// are told in the order in which they were. Default none, which costs a call nothing.
    ///
    /// Beside that, each call has a [`tracing`] span `mcp.call` of level info with the target `mcp_progress::call`. The
    /// call's handlers and observers run in it, and so do the requests that the call makes for itself. Its fields are
    /// `method`, `tool`, `token` and `id`; at the end `outcome`, `error`, `elapsed_ms`, `first_update_ms`,
    /// `longest_silence_ms`, `updates`, `delivered`, `merged`, `rejected`, `milestone` and `legs`, as [`CallClosed`]
    /// has them.
    ///
    /// [`CallClosed`]: crate::CallClosed
    ///
    /// ```
    /// # async fn example() -> mcp_progress::Result<()> {
    /// use mcp_progress::{CallClosed, CallObserver, CallStarted, Client};
    ///
    /// struct Log;
    ///
    /// impl CallObserver for Log {
    ///     fn closed(&self, call: &CallStarted, closed: &CallClosed) {
    ///         tracing::info!(tool = call.tool.as_deref(), outcome = %closed.outcome);
    ///     }
    /// }
    ///
    /// let client = Client::stdio("my-server", ["--stdio"]).observer(Log).await?;
    /// # let _ = client; Ok(()) }
    /// ```
    pub fn observer(mut self, observer: impl CallObserver) -> Self {
        self.options.telemetry.observe(observer);
        self
    }

    /// Which parts of the whole are milestones, above 0 and up to 1; others are left out. Default 0.25, 0.5 and 0.75. See
    /// [`CallObserver::milestone`].
    pub fn milestones(mut self, fractions: impl IntoIterator<Item = f64>) -> Self {
        self.options.telemetry.set_milestones(fractions);
        self
    }

    /// Says which trace each request belongs to, in the request's `_meta`: `traceparent`, `tracestate` and `baggage`
    /// (revision 2026-07-28, "OpenTelemetry trace context"). Default none.
    ///
    /// The hook runs before each request, those of the handshake and those that calls make for themselves included, in
    /// the future of its call and inside of its span. What the caller sets by [`Request::meta`](crate::Request::meta)
    /// counts more. A value that does not have the form that the standard gives it, or is longer than all systems pass on, is
    /// not sent, and logged; a panic is logged too. The notice that a task is given up carries none, since it may come
    /// from anywhere. Of several hooks the last counts.
    ///
    /// ```
    /// # async fn example(current: fn() -> String) -> mcp_progress::Result<()> {
    /// use mcp_progress::Client;
    ///
    /// let client = Client::stdio("my-server", ["--stdio"])
    ///     .trace_context(move |trace| trace.traceparent = Some(current()))
    ///     .await?;
    /// # let _ = client; Ok(()) }
    /// ```
    pub fn trace_context(
        mut self,
        hook: impl Fn(&mut TraceContext) + Send + Sync + 'static,
    ) -> Self {
        self.options.telemetry.trace(hook);
        self
    }

    /// As [`trace_context`](Self::trace_context), with the trace of the current [`tracing`] span, which is that of the call
    /// where its level is collected, as `tracing-opentelemetry` knows it. It is written by the propagator that the
    /// program has set (`opentelemetry::global::set_text_map_propagator`). Where `tracing` has no such span, OpenTelemetry's own current
    /// context counts.
    ///
    /// Not done unless asked for: servers learn the trace's ids, and its baggage if the propagator writes it.
    #[cfg(feature = "opentelemetry")]
    pub fn trace_context_from_span(self) -> Self {
        self.trace_context(super::current_span::fill_in)
    }
}
