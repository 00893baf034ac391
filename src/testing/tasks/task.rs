//! Owns one task: its status, what it waits for, and how it ended. Must not know who runs it, nor who asks.

use super::hosting::TaskHosting;
use super::moment;
use crate::testing::frame::{self, Answer};
use crate::testing::input::round::Question;
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;
use uuid::Uuid;

/// `_meta` key that ties a message to its task (2025-11-25).
pub(crate) const RELATED: &str = "io.modelcontextprotocol/related-task";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Working,
    InputRequired,
    Completed,
    Failed,
    Cancelled,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::Working => "working",
            Self::InputRequired => "input_required",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

/// One task.
#[derive(Debug)]
pub(crate) struct Task {
    id: String,
    /// Whether it has the form of 2026-07-28.
    modern: bool,
    /// Whether it runs on when it is cancelled.
    ignores_cancel: bool,
    created: String,
    born: Instant,
    cancel: Arc<Notify>,
    state: Mutex<State>,
    changes: watch::Sender<()>,
}

#[derive(Debug)]
struct State {
    status: Status,
    words: Option<String>,
    updated: String,
    ttl: Option<Duration>,
    poll: Option<Duration>,
    /// What is asked and not answered, each with the id of its request where it has one.
    questions: Vec<(Option<u64>, Question)>,
    answers: Map<String, Value>,
    outcome: Option<Answer>,
    /// Those who wait for the result and take what belongs to the task meanwhile.
    listeners: Vec<mpsc::UnboundedSender<Vec<u8>>>,
}

