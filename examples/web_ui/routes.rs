//! What the page asks for.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{HOST, HeaderValue, X_FRAME_OPTIONS};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use futures::{StreamExt, stream};
use mcp_progress::Client;
use mcp_progress::ui::sse::{self, SseEvent, SseExt as _};
use serde_json::{Value, json};

use crate::calling::start;
use crate::table::Table;

pub(crate) type Refusal = (StatusCode, String);

pub(crate) fn router(client: Client, table: Arc<Table>) -> Router {
    Router::new()
        .route("/", get(Html(include_str!("page.html"))))
        .route("/tools", get(tools))
        .route("/calls", post(start))
        .route("/calls/{id}", delete(end))
        .route("/events", get(events))
        .with_state((client, table))
        .layer(from_fn(under_its_own_name))
}

/// A page from elsewhere may not call tools by having its own name lead to this machine, nor by showing this page in a frame
/// for the visitor to click in.
async fn under_its_own_name(request: Request, next: Next) -> Response {
    let host = request
        .headers()
        .get(HOST)
        .and_then(|host| host.to_str().ok());
    match host.map(|host| host.rsplit_once(':').map_or(host, |(name, _port)| name)) {
        Some("127.0.0.1" | "localhost") => {
            let mut response = next.run(request).await;
            let deny = HeaderValue::from_static("DENY");
            response.headers_mut().insert(X_FRAME_OPTIONS, deny);
            response
        }
        _ => StatusCode::MISDIRECTED_REQUEST.into_response(),
    }
}

pub(crate) type App = State<(Client, Arc<Table>)>;

async fn tools(State((client, _)): App) -> Result<Json<Value>, Refusal> {
    let tools = client.tools().all().await;
    let tools = tools.map_err(|error| (StatusCode::BAD_GATEWAY, error.to_string()))?;
    let server = client
        .server()
        .server_info
        .as_ref()
        .map(|server| server.display_name().to_owned());
    Ok(Json(json!({"server": server, "tools": tools})))
}

async fn end(State((_, table)): App, Path(id): Path<String>) -> StatusCode {
    if table.end(&id) {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::NOT_FOUND
    }
}

/// One stream for all calls: a browser opens only six connections to a server.
async fn events(State((_, table)): App) -> impl IntoResponse {
    let first = stream::iter([SseEvent::retry_after(Duration::from_secs(1))]);
    let events = first.chain(table.watch());
    let events = events.keep_alive(Duration::from_secs(15));
    (sse::HEADERS, Body::from_stream(events.into_text()))
}
