//! Row 2, *OpenMCP progress helper*: its process-wide defaults, in a process of their own; the rest is in `openmcp_reporter.rs`.

use std::sync::{Arc, Mutex};

use mcp_progress::model::CreateMessageResult;
use mcp_progress::reporter::{
    Closed, Outcome, ReporterConfig, ReporterTelemetry, default_config, set_default_config,
    set_default_telemetry,
};
use seeds::Peer;
use serde_json::{Value, json};

#[derive(Clone, Default)]
struct Closings(Arc<Mutex<Vec<Closed>>>);

/// All hooks are optional: this one has only the last.
impl ReporterTelemetry for Closings {
    fn on_close(&self, closed: &Closed) {
        self.0.lock().unwrap().push(closed.clone());
    }
}

#[tokio::test]
async fn defaults_of_the_process_count_for_every_reporter() {
    assert_eq!(default_config(), ReporterConfig::new());
    let refused = set_default_config(ReporterConfig::new().emit_hz(-1.0));
    assert!(refused.is_err(), "{refused:?}");
    set_default_config(ReporterConfig::new().emit_hz(0.0)).unwrap();
    let closings = Closings::default();
    set_default_telemetry(Some(Arc::new(closings.clone())));

    let client = Peer::python("py1", "openmcp.py")
        .connect()
        .on_sampling(|_, context| async move {
            // Nothing is said about this one: with the library's own defaults only a few of these would go out.
            let reporter = context.reporter();
            for step in 1..=50 {
                reporter.set(step).unwrap();
            }
            Ok(CreateMessageResult::text("model", "Hello."))
        })
        .await
        .unwrap();
    let result = client
        .call_tool("listen", json!({"asks": 2}))
        .await
        .unwrap();
    let heard: Vec<Value> = serde_json::from_str(&result.as_text().unwrap()).unwrap();
    let values: Vec<f64> = heard
        .iter()
        .filter_map(|heard| heard["progress"].as_f64())
        .collect();
    let once = (1..=50).map(f64::from);
    assert_eq!(values, once.clone().chain(once).collect::<Vec<_>>());
    client.close().await;

    let closed = closings.0.lock().unwrap();
    // The answer of the handler is the end of its work.
    let told: Vec<_> = closed
        .iter()
        .map(|closed| (closed.outcome, closed.counts.emitted))
        .collect();
    assert_eq!(told, [(Outcome::Completed, 50), (Outcome::Completed, 50)]);
    assert_ne!(closed[0].token, closed[1].token, "each request has its own");
}
