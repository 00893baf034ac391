//! A task, watched to its end.
//!
//! Owns what is asked of the server and when, what its state means for the call, and the answers to its questions. It must
//! not know how the call hands updates over.

use std::collections::{HashMap, HashSet, VecDeque};
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::ending::{self, Ending};
use super::inquiry::inquire;
use super::pace::Pace;
use super::questions;
use super::scene::{Scene, Step};
use super::task::TaskState;
use super::tells::{Tells, Told};
use crate::client::clock::{self, Timer};
use crate::error::{Error, ErrorKind, Result};
use crate::jsonrpc::ErrorObject;
use crate::model::input::InputRequest;
use crate::model::progress::Update;
use crate::model::status::TaskStatus;
use crate::progress::slot::Outcome;

/// How long the answer to one look at the task may take.
const LOOK: Duration = Duration::from_secs(60);

/// So much happens before the call has its turn.
const EVENTS: u32 = 32;
/// So many questions are put at once, and in all.
const AT_ONCE: usize = 16;
const QUESTIONS: usize = 1024;
/// So many refusals in a row are taken for an answer.
const REFUSALS: u32 = 5;

/// How a state was learned.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Asked,
    Told,
}

/// Work that is under way beside the waiting.
enum Done {
    /// The task's state was asked for.
    Looked(Outcome),
    /// Its result was (2025-11-25).
    Fetched(Outcome),
    /// A question has its answer,
    Answered(String, Result<Value>),
    /// which was sent.
    Sent(String, Value, Outcome),
}

enum Event {
    Done(Done),
    Told(Told),
    Due,
}

struct Watch {
    scene: Scene,
    id: String,
    modern: bool,
    pace: Pace,
    timer: Timer,
    /// Whether the timer is set for the next look.
    due: bool,
    looking: bool,
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    tells: Option<Tells>,
    /// Whether the server was asked to tell by itself.
    subscribed: bool,
    /// What the server said last.
    state: Option<TaskState>,
    /// The questions that were put, so that each is answered once.
    asked: HashSet<String>,
    /// Those of them that wait for others to be answered, and how many are at work.
    waiting: VecDeque<(String, InputRequest)>,
    asking: usize,
    /// Answers that did not reach the server.
    unsent: HashMap<String, Value>,
    /// The result, before it is known that it is one.
    fetched: Option<Box<RawValue>>,
    fetching: bool,
    /// Since when the task is known to be over, where the result must be fetched.
    ended: Option<Instant>,
    /// Whether the server could not be reached since it was last heard of.
    outage: bool,
    /// Whether it told something by itself since it was last asked.
    told_since: bool,
    over: Option<Outcome>,
    /// Events since the call last had its turn.
    events: u32,
}

/// Watches the task that a call has become.
pub(super) async fn run(scene: Scene) -> Step {
    let Some(task) = scene.flight.task.get() else {
        let text = "the call did not become a task";
        return Step::Over(Err(Error::new(ErrorKind::Protocol, text)));
    };
    let modern = scene.session.wire().is_modern();
    let mut watch = Watch {
        id: task.id.to_string(),
        modern,
        pace: Pace::new(clock::now()),
        timer: Timer::default(),
        due: false,
        looking: false,
        work: FuturesUnordered::new(),
        tells: None,
        subscribed: false,
        state: None,
        asked: HashSet::new(),
        waiting: VecDeque::new(),
        asking: 0,
        events: 0,
        unsent: HashMap::new(),
        fetched: None,
        fetching: false,
        ended: None,
        outage: false,
        told_since: false,
        over: None,
        scene: scene.clone(),
    };
    // In 2025-11-25 what is told comes without being asked for.
    if !modern {
        watch.listen();
    }
    match TaskState::of(&task.state) {
        Ok(state) if task.adopted => {
            watch.pace.set(state.poll_interval(), state.ttl());
            watch.look();
        }
        Ok(state) => watch.take_in(state, Source::Told),
        // The task is there all the same.
        Err(error) => {
            tracing::warn!(%error, task = watch.id, "the task was created in an unreadable state");
            watch.look();
        }
    }
    Step::Over(watch.outcome().await)
}

impl Watch {
    async fn outcome(&mut self) -> Outcome {
        loop {
            if let Some(outcome) = self.over.take() {
                return outcome;
            }
            match poll_fn(|cx| self.poll_event(cx)).await {
                Event::Done(done) => self.done(done),
                Event::Told(Told::Agreed) => self.pace.set_told(true),
                Event::Told(Told::State(state)) => self.take_in(*state, Source::Told),
                Event::Told(Told::Over) => {
                    self.tells = None;
                    self.pace.set_told(false);
                    self.wait();
                }
                Event::Due => self.look(),
            }
        }
    }

    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        self.events += 1;
        if self.events > EVENTS {
            // A server that never stops telling must not keep the call from handing over what it told.
            self.events = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let event = self.next_event(cx);
        if event.is_pending() {
            self.events = 0;
        }
        event
    }

