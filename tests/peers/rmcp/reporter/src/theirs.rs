//! Owns the call by rmcp's client. Must not know the other one.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    Implementation, ProgressNotificationParam, ProtocolVersion, ServerResult,
};
use rmcp::service::{
    ClientLifecycleMode, NotificationContext, PeerRequestOptions, RoleClient,
    serve_client_with_lifecycle,
};
use rmcp::transport::TokioChildProcess;
use tokio::process::Command;

use crate::{Era, Failure, Received, Seen};

/// Each update reaches a task of its own, which may run after the result: so much later at most.
const STRAGGLERS: Duration = Duration::from_millis(200);

#[derive(Clone)]
struct Watcher {
    begun: Instant,
    updates: Arc<Mutex<Vec<Received>>>,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        update: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let mut updates = self.updates.lock().unwrap_or_else(PoisonError::into_inner);
        updates.push(Received {
            progress: update.progress,
            total: update.total,
            message: update.message,
            at: self.begun.elapsed().as_millis(),
        });
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("rmcp", "3.9.0"),
        )
        .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }
}

pub(crate) async fn call(program: &Path, era: Era, tool: &str) -> Result<Seen, Failure> {
    let mut command = Command::new(program);
    command.arg("serve");
    let watcher = Watcher {
        begun: Instant::now(),
        updates: Arc::default(),
    };
    let lifecycle = match era {
        Era::Handshake => ClientLifecycleMode::Initialize,
        Era::Modern => ClientLifecycleMode::Discover {
            preferred_versions: vec![ProtocolVersion::V_2026_07_28],
        },
    };
    let transport = TokioChildProcess::new(command)?;
    let service = serve_client_with_lifecycle(watcher.clone(), transport, lifecycle).await?;
    let params = CallToolRequestParams::new(tool.to_owned());
    let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
    let handle = service
        .peer()
        .send_request_with_option(request, PeerRequestOptions::no_options())
        .await?;
    let ServerResult::CallToolResult(result) = handle.await_response().await? else {
        return Err("not a tool's result".into());
    };
    tokio::time::sleep(STRAGGLERS).await;
    service.cancel().await?;
    let text = result.content.first().and_then(|block| block.as_text());
    let result = text.ok_or("a result without text")?.text.clone();
    let mut updates = watcher
        .updates
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    // It keeps no order among its tasks; what was sent rises strictly, which our client's order shows.
    updates.sort_by(|one, other| one.progress.total_cmp(&other.progress));
    Ok(Seen { updates, result })
}
