//! Owns what the HTTP connections of one server share: sessions, subscriptions, and the signal to break off.
//! Must not know HTTP requests.

use super::session::HttpSession;
use super::stream::{Cut, Stream};
use crate::testing::answer;
use crate::testing::config::Config;
use crate::testing::frame::{self, Answer};
use crate::testing::subscription::Subscription;
use crate::testing::tasks::ledger::Audience;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What the connections share.
#[derive(Debug, Default)]
pub(crate) struct Hub {
    state: Mutex<State>,
    breaks: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    sessions: HashMap<String, Arc<HttpSession>>,
    listeners: Vec<Listener>,
    listened: u64,
}

/// A subscription and the stream of its response.
#[derive(Debug)]
struct Listener {
    number: u64,
    config: Arc<Config>,
    subscription: Subscription,
    stream: Stream,
}

impl Audience for Hub {
    fn tell(&self, method: &str, params: &Value) -> usize {
        self.notify_subscribers(method, params)
    }
}

impl Hub {
    pub(crate) fn admit(&self, session: Arc<HttpSession>) {
        let id = session.id().to_owned();
        self.lock().sessions.insert(id, session);
    }

    pub(crate) fn session(&self, id: &str) -> Option<Arc<HttpSession>> {
        self.lock().sessions.get(id).cloned()
    }

    pub(crate) fn dismiss(&self, id: &str) -> Option<Arc<HttpSession>> {
        self.lock().sessions.remove(id)
    }

    /// Forgets all sessions. What runs in them goes on.
    pub(crate) fn expire(&self) {
        self.lock().sessions.clear();
    }

    /// Breaks all connections that are open now.
    pub(crate) fn break_off(&self) {
        self.breaks.send_replace(());
    }

    /// Waits until the connections that are open at the time of the call are to break.
    pub(crate) fn broken(&self) -> impl Future<Output = ()> + use<> {
        let mut breaks = self.breaks.subscribe();
        async move {
            if breaks.changed().await.is_err() {
                // The server is gone; its connections are served to their end.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Sends a notification that belongs to no request to every session.
    pub(crate) fn notify(&self, method: &str, params: &Value) {
        self.write(&frame::notification(method, params));
    }

    /// Sends lines that belong to no request to every session.
    pub(crate) fn write(&self, bytes: &[u8]) {
        for session in self.lock().sessions.values() {
            session.listening().write(bytes);
        }
    }

    /// Opens a subscription on the stream and returns its number here.
    pub(crate) fn listen(
        &self,
        config: &Arc<Config>,
        subscription: Subscription,
        stream: &Stream,
    ) -> u64 {
        let mut state = self.lock();
        // Under the lock, so that no other notification of the subscription overtakes the acknowledgement.
        stream.write(&subscription.acknowledgement());
        state.listened += 1;
        let number = state.listened;
        state.listeners.push(Listener {
            number,
            config: Arc::clone(config),
            subscription,
            stream: stream.clone(),
        });
        number
    }

    /// Forgets a subscription and says whether there was one.
    pub(crate) fn unlisten(&self, number: u64) -> bool {
        let mut state = self.lock();
        let open = state.listeners.len();
        state.listeners.retain(|listener| listener.number != number);
        state.listeners.len() < open
    }

    /// Sends a notification to each subscription that wants it, and says how many did.
    pub(crate) fn notify_subscribers(&self, method: &str, params: &Value) -> usize {
        let state = self.lock();
        let mut sent = 0;
        for Listener {
            subscription,
            stream,
            ..
        } in &state.listeners
        {
            if subscription.wants(method, params) {
                stream.write(&subscription.notification(method, params));
                sent += 1;
            }
        }
        sent
    }

    /// Ends all subscriptions with their result.
    pub(crate) fn close_subscriptions(&self) {
        for listener in self.take_listeners() {
            let request = listener.subscription.request();
            let result = Answer::Result(listener.subscription.result());
            let answer = answer::shape(&listener.config, request, result);
            listener
                .stream
                .write(&frame::response(request.id(), &answer));
            listener.stream.end();
        }
    }

    /// Ends all subscriptions by closing their streams without a result.
    pub(crate) fn cancel_subscriptions(&self) {
        for listener in self.take_listeners() {
            listener.stream.cut(Cut::Closed);
        }
    }

    fn take_listeners(&self) -> Vec<Listener> {
        std::mem::take(&mut self.lock().listeners)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
