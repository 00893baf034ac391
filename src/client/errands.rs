//! The deadline of requests that nobody waits for.
//!
//! Owns giving them up, so that a server which never answers leaves nothing behind. It must not know what they ask.

use std::time::Duration;

use tokio::runtime::Handle;

use crate::progress::end::StreamEnd;
use crate::session::calls::{OnErrand, Session};
use crate::sync::Arc;

/// How long the answer is waited for.
const DEADLINE: Duration = Duration::from_secs(10);

/// Gives every such request of this session its deadline.
pub(super) fn give_up_in_time(runtime: &Handle, session: &Arc<Session>) {
    let runtime = runtime.clone();
    // Weak: a session does not keep itself alive.
    let session_of = Arc::downgrade(session);
    let on_errand = OnErrand(Box::new(move |errand| {
        let session_of = session_of.clone();
        // On a runtime that is gone nothing is spawned, and nothing has to be given up.
        runtime.spawn(async move {
            tokio::time::sleep(DEADLINE).await;
            if let Some(session) = session_of.upgrade() {
                let reason = "nobody waits for the answer";
                session.abandon(&errand, StreamEnd::TimedOut, reason, None);
            }
        });
    }));
    let _ = session.on_errand.set(on_errand);
}
