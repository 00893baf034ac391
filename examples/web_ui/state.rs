//! What is known of each call, and who is told.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

use mcp_progress::Canceller;
use mcp_progress::ui::sse::SseEvent;
use serde_json::{Value, json};
use tokio::sync::broadcast::Sender;

/// So many calls that are over are kept, with their results.
const FINISHED: usize = 50;

pub(crate) struct State {
    pub(crate) calls: VecDeque<Entry>,
    /// None once there are no more calls. The task of each call has one too, so that streams end when the last call has.
    pub(crate) news: Option<Sender<SseEvent>>,
}

pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) canceller: Canceller,
    /// What a visitor who comes late is told: the newest event of each name.
    pub(crate) kept: Vec<SseEvent>,
}

impl Entry {
    fn is_over(&self) -> bool {
        self.kept.iter().any(|event| event.name() == Some("end"))
    }
}

impl State {
    /// Keeps an event, and tells everybody.
    pub(crate) fn tell(&mut self, news: &Sender<SseEvent>, id: &str, event: SseEvent) {
        if let Some(entry) = self.calls.iter_mut().find(|entry| entry.id == id) {
            entry.kept.retain(|kept| kept.name() != event.name());
            entry.kept.push(event.clone());
        }
        // Nobody may be looking.
        let _ = news.send(event);
        let mut over = self.calls.iter().filter(|entry| entry.is_over());
        if let (Some(oldest), FINISHED..) = (over.next(), over.count()) {
            let id = oldest.id.clone();
            self.end(&id);
        }
    }

    /// Cancels a call that runs, forgets one that is over. Returns whether there is such a call.
    pub(crate) fn end(&mut self, id: &str) -> bool {
        let Some(at) = self.calls.iter().position(|entry| entry.id == id) else {
            return false;
        };
        if !self.calls[at].is_over() {
            self.calls[at].canceller.cancel("cancelled on the web page");
        } else if let (Some(_), Some(news)) = (self.calls.remove(at), &self.news) {
            let _ = news.send(event("gone", &json!(id)));
        }
        true
    }

    /// Which calls there are, then the newest of each.
    pub(crate) fn kept(&self) -> Vec<SseEvent> {
        let ids: Vec<_> = self.calls.iter().map(|entry| &entry.id).collect();
        let mut kept = vec![event("calls", &json!({"now": now(), "ids": ids}))];
        kept.extend(self.calls.iter().flat_map(|entry| entry.kept.clone()));
        kept
    }
}

pub(crate) fn event(name: &'static str, data: &Value) -> SseEvent {
    SseEvent::named(name).data(data.to_string())
}

/// Milliseconds, as browsers count them.
pub(crate) fn now() -> u128 {
    let time = SystemTime::now().duration_since(UNIX_EPOCH);
    time.unwrap_or_default().as_millis()
}