    fn next_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        if let Poll::Ready(Some(done)) = self.work.poll_next_unpin(cx) {
            return Poll::Ready(Event::Done(done));
        }
        if let Some(tells) = &mut self.tells
            && let Poll::Ready(told) = tells.poll(&self.id, cx)
        {
            return Poll::Ready(Event::Told(told));
        }
        if self.due && self.timer.poll(cx).is_ready() {
            return Poll::Ready(Event::Due);
        }
        Poll::Pending
    }

    fn listen(&mut self) {
        self.subscribed = true;
        self.tells = Tells::of(&self.scene, &self.id);
    }

    /// Arranges the next look, unless one is under way.
    fn wait(&mut self) {
        if self.looking || self.over.is_some() {
            return;
        }
        let next = self.pace.next(clock::now(), fastrand::f64());
        // Until then nothing is asked, because the server wants it so: that is no silence of the server.
        if !self.pace.is_failing() {
            self.scene.flight.slot.keep_quiet(next);
        }
        self.timer.set(next, self.scene.client.runtime());
        self.due = true;
    }

    fn look(&mut self) {
        if self.looking {
            return;
        }
        (self.looking, self.due, self.told_since) = (true, false, false);
        let look = self.inquire("tasks/get", Some(LOOK), json!({ "taskId": self.id }));
        self.work.push(look.map(Done::Looked).boxed());
        for (key, answer) in std::mem::take(&mut self.unsent) {
            self.send(key, answer);
        }
    }

    /// Asks for the result, which blocks until there is one. In 2025-11-25 this is also how a server that waits for input
    /// gets to ask for it.
    fn fetch(&mut self) {
        if self.fetching || self.fetched.is_some() {
            return;
        }
        self.fetching = true;
        // A task that is over has its result, so that the answer is a matter of the way only.
        let limit = self.ended.map(|_| LOOK);
        let fetch = self.inquire("tasks/result", limit, json!({ "taskId": self.id }));
        self.work.push(fetch.map(Done::Fetched).boxed());
    }

    /// Puts the questions that wait.
    fn ask(&mut self) {
        if self.asked.len() > QUESTIONS {
            let text = format!("the task asks more than {QUESTIONS} questions");
            self.scene.session.cancel_task_of(&self.scene.flight);
            self.over = Some(Err(Error::new(ErrorKind::Protocol, text)));
            return;
        }
        while self.asking < AT_ONCE
            && let Some((key, question)) = self.waiting.pop_front()
        {
            self.asking += 1;
            let scene = self.scene.clone();
            let asked = async move {
                let answer = questions::answer(&scene, question).await;
                Done::Answered(key, answer)
            };
            self.work.push(asked.boxed());
        }
    }

    fn send(&self, key: String, answer: Value) {
        let params = json!({ "taskId": self.id, "inputResponses": { key.as_str(): answer } });
        let send = self.inquire("tasks/update", Some(LOOK), params);
        self.work
            .push(send.map(|sent| Done::Sent(key, answer, sent)).boxed());
    }

    fn inquire(
        &self,
        method: &'static str,
        limit: Option<Duration>,
        params: Value,
    ) -> BoxFuture<'static, Outcome> {
        inquire(&self.scene, method, &params, limit)
    }

    fn done(&mut self, done: Done) {
        match done {
            Done::Looked(looked) => {
                self.looking = false;
                let looked = looked.and_then(|raw| TaskState::of(raw.get()));
                match looked.and_then(|state| state.answering_for(&self.id)) {
                    Ok(state) => self.looked(state),
                    Err(error) => self.missed(error),
                }
            }
            Done::Fetched(fetched) => {
                self.fetching = false;
                match fetched {
                    Ok(raw) => self.has_result(raw),
                    Err(error) => self.has_no_result(error),
                }
            }
            Done::Answered(key, Ok(answer)) => {
                self.asking -= 1;
                self.send(key, answer);
                self.ask();
            }
            Done::Answered(_, Err(error)) => {
                // Nobody will answer, so nothing is left to be waited for.
                self.scene.session.cancel_task_of(&self.scene.flight);
                self.over = Some(Err(error));
            }
            Done::Sent(.., Ok(_)) => {}
            Done::Sent(key, answer, Err(error)) if is_passing(&error) => {
                self.unsent.insert(key, answer);
            }
            // It may have its answer already, and no harm is done.
            Done::Sent(key, _, Err(error)) => {
                tracing::warn!(%error, key, task = self.id, "the server refused an answer");
            }
        }
    }

    fn looked(&mut self, state: TaskState) {
        self.pace.succeeded();
        let working = !state.status.is_terminal();
        self.take_in(state, Source::Asked);
        if working && !self.subscribed && self.over.is_none() {
            self.listen();
        }
    }

    /// The server said what the task is doing.
    fn take_in(&mut self, state: TaskState, source: Source) {
        let now = clock::now();
        self.scene.flight.slot.keep_quiet(now);
        if self.over.is_some() || self.is_overtaken(&state, source) {
            return self.wait();
        }
        self.told_since |= source == Source::Told;
        let outage = std::mem::take(&mut self.outage);
        let known = self.state.as_ref();
        if outage || known.is_none_or(|known| !state.tells_as_much_as(known)) {
            let update = Update::of_status(state.status, state.status_message.as_deref());
            self.scene.flight.slot.deliver(update, now);
            self.scene.flight.slot.wake();
        }
        self.pace.set(state.poll_interval(), state.ttl());
        for (key, question) in state.input_requests.clone().unwrap_or_default() {
            if self.modern && self.asked.insert(key.clone()) {
                self.waiting.push_back((key, question));
            }
        }
        self.ask();
        match ending::of(&state, self.modern, &mut self.fetched) {
            Ending::None => {}
            Ending::Outcome(outcome) => self.over = Some(outcome),
            Ending::Fetch => self.fetch_at(state.status, now),
            // A notification may leave out what an answer has.
            Ending::Unsaid(error) if source == Source::Asked => self.over = Some(Err(error)),
            Ending::Unsaid(_) => self.look(),
        }
        self.state = Some(state);
        self.wait();
    }

    /// Whether something newer is known. By the server's clock, which may be set back, only where the two may have
    /// changed places on the way; and what is over stays over.
    fn is_overtaken(&self, state: &TaskState, source: Source) -> bool {
        let Some(known) = self.state.as_ref().filter(|_| !state.status.is_terminal()) else {
            return false;
        };
        let crossed = source == Source::Told || self.told_since;
        known.status.is_terminal() || (crossed && state.is_older_than(known))
    }

    /// Asks for the result of a task in this state, and gives up where it is over and its result does not come.
    fn fetch_at(&mut self, status: TaskStatus, now: Instant) {
        if status.is_terminal() {
            let ended = *self.ended.get_or_insert(now);
            if now.saturating_duration_since(ended) >= LOOK {
                self.over = Some(Err(ending::withheld()));
                return;
            }
        }
        self.fetch();
    }

    /// The task's state could not be had.
    fn missed(&mut self, error: Error) {
        let failures = self.pace.failed();
        if self.scene.session.is_closed() {
            self.over = Some(Err(error.with_hint(
                "the server may go on with the task; `resume_task` takes it up over a new connection",
            )));
        } else if ending::is_lost(&error) {
            self.over = Some(Err(ending::lost(error)));
        } else if self.pace.is_expired(clock::now()) {
            self.over = Some(Err(ending::expired(error)));
        } else if is_passing(&error) {
            tracing::debug!(%error, task = self.id, "the task could not be asked for; it is asked for again");
            self.outage = true;
            self.scene.flight.slot.mark_gap();
        } else if failures >= REFUSALS {
            // Nobody will see its end.
            self.scene.session.cancel_task_of(&self.scene.flight);
            self.over = Some(Err(error));
        }
        self.wait();
    }

    fn has_result(&mut self, raw: Box<RawValue>) {
        self.fetched = Some(raw);
        let state = self.state.take();
        match state.map(|state| ending::of(&state, self.modern, &mut self.fetched)) {
            Some(Ending::Outcome(outcome)) => self.over = Some(outcome),
            // A task that was cancelled may have an empty result, so its state must be known.
            _ => self.look(),
        }
    }

    /// The result could not be had, or there is none: its state says why.
    fn has_no_result(&mut self, error: Error) {
        let status = self.state.as_ref().map(|state| state.status);
        let terminal = status.is_some_and(TaskStatus::is_terminal);
        if error
            .as_rpc()
            .is_some_and(|rpc| rpc.code == ErrorObject::METHOD_NOT_FOUND)
            && !terminal
        {
            // A server without this request gives the result with the state. It is not asked again.
            self.fetching = true;
            self.wait();
        } else if terminal && error.kind() == ErrorKind::Timeout {
            self.over = Some(Err(ending::withheld().with_source(error)));
        } else if terminal && !is_passing(&error) {
            let words = self
                .state
                .as_ref()
                .and_then(|state| state.status_message.clone());
            self.over = Some(Err(error.with_detail(words)));
        } else {
            self.missed(error);
        }
    }
}

/// Whether the same request may have more luck later.
fn is_passing(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::ConnectionLost | ErrorKind::Timeout => true,
        // The server, or what is before it, is busy or starts anew.
        ErrorKind::Http => matches!(error.status(), Some(408 | 425 | 429 | 500..=599)),
        _ => false,
    }
}
