//! A question of the server, put to the handler of its method.
//!
//! Owns the pause of the call's idle clock meanwhile, and the error of a question that cannot be answered. It must not know
//! how the answer reaches the server.

use serde_json::Value;

use super::scene::Scene;
use crate::client::clock;
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::input::InputRequest;
use crate::session::flight::Flight;
use crate::session::inbound::ServerRequest;
use crate::sync::Arc;

/// While it lives, somebody is asked on behalf of the call.
struct Asking(Arc<Flight>);

impl Asking {
    fn on_behalf_of(flight: &Arc<Flight>) -> Self {
        flight.slot.begin_asking(clock::now());
        Self(flight.clone())
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.slot.end_asking(clock::now());
    }
}

/// The answer to one question.
///
/// # Errors
///
/// Fails where no handler is set for it, or the handler gives none.
pub(super) async fn answer(scene: &Scene, asked: InputRequest) -> Result<Value> {
    let _asking = Asking::on_behalf_of(&scene.flight);
    let InputRequest { method, params } = asked;
    let answered = scene.client.handlers().answer(ServerRequest {
        method: method.clone(),
        params,
    });
    answered
        .await
        .map_err(|refusal| unanswered(&method, refusal))
}

fn unanswered(method: &str, refusal: ErrorObject) -> Error {
    let text = format!(
        "the server asks for input ({method}), and the client has no answer: {}",
        refusal.message
    );
    let error = Error::new(ErrorKind::InputRequired, text).with_source(Error::rpc(refusal));
    match method {
        "elicitation/create" => error.with_hint("`on_elicitation` sets the handler that answers"),
        "sampling/createMessage" => error.with_hint("`on_sampling` sets the handler that answers"),
        "roots/list" => error.with_hint("`roots` sets what is answered"),
        _ => error,
    }
}
