//! The trace context of the current span.
//!
//! Owns the way from a span to the three values, by whatever propagator the program has set. It must not know requests.

use opentelemetry::propagation::Injector;
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::trace_context::TraceContext;

/// Takes what a propagator writes.
struct Carrier<'a>(&'a mut TraceContext);

impl Injector for Carrier<'_> {
    fn set(&mut self, key: &str, value: String) {
        let place = match &*key.to_ascii_lowercase() {
            "traceparent" => &mut self.0.traceparent,
            "tracestate" => &mut self.0.tracestate,
            "baggage" => &mut self.0.baggage,
            // Other propagators have keys of their own, which the protocol does not name.
            _ => return,
        };
        // Propagators write a state that is empty.
        *place = Some(value).filter(|value| !value.is_empty());
    }
}

/// Fills in the trace that the current span belongs to; where `tracing` has none, that of OpenTelemetry's own context.
pub(super) fn fill_in(trace: &mut TraceContext) {
    let mut context = Span::current().context();
    if !context.span().span_context().is_valid() {
        context = Context::current();
    }
    global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&context, &mut Carrier(trace));
    });
}
