//! The trace of the current span, with OpenTelemetry's own propagators and tracer.

use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ProtocolVersion};
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapCompositePropagator;
use opentelemetry::trace::TracerProvider;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt, TraceFlags, TraceId, TraceState};
use opentelemetry::{Context, KeyValue, global};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tracing::Instrument;
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::layer::SubscriberExt;

async fn trace_of_a_call(client: &Client, server: &mcp_progress::testing::Log) -> Value {
    client
        .call_tool("good", json!({}))
        .await
        .expect("it has a result");
    let sent = server.requests("tools/call").pop().expect("it was sent");
    sent.params()["_meta"].clone()
}

/// All in one test: the propagator is one for the whole process.
#[tokio::test]
async fn the_server_learns_the_trace_of_the_current_span() {
    global::set_text_map_propagator(TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()),
        Box::new(BaggagePropagator::new()),
    ]));
    let server = ScriptedServer::new().tool("good", |_| Script::new().text("done"));
    let log = server.log();
    let client = Client::connect(server)
        .protocol(ProtocolVersion::V2026_07_28)
        .trace_context_from_span()
        .await
        .expect("connects");
    let meta = trace_of_a_call(&client, &log).await;
    assert_eq!(meta.get("traceparent"), None, "there is no trace: {meta}");

    // OpenTelemetry's own context, where `tracing` has no span.
    let trace = TraceId::from(7);
    let state = TraceState::from_key_value([("vendor", "a1")]).expect("valid");
    let remote = SpanContext::new(trace, SpanId::from(9), TraceFlags::SAMPLED, true, state);
    let attached = Context::current()
        .with_remote_span_context(remote.clone())
        .with_baggage([KeyValue::new("user", "ada")])
        .attach();
    let meta = trace_of_a_call(&client, &log).await;
    assert_eq!(
        meta["traceparent"],
        format!("00-{trace}-{}-01", SpanId::from(9))
    );
    assert_eq!(meta["tracestate"], "vendor=a1");
    assert_eq!(meta["baggage"], "user=ada");
    drop(attached);

    // The span of the call, below that of the program, in the trace that this belongs to.
    let provider = SdkTracerProvider::builder().build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    let outer = tracing::info_span!("outer");
    outer
        .set_parent(Context::new().with_remote_span_context(remote))
        .expect("it is not begun yet");
    let meta = trace_of_a_call(&client, &log)
        .instrument(outer.clone())
        .await;
    let parent = meta["traceparent"].as_str().expect("it has one");
    let [_, id, span, _] = parent.split('-').collect::<Vec<_>>()[..] else {
        panic!("{parent}");
    };
    assert_eq!(id, trace.to_string());
    let own = outer.context().span().span_context().span_id().to_string();
    assert_ne!(span, own, "it is the call's own span, below");
    assert_ne!(span, SpanId::from(9).to_string());
    assert_eq!(meta["tracestate"], "vendor=a1");
    drop(guard);
}
