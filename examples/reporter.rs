//! The sending half: a tool that reports its progress in phases, and what its caller sees of it.
#![expect(clippy::print_stdout, reason = "a program may print")]

use mcp_progress::reporter::{ReporterConfig, ReporterError};
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::{Client, ProgressReporter};
use serde_json::json;
use std::error::Error;
use std::time::Duration;
use tokio::time::sleep;

/// The work of the tool. It reports each step; at most eight updates a second go out, and the first and the last.
async fn purge(reporter: &ProgressReporter) -> Result<(), ReporterError> {
    reporter.total(100)?;
    {
        // A tenth of the whole. Entering sends the name, leaving comes to 10.
        let _looking = reporter.phase("Looking", 0.0..0.1);
        sleep(Duration::from_millis(200)).await;
    }
    let deleting = reporter.phase("Deleting", 0.1..0.9);
    for file in deleting.wrap(0..100) {
        // Goes out with the next update.
        deleting.message(format!("Deleting file {file}"))?;
        sleep(Duration::from_millis(10)).await;
    }
    deleting.leave()?;
    let packing = reporter.phase("Packing", 0.9..1.0).total(2_000_000);
    for _block in 0..20 {
        packing.advance(100_000)?; // bytes, for instance
        sleep(Duration::from_millis(10)).await;
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // In a server made with rmcp: ProgressReporter::from_rmcp(&context)?, with the feature `rmcp`.
    let server = ScriptedServer::new()
        .tool("purge", |_request| {
            Script::new()
                .report(|reporter| async move {
                    match purge(&reporter).await {
                        // Awaited, so that the last update is out before the result.
                        Ok(()) => drop(reporter.finish().await),
                        Err(error) => drop(reporter.fail(error.to_string()).await),
                    }
                })
                .text("all is gone")
        })
        .tool("careless", |_request| {
            let each = ReporterConfig::new().emit_hz(0.0);
            let work = |reporter: ProgressReporter| async move {
                drop(reporter.set(3));
                // A regress is an error here, and nothing of it goes out.
                let refused = reporter.set(2);
                drop(reporter.message(format!("{refused:?}")));
                // Dropped without an end: what is held goes out all the same.
            };
            Script::new().report_with(each, work).text("done")
        });

    let client = Client::connect(server).await?;
    for tool in ["purge", "careless"] {
        let result = client
            .call_tool(tool, json!({}))
            .on_progress(|update| {
                println!("{tool}: {:.2} s {update}", update.elapsed.as_secs_f64())
            })
            .await?;
        println!("{tool}: {}", result.as_text().unwrap_or_default());
    }
    client.close().await;
    Ok(())
}
