//! A task that was created by another call, perhaps of another process.
//!
//! Owns the way from a handle back to a call. It must not know how a task is watched.

use serde_json::json;

use crate::client::clock;
use crate::client::handle::Client;
use crate::client::revision;
use crate::error::{Error, ErrorKind, Result};
use crate::model::task::TaskHandle;
use crate::model::token::ProgressToken;
use crate::model::version::ProtocolVersion;
use crate::progress::mailbox::Overflow;
use crate::progress::tally::Tally;
use crate::session::flight::{Created, Flight};
use crate::session::operation::Adoption;
use crate::sync::Arc;

/// Makes a call of a task that was created elsewhere.
pub(crate) fn adopt(
    client: &Client,
    handle: &TaskHandle,
    token: Option<ProgressToken>,
    own: Option<Overflow>,
    tally: Option<Tally>,
) -> Result<Arc<Flight>> {
    let session = client.session();
    let spoken = session.wire().version;
    if spoken != Some(handle.protocol_version) {
        let spoken = spoken.map_or("none yet", ProtocolVersion::as_str);
        let text = format!(
            "the task was created in revision {}, and this connection speaks {spoken}",
            handle.protocol_version
        );
        return Err(Error::new(ErrorKind::InvalidInput, text)
            .with_hint("connect with `Connect::resuming`, which sees to the revision"));
    }
    revision::check("tasks/get", spoken)?;
    let adoption = Adoption {
        task: Created {
            id: handle.task_id.as_str().into(),
            state: state_of(handle),
            adopted: true,
        },
        token,
        own,
        tally,
    };
    session.adopt(adoption, clock::now())
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
