//! Owns the server: an `rmcp` handler whose tools report. Must not know who calls.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use mcp_progress::ProgressReporter;
use mcp_progress::reporter::ReporterBuilder;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, Tool,
};
use rmcp::service::RequestContext;
use rmcp::transport::stdio;
use rmcp::{ErrorData, RoleServer, ServerHandler, ServiceExt};
use serde_json::json;

use crate::Failure;

/// `each` sends every update, so that the two clients must receive the same; `paced` as the defaults have it; `broken`
/// fails half-way; `silent` leaves the reporter to be dropped.
pub(crate) const TOOLS: [&str; 4] = ["each", "paced", "broken", "silent"];

/// The steps of `paced`, and how long each takes.
const STEPS: u32 = 100;
const STEP: Duration = Duration::from_millis(10);

struct Reports;

fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}

/// Phases, messages, a total that grows, and a burst; no pause, so that it is the same each time.
async fn each(reporter: ProgressReporter) -> Result<(), ErrorData> {
    reporter.total(100).map_err(internal)?;
    {
        let reading = reporter.phase("Reading", 0.0..0.2);
        for name in reading.wrap(["a", "b", "c", "d"]) {
            reading.message(format!("read {name}")).map_err(internal)?;
        }
    }
    reporter.total(200).map_err(internal)?;
    for value in 41..=140 {
        reporter.set(value).map_err(internal)?;
    }
    reporter.message("tidying up").map_err(internal)?;
    let counts = reporter.finish().await.map_err(internal)?;
    if counts.merged > 0 || counts.given_up > 0 {
        return Err(internal(format!("not all were sent: {counts:?}")));
    }
    Ok(())
}

async fn paced(reporter: ProgressReporter) -> Result<(), ErrorData> {
    for step in reporter.wrap(0..STEPS) {
        reporter.message(format!("step {step}")).map_err(internal)?;
        tokio::time::sleep(STEP).await;
    }
    reporter.finish().await.map_err(internal)?;
    Ok(())
}

async fn broken(reporter: ProgressReporter) -> Result<(), ErrorData> {
    reporter.total(10).map_err(internal)?;
    reporter.set(5).map_err(internal)?;
    if reporter.set(4).is_ok() {
        return Err(internal("a regress was taken"));
    }
    // So that the value is out when the text comes: it goes with the next larger number.
    tokio::time::sleep(STEP * 5).await;
    reporter.fail("the disk is full").await.map_err(internal)?;
    Ok(())
}

async fn silent(reporter: ProgressReporter) {
    drop(reporter.set(1));
    drop(reporter.set(2));
    drop(reporter);
    // The flush of a drop is in the background; whoever wants it before the result finishes.
    tokio::time::sleep(Duration::from_millis(50)).await;
}

impl ServerHandler for Reports {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn list_tools(
        &self,
        _page: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let mut schema = JsonObject::new();
        schema.insert("type".to_owned(), json!("object"));
        let schema = Arc::new(schema);
        let tool = |name| {
            Tool::new(
                Cow::Borrowed(name),
                Cow::Borrowed("Reports"),
                schema.clone(),
            )
        };
        Ok(ListToolsResult::with_all_items(TOOLS.map(tool).into()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let all = || {
            let builder = ReporterBuilder::from_rmcp(&context).emit_hz(0.0);
            builder.build().map_err(internal)
        };
        match request.name.as_ref() {
            "each" => each(all()?).await?,
            "paced" => paced(ProgressReporter::from_rmcp(&context).map_err(internal)?).await?,
            "broken" => broken(all()?).await?,
            "silent" => silent(all()?).await,
            other => return Err(ErrorData::invalid_params(format!("no tool {other}"), None)),
        }
        let text = format!("{} is done", request.name);
        Ok(CallToolResult::success(vec![ContentBlock::text(text)]).into())
    }
}

pub(crate) async fn serve() -> Result<(), Failure> {
    Reports.serve(stdio()).await?.waiting().await?;
    Ok(())
}
