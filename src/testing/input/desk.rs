//! Owns the questions that are open and the states that were given. Must not know connections.

use super::answers::Answers;
use super::round::{Round, State};
use crate::testing::request::Request;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

/// What the connections of one server share about its questions.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    asked: u64,
    /// The requests to clients that are not answered, by their ids.
    open: HashMap<u64, oneshot::Sender<Value>>,
    /// The rounds asked by result, by the request and by what a retry of it is known by.
    given: HashMap<(String, Known), Given>,
}

/// What a retry is known by.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Known {
    State(String),
    Keys(Vec<String>),
}

/// A round that was asked by result.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    pub(crate) round: Round,
    /// What had been answered before.
    pub(crate) before: Answers,
}

/// A request to the client. Dropping it forgets it.
#[derive(Debug)]
pub(crate) struct Pending {
    desk: Arc<Desk>,
    id: u64,
    answer: oneshot::Receiver<Value>,
}

impl Desk {
    /// Opens a request to the client. Its ids are small numbers like those of clients: the two must not be confused.
    pub(crate) fn open(self: &Arc<Self>) -> Pending {
        let (sender, answer) = oneshot::channel();
        let mut inner = self.lock();
        inner.asked += 1;
        let id = inner.asked;
        inner.open.insert(id, sender);
        drop(inner);
        let desk = Arc::clone(self);
        Pending { desk, id, answer }
    }

    /// Takes a response of the client. One that nobody waits for is passed over.
    pub(crate) fn answered(&self, message: &Value) {
        let id = message["id"].as_u64();
        let waiting = id.and_then(|id| self.lock().open.remove(&id));
        if let Some(waiting) = waiting {
            // Whoever asked may just have been cancelled.
            let _ = waiting.send(message.clone());
        }
    }

    /// Notes a round asked by result and returns the JSON text of its state, if it has one.
    pub(crate) fn give(
        &self,
        request: &Request,
        before: &Answers,
        round: &Round,
    ) -> Option<String> {
        let state = match &round.state {
            State::Own => Some(Value::from(Uuid::new_v4().simple().to_string()).to_string()),
            State::Json(json) => Some(json.clone()),
            State::None => None,
        };
        let known = match &state {
            Some(json) => Known::State(text(json)),
            None => Known::Keys(
                round
                    .questions
                    .iter()
                    .map(|question| question.key.clone())
                    .collect(),
            ),
        };
        let given = Given {
            round: round.clone(),
            before: before.clone(),
        };
        self.lock().given.insert((identity(request), known), given);
        state
    }

    /// The round that `request` answers, if it is a retry.
    pub(crate) fn recall(&self, request: &Request) -> Option<Given> {
        let (identity, responses) = (identity(request), request.field("inputResponses"));
        let inner = self.lock();
        match request.field("requestState") {
            Value::Null => {
                // Of several that are answered the largest, since answers that nobody asked for are passed over.
                let asked = inner
                    .given
                    .iter()
                    .filter_map(|((one, known), given)| match known {
                        Known::Keys(keys) if *one == identity => Some((keys, given)),
                        _ => None,
                    });
                let answered = asked.filter(|(keys, _)| {
                    let mut keys = keys.iter();
                    keys.all(|key| responses.get(key).is_some())
                });
                let (_, given) = answered.max_by_key(|(keys, _)| keys.len())?;
                Some(given.clone())
            }
            state => {
                let text = state
                    .as_str()
                    .map_or_else(|| state.to_string(), str::to_owned);
                inner.given.get(&(identity, Known::State(text))).cloned()
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Nothing in here can panic half-way through a change, so a poisoned desk is still whole.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pending {
    pub(crate) fn id(&self) -> u64 {
        self.id
    }

    /// Waits for the response, the object with `result` or `error`; `null` if it takes longer than this. Dropping the
    /// future loses nothing.
    pub(crate) async fn answer_within(&mut self, patience: Option<Duration>) -> Value {
        let answer = &mut self.answer;
        // The sender goes only with its answer, or with this.
        match patience {
            Some(time) => match timeout(time, answer).await {
                Ok(answer) => answer.unwrap_or_default(),
                Err(_) => Value::Null,
            },
            None => answer.await.unwrap_or_default(),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.desk.lock().open.remove(&self.id);
    }
}

/// The string that a JSON text stands for, or the text itself where it is none.
fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

/// What a request and its retry have in common. The same state may be given to others meanwhile.
fn identity(request: &Request) -> String {
    let mut params = request.params().clone();
    if let Some(params) = params.as_object_mut() {
        for own in ["_meta", "inputResponses", "requestState"] {
            params.remove(own);
        }
    }
    format!("{} {params}", request.method())
}
