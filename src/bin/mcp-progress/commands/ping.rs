//! How long the server takes to answer.
//!
//! Owns what is asked, which depends on the revision, and the figures. It must not know transports.

use std::time::Duration;

use mcp_progress::Client;
use serde::Serialize;
use tokio::time::sleep;

use crate::args::lists::PingArgs;
use crate::args::output::Format;
use crate::context::Context;
use crate::failure::{Failure, code};

#[derive(Debug, Serialize)]
struct Pong {
    event: &'static str,
    seq: u32,
    method: &'static str,
    ms: f64,
}

#[derive(Debug, Serialize)]
struct Summary {
    method: &'static str,
    count: usize,
    min_ms: f64,
    mean_ms: f64,
    max_ms: f64,
    times_ms: Vec<f64>,
}

/// Asks as often as wanted, one after the other.
pub(crate) async fn run(
    client: &Client,
    args: &PingArgs,
    context: &Context,
) -> Result<u8, Failure> {
    // Revision 2026-07-28 has no `ping`: any answer shows that the server is there, and this is the cheapest to ask for.
    let modern = client.server().protocol_version.is_modern();
    let method = if modern { "server/discover" } else { "ping" };
    let mut times = Vec::new();
    for seq in 1..=args.count {
        if seq > 1 {
            let pause = args.interval.0.unwrap_or_default();
            let waited = async {
                sleep(pause).await;
                Ok(())
            };
            context.unless_interrupted(waited).await?;
        }
        let begun = now();
        let asked = async {
            if modern {
                client.discover().await?;
            } else {
                client.ping().await?;
            }
            Ok(())
        };
        context.unless_interrupted(asked).await?;
        let ms = milliseconds(now().duration_since(begun));
        times.push(ms);
        if context.output.format() == Format::Text {
            context
                .output
                .text(&format!("{seq}: {ms:.3} ms ({method})"))?;
        }
        context.output.event(&Pong {
            event: "pong",
            seq,
            method,
            ms,
        })?;
    }
    let summary = summary(method, times);
    match context.output.format() {
        Format::Text if summary.count > 1 => context.output.text(&format!(
            "{} answers in {:.3}/{:.3}/{:.3} ms (least/mean/most)",
            summary.count, summary.min_ms, summary.mean_ms, summary.max_ms,
        ))?,
        Format::Json => context.output.json(&summary)?,
        Format::Text | Format::Jsonl => {}
    }
    Ok(code::OK)
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is time itself"
)]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

/// To the microsecond; what is finer is noise.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn summary(method: &'static str, times_ms: Vec<f64>) -> Summary {
    let sum: f64 = times_ms.iter().sum();
    let mean = sum / times_ms.len().max(1) as f64;
    Summary {
        method,
        count: times_ms.len(),
        min_ms: times_ms.iter().copied().reduce(f64::min).unwrap_or(0.0),
        mean_ms: (mean * 1e3).round() / 1e3,
        max_ms: times_ms.iter().copied().fold(0.0, f64::max),
        times_ms,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{milliseconds, summary};

    #[test]
    fn figures() {
        assert_eq!(milliseconds(Duration::from_nanos(1_234_567)), 1.235);
        let summary = summary("ping", vec![2.0, 1.0, 4.0]);
        assert_eq!(
            (
                summary.count,
                summary.min_ms,
                summary.mean_ms,
                summary.max_ms
            ),
            (3, 1.0, 2.333, 4.0)
        );
    }
}
