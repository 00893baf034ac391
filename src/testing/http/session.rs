//! Owns one session of the handshake revisions over HTTP: its streams and its running requests.
//! Must not know HTTP requests. Source: 2025-11-25 `basic/transports`, "Session Management".

use super::options::Options;
use super::stream::{Keeping, Stream};
use crate::testing::log::Log;
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

/// How many streams of requests a session remembers; those that have ended are forgotten when there are more.
const STREAMS: usize = 1_000;

/// The number of the stream that a GET opens.
const LISTENING: u64 = 0;

/// One session, from `initialize` to `DELETE`, or one connection of HTTP+SSE.
#[derive(Debug)]
pub(crate) struct HttpSession {
    id: String,
    version: &'static str,
    log: Log,
    /// What becomes of the events of its streams.
    keeping: Keeping,
    listening: Stream,
    over: watch::Sender<bool>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// What cancels a running script, by the JSON text of its request's id: `1` and `"1"` are two ids.
    running: HashMap<String, Arc<Notify>>,
    streams: VecDeque<Stream>,
    opened: u64,
}

impl HttpSession {
    pub(crate) fn new(version: &'static str, log: Log, options: &Options) -> Self {
        let (keeping, listening) = if options.event_ids {
            (Keeping::Stored, Keeping::Stored)
        } else {
            (Keeping::Passing, Keeping::Queued)
        };
        Self {
            id: Uuid::new_v4().simple().to_string(),
            version,
            log,
            keeping,
            listening: Stream::new(LISTENING, listening),
            over: watch::Sender::new(false),
            state: Mutex::default(),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The revision that was agreed.
    pub(crate) fn version(&self) -> &'static str {
        self.version
    }

    /// The stream for what belongs to no request.
    pub(crate) fn listening(&self) -> &Stream {
        &self.listening
    }

    /// Opens a stream for the messages of one POST.
    pub(crate) fn open(&self) -> Stream {
        let mut state = self.lock();
        state.opened += 1;
        let stream = Stream::new(state.opened, self.keeping);
        state.streams.push_back(stream.clone());
        // One is looked at for each that comes, so that many that still run cost no more than a few.
        if state.streams.len() > STREAMS
            && let Some(oldest) = state.streams.pop_front()
            && !oldest.is_ended()
        {
            state.streams.push_back(oldest);
        }
        stream
    }

    /// The stream of this number, which may have ended.
    pub(crate) fn stream(&self, number: u64) -> Option<Stream> {
        if number == LISTENING {
            return Some(self.listening.clone());
        }
        let state = self.lock();
        let mut streams = state.streams.iter();
        streams.find(|stream| stream.number() == number).cloned()
    }

    /// Notes a request whose script runs.
    pub(crate) fn began(&self, id: &Value, cancel: &Arc<Notify>) {
        self.lock()
            .running
            .insert(id.to_string(), Arc::clone(cancel));
    }

    /// Forgets a script that came to its end. A later request under the same id keeps its entry.
    pub(crate) fn finished(&self, id: &Value, cancel: &Arc<Notify>) {
        let mut state = self.lock();
        let key = id.to_string();
        let same = |running: &Arc<Notify>| Arc::ptr_eq(running, cancel);
        if state.running.get(&key).is_some_and(same) {
            state.running.remove(&key);
        }
    }

    pub(crate) fn cancel(&self, id: &Value) {
        if let Some(cancel) = self.lock().running.remove(&id.to_string()) {
            cancel.notify_one();
        }
    }

    /// Ends the session with all that runs in it.
    pub(crate) fn end(&self) {
        self.over.send_replace(true);
        let state = self.lock();
        for stream in state.streams.iter().chain([&self.listening]) {
            stream.end();
        }
        for id in state.running.keys() {
            // The key is the JSON text of the id.
            self.log.stop(serde_json::from_str(id).unwrap_or_default());
        }
    }

    /// Waits until the session has ended.
    pub(crate) async fn over(&self) {
        // The sender lives in here, so this cannot fail.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
