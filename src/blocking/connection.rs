//! What all blocking handles of one connection have in common.
//!
//! Owns its end: the last handle waits for it. It must not know requests.

use std::pin::pin;
use std::time::Duration;

use super::{park, runtime};
use crate::client::handle::Client;

/// How long the drop of the last handle waits for the connection to be closed.
///
/// It must be longer than what a child process may take by default that neither reads nor ends: one second in which what is queued is
/// written, two until SIGTERM and two until SIGKILL. A shorter wait would leave such a server behind when the program ends, as the
/// thread that would kill it ends too.
const CLOSING: Duration = Duration::from_secs(6);

/// One connection. Kept by clients, requests, calls and lists, each of which drops it after everything else that it has.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    /// Whether it lives on the background runtime, which this side may rely on to go on.
    ours: bool,
}

impl Connection {
    pub(super) const fn ours(client: Client) -> Self {
        Self { client, ours: true }
    }

    pub(super) const fn foreign(client: Client) -> Self {
        Self {
            client,
            ours: false,
        }
    }

    pub(super) const fn client(&self) -> &Client {
        &self.client
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // An async handle or a detached call goes on with the connection.
        if !self.ours || !self.client.is_last() {
            return;
        }
        // Where it may not wait, and where it has waited for long enough, closing goes on in the background.
        match runtime::wait_until(pin!(self.client.close()), park::now() + CLOSING) {
            Ok(Some(())) => {}
            Ok(None) => {
                tracing::warn!("the connection is still being closed; `close` waits longer")
            }
            Err(error) => tracing::debug!(%error, "the connection is closed in the background"),
        }
    }
}
