//! Telling the server that the roots are others.
//!
//! Owns `notifications/roots/list_changed`. It must not know how roots are listed.

use serde_json::Value;

use crate::client::handle::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::model::Root;

const CHANGED: &str = "notifications/roots/list_changed";

impl Client {
    /// Lists these roots from now on, and tells the server where the revision has a word for it
    /// ([`notify_roots_changed`](Self::notify_roots_changed)).
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::InvalidInput`] where the client was made without [`Connect::roots`](crate::Connect::roots),
    /// and as [`notify_roots_changed`](Self::notify_roots_changed); the roots are set all the same.
    pub fn set_roots(&self, roots: impl IntoIterator<Item = Root>) -> Result<()> {
        let Some(listed) = &self.handlers().asks.roots else {
            let text = "this client has no roots that could be set";
            let error = Error::new(ErrorKind::InvalidInput, text);
            return Err(error.with_hint("call `roots` on the builder first, with none if need be"));
        };
        let roots: Vec<Root> = roots.into_iter().collect();
        let before = std::mem::replace(&mut *listed.lock(), roots);
        drop(before);
        self.notify_roots_changed()
    }

    /// `notifications/roots/list_changed`: tells the server that [`roots/list`](crate::Connect::on_roots) has another
    /// answer. In revision 2026-07-28, whose servers ask anew each time, it does nothing.
    ///
    /// # Errors
    ///
    /// Fails with [`ErrorKind::InvalidInput`] where the client did not offer to tell, with
    /// [`ErrorKind::ConnectionLost`] where the connection is over, and where too many notifications wait to be written.
    pub fn notify_roots_changed(&self) -> Result<()> {
        if self.session().wire().is_modern() {
            return Ok(());
        }
        let offered = self.handlers().offered.roots.as_ref();
        if !offered.is_some_and(|roots| roots.list_changed) {
            let text = "this client did not offer to tell of changed roots";
            let error = Error::new(ErrorKind::InvalidInput, text);
            return Err(error.with_hint("set `roots` or `on_roots` on the builder"));
        }
        self.notify(CHANGED, Value::Null)
    }
}
