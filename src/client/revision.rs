//! Which request exists in which revision.
//!
//! Owns the refusal of requests that the server cannot know, and what to use instead. It must not know their params.

use crate::error::{Error, ErrorKind, Result};
use crate::model::version::ProtocolVersion;

/// Refuses a method that the negotiated revision lacks.
pub(crate) fn check(method: &str, version: Option<ProtocolVersion>) -> Result<()> {
    let Some(version) = version else {
        return Ok(());
    };
    let instead = if version.is_modern() {
        match method {
            "ping" => "every response shows that the server lives; `discover` asks for one",
            "logging/setLevel" => "use `log_level`, which goes with each request",
            "resources/subscribe" | "resources/unsubscribe" => {
                "use `listen` with a filter that names the resource"
            }
            "tasks/result" => "`get_task` gives the result with the state",
            "tasks/list" => "the handles of tasks are kept by whoever created them",
            "initialize" => "there is no handshake; `discover` tells what the server offers",
            _ => return Ok(()),
        }
    } else {
        match method {
            "server/discover" => "what the server said in the handshake is in `Client::server`",
            "tasks/get" | "tasks/result" | "tasks/list" | "tasks/cancel"
                if version < ProtocolVersion::V2025_11_25 =>
            {
                "tasks came with revision 2025-11-25"
            }
            "subscriptions/listen" => "use `subscribe_resource` and `Client::notifications`",
            _ => return Ok(()),
        }
    };
    Err(Error::new(
        ErrorKind::Unsupported,
        format!("revision {version} has no {method}"),
    )
    .with_hint(instead))
}
