//! Owns where a script is played that has become a task. Must not know how it is played.

use super::hosting::TaskHosting;
use super::task::Task;
use crate::testing::backstage::Backstage;
use crate::testing::frame::Answer;
use crate::testing::request::Request;
use crate::testing::stage::Stage;
use futures::future::BoxFuture;
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Notify;

/// The stage of a task, behind that of the request it came from.
#[derive(Debug)]
pub(crate) struct TaskStage {
    task: Arc<Task>,
    origin: Arc<dyn Stage>,
    /// The request, while its answer is held back by a burst.
    opening: Mutex<Option<(Value, Arc<Notify>)>>,
}

impl TaskStage {
    pub(crate) fn new(task: Arc<Task>, origin: Arc<dyn Stage>) -> Self {
        Self {
            task,
            origin,
            opening: Mutex::default(),
        }
    }

    pub(crate) fn task(&self) -> &Arc<Task> {
        &self.task
    }

    /// The next write still belongs to the request.
    pub(crate) fn hold_open(&self, request: &Value, cancel: &Arc<Notify>) {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        *opening = Some((request.clone(), Arc::clone(cancel)));
    }

    fn take_opening(&self) -> Option<(Value, Arc<Notify>)> {
        let mut opening = self.opening.lock().unwrap_or_else(PoisonError::into_inner);
        opening.take()
    }
}

impl Stage for TaskStage {
    fn write(&self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if let Some((id, cancel)) = self.take_opening() {
            self.origin.write(bytes);
            self.origin.finished(&id, &cancel);
            return;
        }
        if self.origin.aside(&bytes, false) || self.task.relay(&bytes) {
            return;
        }
        self.origin.aside(&bytes, true);
    }

    fn write_through(&self, bytes: Vec<u8>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.write(bytes);
            tokio::task::yield_now().await;
        })
    }

    fn aside(&self, bytes: &[u8], keep: bool) -> bool {
        self.origin.aside(bytes, keep)
    }

    fn is_modern(&self, request: &Request) -> bool {
        self.origin.is_modern(request)
    }

    fn backstage(&self) -> &Arc<Backstage> {
        self.origin.backstage()
    }

    fn hosting(&self) -> Option<&TaskHosting> {
        self.origin.hosting()
    }

    fn task(&self) -> Option<&Arc<Task>> {
        Some(&self.task)
    }

    fn shape(&self, _request: &Request, answer: Answer) -> Answer {
        answer
    }

    fn began(&self, _request: &Request) {
        // The request it came from began.
    }

    fn became(&self, _task: &str) {
        // It became one before.
    }

    fn task_stopped(&self, task: &str) {
        self.origin.task_stopped(task);
    }

    fn stopped(&self, _id: &Value) {
        self.origin.task_stopped(self.task.id());
    }

    fn finished(&self, _id: &Value, _cancel: &Arc<Notify>) {
        if !self.task.is_terminal() {
            // Only a script that was stopped ends without an answer.
            self.task.call_off();
            if let Some(hosting) = self.hosting() {
                let news = self.backstage().ledger.announce(hosting, &self.task);
                self.write(news);
            }
        }
        if let Some((id, cancel)) = self.take_opening() {
            self.origin.finished(&id, &cancel);
        }
    }

    fn crash(&self) {
        self.origin.crash();
    }

    fn close_stream(&self) {
        // The stream of the request has ended with its answer.
    }
}
