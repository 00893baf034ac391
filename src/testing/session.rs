//! Owns one connection: reading lines, starting and cancelling scripts, subscriptions, and the end.
//! Must not know what scripts do.

use crate::testing::answer::{self, Reply};
use crate::testing::backstage::Backstage;
use crate::testing::config::Config;
use crate::testing::frame::{self, Answer};
use crate::testing::log::Log;
use crate::testing::outbox::Outbox;
use crate::testing::request::Request;
use crate::testing::script::Script;
use crate::testing::stage::Stage;
use crate::testing::subscription::Subscription;
use crate::testing::tasks::hosting::TaskHosting;
use crate::testing::tasks::ledger::Audience;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::Notify;

/// One connection, as its scripts and the server's handle see it.
#[derive(Debug)]
pub(crate) struct Session {
    config: Arc<Config>,
    log: Log,
    backstage: Arc<Backstage>,
    number: usize,
    outbox: Outbox,
    closing: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Scripts that were chosen and are not yet polled.
    chosen: Vec<Chosen>,
    /// What cancels a running script, by the JSON text of its request's id: `1` and `"1"` are two ids.
    running: HashMap<String, Arc<Notify>>,
    subscriptions: Vec<Subscription>,
}

/// A script to start, with the request it is for and what cancels it.
#[derive(Debug)]
pub(super) struct Chosen {
    pub(super) request: Request,
    pub(super) script: Script,
    pub(super) cancel: Arc<Notify>,
}

