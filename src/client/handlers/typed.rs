//! From a request of the server to a handler's type, and from its answer to JSON.
//!
//! Owns the steps that all typed handlers share, and their refusals. It must not know single methods.

use futures::future::BoxFuture;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::context::RequestContext;
use crate::jsonrpc::ErrorObject;
use crate::session::inbound::ServerRequest;
use crate::sync::Arc;

/// A handler of requests with params `Q` that gives `A`.
pub(crate) type Typed<Q, A> =
    Arc<dyn Fn(Q, RequestContext) -> BoxFuture<'static, Result<A, ErrorObject>> + Send + Sync>;

pub(super) fn params<Q: DeserializeOwned>(request: &ServerRequest) -> Result<Q, ErrorObject> {
    request.params().map_err(|error| {
        tracing::warn!(method = request.method, %error, "the params of the server's request are malformed");
        let text = format!("the params are not of the form: {error}");
        ErrorObject::new(ErrorObject::INVALID_PARAMS, text)
    })
}

pub(super) fn json(answer: &impl Serialize) -> Result<Value, ErrorObject> {
    serde_json::to_value(answer).map_err(|error| {
        tracing::error!(%error, "a handler's result does not serialise");
        internal("the result of this client's handler does not serialise")
    })
}

/// The fault is ours, and the server is told no more of it.
pub(super) fn internal(text: &str) -> ErrorObject {
    ErrorObject::new(ErrorObject::INTERNAL_ERROR, text)
}

/// The server asks for what this client did not offer.
pub(super) fn not_offered(text: &str) -> ErrorObject {
    ErrorObject::new(ErrorObject::INVALID_PARAMS, text)
}
