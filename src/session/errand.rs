//! Requests that nobody waits for: they tell the server to stop a task.
//!
//! Owns `tasks/cancel` for a call that is given up. It must not know who gave it up, nor timers.

use std::time::Instant;

use serde_json::json;

use super::calls::Session;
use super::flight::{Flight, Follow, Kind, Launch};
use super::wire::Message;
use crate::model::token::ProgressToken;
use crate::progress::end::StreamEnd;
use crate::progress::phase::Phase;
use crate::progress::slot::Slot;
use crate::sync::{Arc, Ordering};

impl Session {
    /// Tells the server to stop the task that a call has become; true where it has become one.
    pub(crate) fn cancel_task_of(&self, flight: &Flight) -> bool {
        let Some(task) = flight.task.get() else {
            return false;
        };
        if !flight.task_told.swap(true, Ordering::Relaxed) {
            self.cancel_task(&task.id, flight.started);
        }
        true
    }

    /// Queues `tasks/cancel` at once, on any thread, without a runtime (revision 2025-11-25, "Tasks", and the extension
    /// of 2026-07-28, "Task Cancellation"). The answer is thrown away.
    pub(super) fn cancel_task(&self, task: &str, started: Instant) {
        let Ok(message) = Message::new("tasks/cancel", &json!({ "taskId": task })) else {
            return;
        };
        let id = self.mint_id();
        let frame = self.wire().request(id, &message, None);
        let launch = Launch {
            #[cfg(any(feature = "http", feature = "indicatif"))]
            name: message.name.clone(),
            method: message.method.clone(),
            base: None,
            follow: Follow::default(),
            slot: Arc::new(Slot::new(ProgressToken::generate(), Phase::Queued, None)),
            kind: Kind::Errand,
            tracked: false,
            #[cfg(feature = "http")]
            reissues: 0,
        };
        let flight = Arc::new(Flight::new(id, launch, started));
        self.errands.insert(id, flight.clone());
        if !self.outbox.push_errand(frame, flight.clone()) {
            return self.forget(&flight, StreamEnd::Disconnected);
        }
        if let Some(on_errand) = self.on_errand.get() {
            on_errand.0(flight);
        }
    }
}
