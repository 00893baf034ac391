//! The way of a handler's progress into the outbox of its connection.
//!
//! Owns nothing but that. It must not know handlers; it stands between them and what the client sends.

use tokio::runtime::Handle;

use super::reports::Way;
use crate::client::outgoing;
use crate::model::ProgressToken;
use crate::reporter::ReporterBuilder;
use crate::session::calls::Session;
use crate::sync::Arc;

pub(crate) struct ToServer {
    pub(crate) session: Arc<Session>,
    pub(crate) runtime: Handle,
}

impl Way for ToServer {
    fn reporter(&self, token: ProgressToken) -> Option<ReporterBuilder> {
        // Only servers report progress in the modern era.
        let modern = self.session.wire().is_modern();
        (!modern).then(|| outgoing::reporter(&self.session, &self.runtime, token))
    }

    fn is_clear(&self) -> bool {
        !self.session.outbox.holds_notifications() || self.session.is_closed()
    }
}
