//! Starting a call.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use mcp_progress::ui::sse;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::routes::{App, Refusal};
use crate::state::{event, now};

/// What a visitor wants to be done.
#[derive(Deserialize)]
pub(crate) struct Wish {
    tool: String,
    arguments: Value,
}

/// Only as JSON: a form on another page can send none.
pub(crate) async fn start(
    State((client, table)): App,
    Json(wish): Json<Wish>,
) -> Result<Json<String>, Refusal> {
    let call = client.call_tool(&wish.tool, &wish.arguments).start();
    // The token is the id of the call: every event names it.
    let Some(id) = call.token().map(ToString::to_string) else {
        let error = call.await.err().map(|error| error.to_string());
        return Err((StatusCode::BAD_GATEWAY, error.unwrap_or_default()));
    };
    let started = now();
    let first = json!({
        "id": id, "tool": wish.tool, "arguments": wish.arguments, "started": started,
    });
    let call = call.detach();
    let canceller = call.canceller();
    let events = sse::events(call.updates()).end_with(async move {
        let (result, error) = match call.await {
            Ok(result) => (Some(result), None),
            Err(error) => (None, Some(error.to_string())),
        };
        json!({"result": result, "error": error, "elapsed_ms": now().saturating_sub(started)})
    });
    table.follow(id.clone(), canceller, event("call", &first), events);
    Ok(Json(id))
}
