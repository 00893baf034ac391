//! Owns the serving over HTTP: where the server listens, how it says so, when it ends. Must not know the tools.

use std::{
    error::Error,
    io::Write,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use rmcp::{
    ServerHandler,
    transport::streamable_http_server::{
        StreamableHttpServerConfig, StreamableHttpService,
        session::{
            EventStore, EventStoreError, EventStream, ServerSseMessage, local::LocalSessionManager,
        },
    },
};
use tokio::{io::AsyncReadExt, net::TcpListener};

/// How long a client whose stream broke is asked to wait.
const RETRY: Duration = Duration::from_millis(80);

/// The settings that `mode` stands for.
pub(crate) fn config(mode: &str) -> Option<StreamableHttpServerConfig> {
    let plain = StreamableHttpServerConfig::default().with_sse_retry(Some(RETRY));
    match mode {
        "http" | "events" => Some(plain),
        // Far more often than anybody would, so that comments stand between all events.
        "keepalive" => Some(plain.with_sse_keep_alive(Some(Duration::from_millis(10)))),
        "stateless" => Some(plain.with_legacy_session_mode(false)),
        _ => None,
    }
}

/// Serves until standard input ends, so that no server outlives whoever started it.
pub(crate) async fn serve<S: ServerHandler + Send + 'static>(
    server: impl Fn() -> S + Send + Sync + 'static,
    config: StreamableHttpServerConfig,
    with_events: bool,
) -> Result<(), Box<dyn Error>> {
    let mut sessions = LocalSessionManager::default();
    if with_events {
        sessions = sessions.with_event_store(Arc::new(Events::default()));
    }
    sessions.session_config.sse_retry = config.sse_retry;
    let service = StreamableHttpService::new(move || Ok(server()), Arc::new(sessions), config);
    let port = match std::env::var("PEER_PORT") {
        Ok(port) => port.parse()?,
        Err(_) => 0,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    println!(
        "listening http://127.0.0.1:{}/mcp",
        listener.local_addr()?.port()
    );
    std::io::stdout().flush()?;
    tokio::select! {
        failed = accept(&listener, &service) => failed,
        () = end_of_input() => Ok(()),
    }
}

async fn accept<S: ServerHandler + Send + 'static>(
    listener: &TcpListener,
    service: &StreamableHttpService<S, LocalSessionManager>,
) -> Result<(), Box<dyn Error>> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let service = service.clone();
        let answer = service_fn(move |request| {
            let service = service.clone();
            async move { Ok::<_, std::convert::Infallible>(service.handle(request).await) }
        });
        tokio::spawn(async move {
            // A client that goes away in mid-answer is what this server is for.
            let _ = http1::Builder::new()
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

/// Every event of every stream, in the order in which they were stored. One that comes back is told
/// what there is, and let go: it has to come again for the rest.
#[derive(Default)]
struct Events(Mutex<Vec<(String, ServerSseMessage)>>);

#[async_trait::async_trait]
impl EventStore for Events {
    async fn store_event(
        &self,
        stream: &str,
        event: &ServerSseMessage,
    ) -> Result<String, EventStoreError> {
        let mut events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = format!("event-{}", events.len());
        let mut event = event.clone();
        event.event_id = Some(id.clone());
        events.push((stream.to_owned(), event));
        Ok(id)
    }

    async fn replay_events_after(&self, last: &str) -> Result<EventStream, EventStoreError> {
        let events = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            |(_, event): &(String, ServerSseMessage)| event.event_id.as_deref() == Some(last);
        let at = events.iter().position(known).ok_or("no such event")?;
        let stream = &events[at].0;
        let after = events[at + 1..].iter().filter(|(of, _)| of == stream);
        let after: Vec<_> = after.map(|(_, event)| event.clone()).collect();
        Ok(Box::pin(futures::stream::iter(after)))
    }
}

async fn end_of_input() {
    let mut input = tokio::io::stdin();
    let mut rest = [0; 64];
    while input.read(&mut rest).await.is_ok_and(|read| read > 0) {}
}
