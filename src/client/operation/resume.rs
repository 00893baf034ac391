//! A task that was created by another call, perhaps of another process.
//!
//! Owns the way from a handle back to a call. It must not know how a task is watched.

use serde_json::json;

use crate::client::clock;
use crate::client::core::Core;
use crate::client::handle::Client;
use crate::client::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::model::task::TaskHandle;
use crate::model::token::ProgressToken;
use crate::model::version::ProtocolVersion;
use crate::session::flight::Created;
use crate::session::operation::Adoption;

/// Makes a call of a task that was created elsewhere.
pub(crate) fn begin(
    client: Client,
    handle: &TaskHandle,
    token: Option<ProgressToken>,
    listens: bool,
    limits: Limits,
) -> Result<Core> {
    let session = client.session().clone();
    let spoken = session.wire().version;
    if spoken != Some(handle.protocol_version) {
        let spoken = spoken.map_or("none yet", ProtocolVersion::as_str);
        let text = format!(
            "the task was created in revision {}, and this connection speaks {spoken}",
            handle.protocol_version
        );
        return Err(Error::new(ErrorKind::InvalidInput, text)
            .with_hint("connect with `protocol_version` set to that of the handle"));
    }
    let adoption = Adoption {
        task: Created {
            id: handle.task_id.as_str().into(),
            state: state_of(handle),
            adopted: true,
        },
        token,
        own: listens.then_some(limits.overflow),
    };
    let flight = session.adopt(adoption, clock::now())?;
    Ok(Core::resumed(client, session, flight, limits))
}

/// What is known of the task: in which state it is will be asked first of all.
fn state_of(handle: &TaskHandle) -> Box<str> {
    let age = u64::try_from(handle.age().as_millis()).unwrap_or(u64::MAX);
    let state = json!({
        "taskId": handle.task_id,
        "status": "working",
        "ttlMs": handle.ttl_ms.map(|ttl| ttl.saturating_sub(age)),
        "pollIntervalMs": handle.poll_interval_ms,
    });
    state.to_string().into()
}
