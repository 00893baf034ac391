//! `roots/list`: what the user works on.
//!
//! Owns the list that is set once or anew, and the form of the answer. It must not know files.

use serde_json::Value;

use super::context::RequestContext;
use super::typed::{Typed, json};
use crate::jsonrpc::ErrorObject;
use crate::model::{ListRootsResult, Root};
use crate::sync::{Arc, Mutex};

pub(super) const METHOD: &str = "roots/list";

/// What the handler gives now.
pub(super) async fn answer(
    handler: Typed<(), Vec<Root>>,
    context: RequestContext,
) -> Result<Value, ErrorObject> {
    json(&ListRootsResult::new(handler((), context).await?))
}

/// What is set now.
pub(super) fn listed(roots: &Arc<Mutex<Vec<Root>>>) -> Result<Value, ErrorObject> {
    let roots = roots.lock().clone();
    json(&ListRootsResult::new(roots))
}
