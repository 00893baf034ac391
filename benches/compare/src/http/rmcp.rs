//! rmcp over Streamable HTTP, used the way that is best for it: the revision without a session, its updates through the handler's
//! `on_progress`, a request handle per call, and a reqwest client that keeps its connections.
//!
//! [`Fresh`] is the same with rmcp's own reqwest client, which opens a connection for each request.

use std::marker::PhantomData;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    Implementation, JsonObject, NumberOrString, ProgressNotificationParam, ProgressToken,
    ProtocolVersion, ServerResult,
};
use rmcp::service::{
    ClientLifecycleMode, ClientServiceExt, NotificationContext, PeerRequestOptions, RunningService,
};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use crate::Failure;
use crate::http::client::{Endpoint, HttpClient, Tool};
use crate::judge::Book;

/// Where rmcp's reqwest client comes from.
pub trait Connections: Send + Sync + 'static {
    fn transport(
        endpoint: &Endpoint,
    ) -> Result<StreamableHttpClientTransport<reqwest::Client>, Failure>;
}

/// A reqwest client as reqwest makes it, which keeps connections.
#[derive(Debug)]
pub struct Kept;

/// rmcp's own, which does not. HTTP/1.1 only.
#[derive(Debug)]
pub struct Fresh;

impl Connections for Kept {
    fn transport(
        endpoint: &Endpoint,
    ) -> Result<StreamableHttpClientTransport<reqwest::Client>, Failure> {
        let mut builder = reqwest::Client::builder();
        if endpoint.http2 {
            builder = builder.http2_prior_knowledge();
        }
        Ok(StreamableHttpClientTransport::with_client(
            builder.build()?,
            StreamableHttpClientTransportConfig::with_uri(endpoint.url()),
        ))
    }
}

impl Connections for Fresh {
    fn transport(
        endpoint: &Endpoint,
    ) -> Result<StreamableHttpClientTransport<reqwest::Client>, Failure> {
        Ok(StreamableHttpClientTransport::from_uri(endpoint.url()))
    }
}

/// See the module.
#[derive(Debug)]
pub struct RmcpClient<C> {
    service: RunningService<RoleClient, Watcher>,
    connections: PhantomData<C>,
}

/// Gets every update of the connection, each in a task of its own.
#[derive(Debug)]
struct Watcher {
    book: Arc<Book>,
}

impl ClientHandler for Watcher {
    async fn on_progress(
        &self,
        update: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        // rmcp numbers its tokens 0, 1, 2 in the order of the requests, which is how calls find their slots.
        if let ProgressToken(NumberOrString::Number(token)) = update.progress_token {
            self.book
                .seen_concurrently(token.cast_unsigned(), update.progress, 1);
        }
    }

    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(
            ClientCapabilities::default(),
            Implementation::new("rmcp", "3.9.0"),
        )
    }
}

impl<C: Connections> HttpClient for RmcpClient<C> {
    async fn connect(endpoint: &Endpoint, book: Arc<Book>) -> Result<Self, Failure> {
        // reqwest is built once for all clients here, without cryptography of its own. Installed already is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let service = Watcher { book }
            .serve_with_lifecycle(
                C::transport(endpoint)?,
                ClientLifecycleMode::Discover {
                    preferred_versions: vec![ProtocolVersion::V_2026_07_28],
                },
            )
            .await?;
        Ok(Self {
            service,
            connections: PhantomData,
        })
    }

    async fn call(&self, tool: Tool, n: u64, updates: u64) -> Result<(), Failure> {
        let mut arguments = JsonObject::new();
        arguments.insert("n".to_owned(), n.into());
        let params = CallToolRequestParams::new(tool.name()).with_arguments(arguments);
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let handle = self
            .service
            .peer()
            .send_request_with_option(request, PeerRequestOptions::no_options())
            .await?;
        let ProgressToken(NumberOrString::Number(token)) = handle.progress_token else {
            return Err("a token that is no number".into());
        };
        let result = handle.await_response().await?;
        self.service
            .service()
            .book
            .resolved(token.cast_unsigned(), updates);
        match result {
            ServerResult::CallToolResult(result) if result.is_error != Some(true) => Ok(()),
            other => Err(format!("not the expected result: {other:?}").into()),
        }
    }

    fn live_calls(&self) -> Option<u64> {
        None
    }

    async fn close(self) -> Result<(), Failure> {
        self.service.cancel().await?;
        Ok(())
    }
}
