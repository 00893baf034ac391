//! Owns the tasks of one server, and those who want to hear of them. Must not know connections.

use super::hosting::TaskHosting;
use super::task::Task;
use crate::testing::frame;
use serde_json::Value;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Someone who has open subscriptions.
pub(crate) trait Audience: fmt::Debug + Send + Sync {
    /// Sends a notification to each subscription that wants it, and says how many did.
    fn tell(&self, method: &str, params: &Value) -> usize;
}

/// What the connections of one server share about its tasks.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    tasks: Mutex<Vec<Arc<Task>>>,
    audience: Mutex<Vec<Weak<dyn Audience>>>,
}

/// Why there is no such task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Missing {
    Unknown,
    Expired,
}

impl Ledger {
    pub(crate) fn enter(&self, task: Arc<Task>) {
        self.tasks().push(task);
    }

    pub(crate) fn get(&self, id: &str) -> Result<Arc<Task>, Missing> {
        let mut tasks = self.tasks();
        let place = tasks.iter().position(|task| task.id() == id);
        let place = place.ok_or(Missing::Unknown)?;
        if tasks[place].is_expired() {
            tasks.remove(place);
            return Err(Missing::Expired);
        }
        Ok(Arc::clone(&tasks[place]))
    }

    /// All tasks that are kept, the oldest first.
    pub(crate) fn all(&self) -> Vec<Arc<Task>> {
        let mut tasks = self.tasks();
        tasks.retain(|task| !task.is_expired());
        tasks.clone()
    }

    pub(crate) fn forget(&self, id: &str) {
        self.tasks().retain(|task| task.id() != id);
    }

    pub(crate) fn forget_all(&self) {
        self.tasks().clear();
    }

    /// Tells these of changes, as long as they are there.
    pub(crate) fn tell_also(&self, audience: Weak<dyn Audience>) {
        let mut all = self.audience();
        all.retain(|other| other.strong_count() > 0);
        all.push(audience);
    }

    /// Tells of a change where that is wanted. Returns what is to be written in the name of the task.
    pub(crate) fn announce(&self, hosting: &TaskHosting, task: &Task) -> Vec<u8> {
        if !hosting.notifies(task.is_modern()) {
            return Vec::new();
        }
        if !task.is_modern() {
            return frame::notification("notifications/tasks/status", &task.view(false));
        }
        let audience: Vec<_> = self.audience().iter().filter_map(Weak::upgrade).collect();
        let params = task.detailed();
        for one in audience {
            one.tell("notifications/tasks", &params);
        }
        Vec::new()
    }

    fn tasks(&self) -> MutexGuard<'_, Vec<Arc<Task>>> {
        // Nothing in here can panic half-way through a change, so a poisoned list is still whole.
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn audience(&self) -> MutexGuard<'_, Vec<Weak<dyn Audience>>> {
        self.audience.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
