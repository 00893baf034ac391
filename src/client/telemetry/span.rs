//! The span of a call.
//!
//! Owns its name, level and fields. It must not know who collects spans.

use tracing::Span;
use tracing::field::Empty;

use super::closing::CallClosed;
use super::observer::CallStarted;
use crate::error::Error;

/// A span below the current one; where nobody wants it, this costs one look at a number.
pub(super) fn open(method: &str, tool: Option<&str>) -> Span {
    tracing::info_span!(
        target: "mcp_progress::call",
        "mcp.call",
        method,
        tool,
        token = Empty,
        id = Empty,
        outcome = Empty,
        error = Empty,
        elapsed_ms = Empty,
        first_update_ms = Empty,
        longest_silence_ms = Empty,
        updates = Empty,
        delivered = Empty,
        merged = Empty,
        rejected = Empty,
        milestone = Empty,
        legs = Empty,
    )
}

/// The request is under way.
pub(super) fn record_start(span: &Span, call: &CallStarted) {
    if span.is_disabled() {
        return;
    }
    if let Some(token) = &call.token {
        span.record("token", tracing::field::display(token));
    }
    span.record("id", call.id);
}

/// The request could not be sent.
pub(super) fn record_refusal(span: &Span, error: &Error) {
    span.record("outcome", "not_sent");
    span.record("error", tracing::field::debug(error.kind()));
}

pub(super) fn record_end(span: &Span, closed: &CallClosed) {
    if span.is_disabled() {
        return;
    }
    let ms = |time: std::time::Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    span.record("outcome", closed.outcome.name());
    match closed.outcome {
        super::closing::CallOutcome::Failed(kind) => {
            span.record("error", tracing::field::debug(kind));
        }
        super::closing::CallOutcome::TimedOut(clock) => {
            span.record("error", tracing::field::display(clock));
        }
        _ => {}
    }
    span.record("elapsed_ms", ms(closed.elapsed));
    if let Some(after) = closed.first_update {
        span.record("first_update_ms", ms(after));
    }
    span.record("longest_silence_ms", ms(closed.longest_silence));
    span.record("updates", closed.received);
    span.record("delivered", closed.delivered);
    span.record("merged", closed.merged);
    span.record("rejected", closed.rejected);
    if let Some(fraction) = closed.milestone {
        span.record("milestone", fraction);
    }
    span.record("legs", closed.legs);
}