impl Task {
    #[expect(
        clippy::disallowed_methods,
        reason = "a task is kept for a time on the clock that scripts run by"
    )]
    pub(crate) fn new(
        modern: bool,
        ignores_cancel: bool,
        hosting: &TaskHosting,
        wanted: Option<Duration>,
    ) -> Self {
        let created = moment::now();
        Self {
            id: Uuid::new_v4().to_string(),
            modern,
            ignores_cancel,
            born: Instant::now(),
            cancel: Arc::default(),
            state: Mutex::new(State {
                status: Status::Working,
                words: None,
                updated: created.clone(),
                ttl: hosting.ttl.unwrap_or(wanted),
                poll: hosting.poll_interval,
                questions: Vec::new(),
                answers: Map::new(),
                outcome: None,
                listeners: Vec::new(),
            }),
            created,
            changes: watch::Sender::new(()),
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.modern
    }

    /// What stops it.
    pub(crate) fn cancel(&self) -> &Arc<Notify> {
        &self.cancel
    }

    pub(crate) fn ignores_cancel(&self) -> bool {
        self.ignores_cancel
    }

    pub(crate) fn is_terminal(&self) -> bool {
        self.lock().status.is_terminal()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a task is kept for a time on the clock that scripts run by"
    )]
    pub(crate) fn is_expired(&self) -> bool {
        let ttl = self.lock().ttl;
        ttl.is_some_and(|ttl| Instant::now() - self.born >= ttl)
    }

    /// Told of each change.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    pub(crate) fn set_words(&self, words: &str) {
        self.change(|state| state.words = Some(words.to_owned()));
    }

    pub(crate) fn set_poll(&self, pause: Option<Duration>) {
        self.change(|state| state.poll = pause);
    }

    pub(crate) fn set_ttl(&self, time: Option<Duration>) {
        self.change(|state| state.ttl = time);
    }

    /// Waits for input from now on.
    pub(crate) fn require(&self, questions: Vec<(Option<u64>, Question)>) {
        self.change(|state| {
            state.status = Status::InputRequired;
            state.answers = Map::new();
            state.questions = questions;
        });
    }

    /// Takes what `inputResponses` answer; whatever else they hold is passed over.
    pub(crate) fn respond(&self, responses: &Value) {
        self.change(|state| {
            let State {
                status,
                questions,
                answers,
                ..
            } = state;
            questions.retain(|(_, question)| match responses.get(&question.key) {
                Some(result) => {
                    answers.insert(question.key.clone(), json!({"result": result}));
                    false
                }
                None => true,
            });
            if questions.is_empty() && *status == Status::InputRequired {
                *status = Status::Working;
            }
        });
    }

    /// A request is answered or taken back.
    pub(crate) fn settle(&self, id: u64) {
        self.change(|state| state.questions.retain(|(asked, _)| *asked != Some(id)));
    }

    /// The answers, when all questions have one.
    pub(crate) fn answers(&self) -> Option<Map<String, Value>> {
        let state = self.lock();
        state.questions.is_empty().then(|| state.answers.clone())
    }

    /// Goes on working, unless it has ended meanwhile.
    pub(crate) fn work(&self) {
        self.change(|state| state.status = Status::Working);
    }

    /// The requests to the client that are open.
    pub(crate) fn requests(&self) -> Vec<(u64, Question)> {
        let state = self.lock();
        let questions = state.questions.iter().cloned();
        questions
            .filter_map(|(id, question)| Some((id?, question)))
            .collect()
    }

    /// Ends with what the call would have been answered with.
    pub(crate) fn finish(&self, answer: Answer) {
        self.change(|state| {
            state.status = match &answer {
                Answer::Error { .. } => Status::Failed,
                // The older form counts a tool's own errors as failures, too.
                Answer::Result(result) if !self.modern && result["isError"] == true => {
                    Status::Failed
                }
                Answer::Result(_) | Answer::Raw(_) => Status::Completed,
            };
            if let Answer::Error { message, .. } = &answer {
                state.words = Some(message.clone());
            }
            state.outcome = Some(answer);
        });
    }

    /// Ends without a result.
    pub(crate) fn call_off(&self) {
        self.change(|state| {
            state.status = Status::Cancelled;
            state.outcome = Some(Answer::error(-32000, "The task was cancelled"));
        });
    }

    /// What `tasks/result` is answered with, once there is something.
    pub(crate) fn outcome(&self) -> Option<Answer> {
        self.lock().outcome.clone()
    }

    /// Takes what belongs to the task from now on.
    pub(crate) fn listen(&self) -> mpsc::UnboundedReceiver<Vec<u8>> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.lock().listeners.push(sender);
        receiver
    }

    /// Gives bytes to the newest who listens, and says whether there was one.
    pub(crate) fn relay(&self, bytes: &[u8]) -> bool {
        let mut state = self.lock();
        state.listeners.retain(|listener| !listener.is_closed());
        let newest = state.listeners.last();
        newest.is_some_and(|listener| listener.send(bytes.to_vec()).is_ok())
    }

    /// The task as it is spoken of in the one form or the other.
    pub(crate) fn view(&self, modern: bool) -> Value {
        let state = self.lock();
        let mut view = json!({
            "taskId": self.id,
            "status": state.status.as_str(),
            "createdAt": self.created,
            "lastUpdatedAt": state.updated,
        });
        let (ttl, poll) = if modern {
            ("ttlMs", "pollIntervalMs")
        } else {
            ("ttl", "pollInterval")
        };
        view[ttl] = json!(state.ttl.map(millis));
        if let Some(pause) = state.poll {
            view[poll] = json!(millis(pause));
        }
        if let Some(words) = &state.words {
            view["statusMessage"] = json!(words);
        }
        view
    }

    /// The task with all that belongs to its status, as 2026-07-28 has it.
    pub(crate) fn detailed(&self) -> Value {
        let mut view = self.view(true);
        let state = self.lock();
        match (state.status, &state.outcome) {
            (Status::InputRequired, _) => {
                let questions = state.questions.iter().map(|(_, question)| question);
                let requests = questions.map(|question| (question.key.clone(), question.request()));
                view["inputRequests"] = Value::Object(requests.collect());
            }
            (Status::Completed, Some(Answer::Result(result))) => view["result"] = result.clone(),
            (Status::Completed, Some(Answer::Raw(result))) => {
                view["result"] = serde_json::from_str(result).unwrap_or_default();
            }
            (
                Status::Failed,
                Some(Answer::Error {
                    code,
                    message,
                    data,
                }),
            ) => {
                view["error"] = frame::error(*code, message, data.as_ref());
            }
            _ => {}
        }
        view
    }

    /// Changes the task, unless it has ended.
    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        if !state.status.is_terminal() {
            change(&mut state);
            state.updated = moment::now();
        }
        drop(state);
        self.changes.send_replace(());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in here can panic half-way through a change, so a poisoned state is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Ties the parameters or the result of a message to a task.
pub(crate) fn relate(object: &mut Value, task: &Task) {
    if object.is_null() {
        *object = json!({});
    }
    if let Some(fields) = object.as_object_mut() {
        let meta = fields.entry("_meta").or_insert_with(|| json!({}));
        if meta.is_object() {
            meta[RELATED] = json!({"taskId": task.id});
        }
    }
}