impl Session {
    pub(super) fn new(
        config: Arc<Config>,
        log: Log,
        backstage: Arc<Backstage>,
        outbox: Outbox,
    ) -> Self {
        Self {
            number: log.connected(),
            config,
            log,
            backstage,
            outbox,
            closing: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// The scripts that were chosen since this was last asked.
    pub(super) fn take_chosen(&self) -> Vec<Chosen> {
        std::mem::take(&mut self.lock().chosen)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn end(&self) {
        self.outbox.end();
    }

    /// Closes the connection as soon as what is queued now is written.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        // Also wakes the task of the connection, which then looks at the flag.
        self.outbox.end();
    }

    /// Sends a notification that belongs to no request.
    pub(crate) fn notify(&self, method: &str, params: &Value) {
        self.outbox.write(frame::notification(method, params));
    }

    /// Sends a notification to each subscription that wants it, and says how many did.
    pub(crate) fn notify_subscribers(&self, method: &str, params: &Value) -> usize {
        if !self.outbox.is_open() {
            return 0; // A task that began here outlives the connection.
        }
        let state = self.lock();
        let mut sent = 0;
        for subscription in &state.subscriptions {
            if subscription.wants(method, params) {
                self.outbox.write(subscription.notification(method, params));
                sent += 1;
            }
        }
        sent
    }

    /// Ends all subscriptions with their result.
    pub(crate) fn close_subscriptions(&self) {
        let closed = std::mem::take(&mut self.lock().subscriptions);
        for subscription in closed {
            let request = subscription.request();
            let answer = self.shape(request, Answer::Result(subscription.result()));
            self.outbox.write(frame::response(request.id(), &answer));
        }
    }

    /// Ends all subscriptions by cancelling them, the one use a server has for that notification.
    pub(crate) fn cancel_subscriptions(&self) {
        let closed = std::mem::take(&mut self.lock().subscriptions);
        for subscription in closed {
            let params = json!({"requestId": subscription.request().id()});
            self.outbox
                .write(frame::notification("notifications/cancelled", &params));
        }
    }

    /// Reads lines until the end of the input or a failure, which is an end like any other.
    pub(super) async fn read(&self, reader: impl AsyncRead) {
        let mut reader = BufReader::new(Box::pin(reader));
        let mut line = Vec::new();
        while let Ok(1..) = reader.read_until(b'\n', &mut line).await {
            self.receive(line.trim_ascii());
            line.clear();
            if self.closing.load(Ordering::Acquire) {
                return;
            }
        }
    }

    fn receive(&self, line: &[u8]) {
        if line.is_empty() {
            return;
        }
        let raw: Arc<[u8]> = line.into();
        // A batch (2025-03-26 only) is its messages one after the other.
        let messages = match serde_json::from_slice(line).unwrap_or(Value::Null) {
            Value::Array(batch) if !batch.is_empty() => batch,
            message => vec![message],
        };
        for message in messages {
            self.act(&message);
            // Recorded after acting: who waits for the record finds its effects done.
            self.log.received(self.number, Arc::clone(&raw), message);
        }
    }

    fn act(&self, message: &Value) {
        let Some(method) = message["method"].as_str() else {
            self.backstage.desk.answered(message);
            return;
        };
        match message.get("id") {
            Some(id) => {
                let request =
                    Request::new(id.clone(), method.to_owned(), message["params"].clone());
                self.choose(request);
            }
            None if method == "notifications/cancelled" => {
                self.cancel(&message["params"]["requestId"])
            }
            None => {}
        }
    }

    fn choose(&self, request: Request) {
        match answer::reply(&self.config, &self.backstage, &request) {
            Reply::Play(script) => {
                let cancel = Arc::new(Notify::new());
                let mut state = self.lock();
                state
                    .running
                    .insert(request.id().to_string(), Arc::clone(&cancel));
                state.chosen.push(Chosen {
                    request,
                    script,
                    cancel,
                });
            }
            Reply::Listen => {
                let subscription =
                    Subscription::new(request, |id| self.backstage.agrees(&self.config, id));
                let mut state = self.lock();
                // Under the lock, so that no other notification of the subscription overtakes the acknowledgement.
                self.outbox.write(subscription.acknowledgement());
                state.subscriptions.push(subscription);
            }
            Reply::Close => self.close(),
        }
    }

    fn cancel(&self, id: &Value) {
        let mut state = self.lock();
        if let Some(cancel) = state.running.remove(&id.to_string()) {
            cancel.notify_one();
        }
        let open = state.subscriptions.len();
        state
            .subscriptions
            .retain(|subscription| subscription.request().id() != id);
        let stopped = state.subscriptions.len() < open;
        drop(state);
        if stopped {
            self.log.stop(id.clone());
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Audience for Session {
    fn tell(&self, method: &str, params: &Value) -> usize {
        self.notify_subscribers(method, params)
    }
}

impl Stage for Session {
    fn write(&self, bytes: Vec<u8>) {
        self.outbox.write(bytes);
    }

    fn aside(&self, bytes: &[u8], _keep: bool) -> bool {
        let open = self.outbox.is_open();
        self.outbox.write(bytes.to_vec());
        open
    }

    fn write_through(&self, bytes: Vec<u8>) -> BoxFuture<'_, ()> {
        Box::pin(self.outbox.write_through(bytes))
    }

    fn is_modern(&self, request: &Request) -> bool {
        self.config.is_modern(request)
    }

    fn backstage(&self) -> &Arc<Backstage> {
        &self.backstage
    }

    fn shape(&self, request: &Request, answer: Answer) -> Answer {
        answer::shape(&self.config, request, answer)
    }

    fn hosting(&self) -> Option<&TaskHosting> {
        self.config.tasks.as_ref()
    }

    fn began(&self, request: &Request) {
        self.log.began(request);
    }

    fn became(&self, task: &str) {
        self.log.became(task);
    }

    fn task_stopped(&self, task: &str) {
        self.log.stop_task(task);
    }

    fn stopped(&self, id: &Value) {
        self.log.stop(id.clone());
    }

    /// Forgets the script. A later request under the same id keeps its entry.
    fn finished(&self, id: &Value, cancel: &Arc<Notify>) {
        let mut state = self.lock();
        let key = id.to_string();
        if state
            .running
            .get(&key)
            .is_some_and(|running| Arc::ptr_eq(running, cancel))
        {
            state.running.remove(&key);
        }
    }

    fn crash(&self) {
        self.close();
    }

    fn close_stream(&self) {
        // All requests share the one stream of the connection.
    }
}
