//! Owns the breaking of one answer: the first one that tells a client how its task is. Must not know what the client makes
//! of it.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{
    http::Head,
    proxy::{End, Fate, Manner, Request, Watcher},
    sse::Event,
};

/// After so many bytes.
const KEPT: usize = 20;

/// Breaks one answer, and counts.
#[derive(Debug, Default)]
pub struct Breaker(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// The exchanges that ask for a task.
    asking: HashSet<u64>,
    asked: usize,
    broken: usize,
}

impl Breaker {
    /// How often the client asked for its task, and how many answers were broken.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let state = self.state();
        (state.asked, state.broken)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watcher for Breaker {
    fn request(&self, exchange: u64, request: &Request) {
        let message: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        if message["method"] == "tasks/get" {
            let mut state = self.state();
            state.asking.insert(exchange);
            state.asked += 1;
        }
    }

    fn head(&self, _exchange: u64, _head: &Head) {}

    fn event(&self, exchange: u64, event: &Event) -> Fate {
        let mut state = self.state();
        // A comment or a hint is no answer.
        let tells = event.data.as_ref().is_some_and(|data| !data.is_empty());
        if !tells || state.broken > 0 || !state.asking.contains(&exchange) {
            return Fate::Pass;
        }
        state.broken += 1;
        Fate::Cut(KEPT.min(event.length), Manner::Close)
    }

    fn body(&self, _exchange: u64, _body: &[u8]) {}

    fn end(&self, _exchange: u64, _end: End) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str) -> Request {
        Request {
            head: Head::read(&mut "POST / HTTP/1.1\r\n\r\n".as_bytes())
                .unwrap()
                .unwrap(),
            body: format!(r#"{{"method":"{method}"}}"#).into_bytes(),
        }
    }

    fn event(data: &str) -> Event {
        Event {
            length: 100,
            data: Some(data.to_owned()),
            ..Event::default()
        }
    }

    #[test]
    fn one_answer_to_one_question() {
        let breaker = Breaker::default();
        breaker.request(1, &request("tools/call"));
        breaker.request(2, &request("tasks/get"));
        assert_eq!(breaker.event(1, &event("{}")), Fate::Pass);
        assert_eq!(breaker.event(2, &event("")), Fate::Pass);
        assert_eq!(breaker.event(2, &event("{}")), Fate::Cut(20, Manner::Close));
        breaker.request(3, &request("tasks/get"));
        assert_eq!(breaker.event(3, &event("{}")), Fate::Pass);
        assert_eq!(breaker.counts(), (2, 1));
    }
}
