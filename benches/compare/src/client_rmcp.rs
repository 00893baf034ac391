//! rmcp, used the way that is best for it: its own child-process transport, a handler's `on_progress` for the updates (its stream is a
//! 16-slot channel that must be subscribed to after the request has gone out), and a request handle per call.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    Implementation, JsonObject, NumberOrString, ProgressNotificationParam, ProgressToken,
    ProtocolVersion, ServerResult,
};
use rmcp::service::{NotificationContext, PeerRequestOptions, RequestHandle, RunningService};
use rmcp::transport::TokioChildProcess;
use rmcp::{RoleClient, serve_client};
use tokio::process::Command;

use crate::Failure;
use crate::client::{Client, Setup, Tool};

/// See the module.
#[derive(Debug)]
pub struct RmcpClient {
    service: RunningService<RoleClient, Watcher>,
}

/// Gets every update of the connection, each in a task of its own.
#[derive(Debug)]
struct Watcher {
    setup: Setup,
    /// Whether the consumer takes its time; set for the one call that has updates then.
    slow: AtomicBool,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        update: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        // rmcp numbers its tokens 0, 1, 2 in the order of the requests, which is how calls find their slots.
        if let ProgressToken(NumberOrString::Number(token)) = update.progress_token {
            self.setup
                .book
                .seen_concurrently(token.cast_unsigned(), update.progress, 1);
        }
        if self.slow.load(Relaxed) {
            tokio::time::sleep(self.setup.pause).await;
        }
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("rmcp", "3.9.0"),
        )
        .with_protocol_version(ProtocolVersion::V_2025_11_25)
    }
}

impl RmcpClient {
    async fn send(&self, tool: Tool, updates: u64) -> Result<RequestHandle<RoleClient>, Failure> {
        let mut arguments = JsonObject::new();
        arguments.insert("n".to_owned(), updates.into());
        let params = CallToolRequestParams::new(tool.name()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        Ok(self
            .service
            .peer()
            .send_request_with_option(request, PeerRequestOptions::no_options())
            .await?)
    }
}

impl Client for RmcpClient {
    type Held = RequestHandle<RoleClient>;

    async fn connect(server: &Path, setup: Setup) -> Result<Self, Failure> {
        let transport = TokioChildProcess::new(Command::new(server))?;
        let service = serve_client(
            Watcher {
                setup,
                slow: AtomicBool::new(false),
            },
            transport,
        )
        .await?;
        Ok(Self { service })
    }

    async fn call(&self, tool: Tool, updates: u64) -> Result<(), Failure> {
        let handle = self.send(tool, updates).await?;
        let ProgressToken(NumberOrString::Number(token)) = handle.progress_token else {
            return Err("a token that is no number".into());
        };
        let result = handle.await_response().await?;
        self.service
            .service()
            .setup
            .book
            .resolved(token.cast_unsigned(), updates);
        match result {
            ServerResult::CallToolResult(result) if result.is_error != Some(true) => Ok(()),
            other => Err(format!("not the expected result: {other:?}").into()),
        }
    }

    async fn slow_call(&self, updates: u64) -> Result<(), Failure> {
        self.service.service().slow.store(true, Relaxed);
        self.call(Tool::Flood, updates).await
    }

    async fn hold(&self) -> Result<Self::Held, Failure> {
        self.send(Tool::Hang, 0).await
    }

    async fn close(self) -> Result<(), Failure> {
        self.service.cancel().await?;
        Ok(())
    }
}
