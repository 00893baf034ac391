//! Owns the playing of one script. Must not know how requests are read or chosen.

use crate::testing::frame::{self, Answer};
use crate::testing::input::answers::Answers;
use crate::testing::request::Request;
use crate::testing::script::{Script, Step};
use crate::testing::stage::Stage;
use crate::testing::tasks::task::relate;
use crate::testing::tasks::task_stage::TaskStage;
use crate::testing::update::Update;
use futures::future::{BoxFuture, Either, pending, select};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;

/// How much a flood puts into one write, in bytes.
const FLOOD_WRITE: usize = 64 * 1024;

const PROGRESS: &str = "notifications/progress";

/// The script of one request while it runs.
#[derive(Debug)]
pub(crate) struct Runner {
    pub(crate) stage: Arc<dyn Stage>,
    pub(crate) request: Request,
    /// What a burst holds back.
    held: Vec<u8>,
    /// How many bursts are open, one inside the other.
    bursts: usize,
    pub(crate) answer: Option<Answer>,
    /// Whether the end of the script brings no answer of its own accord.
    silent: bool,
    /// What the client answered so far.
    pub(crate) answers: Answers,
    /// Whether nothing more is played for this request.
    pub(crate) over: bool,
    /// Whether the work was begun by an earlier request.
    resumed: bool,
    pub(crate) ignores_cancel: bool,
    /// Where the rest of the script is played, once it has become a task.
    pub(crate) became: Option<Arc<TaskStage>>,
}

impl Runner {
    pub(crate) fn new(stage: Arc<dyn Stage>, request: Request) -> Self {
        Self {
            stage,
            request,
            held: Vec::new(),
            bursts: 0,
            answer: None,
            silent: false,
            answers: Answers::default(),
            over: false,
            resumed: false,
            ignores_cancel: false,
            became: None,
        }
    }

    /// Plays the script. `cancel` is notified when the client cancels the request.
    pub(crate) async fn run(mut self, script: Script, cancel: Arc<Notify>) {
        self.answers = script.answers;
        self.resumed = script.resumed;
        self.ignores_cancel = script.ignores_cancel;
        let mut steps = VecDeque::from(script.steps);
        let stopped = if script.ignores_cancel {
            let waits = self.play_to_end(&mut steps).await;
            if waits {
                cancel.notified().await;
            }
            waits
        } else {
            self.play_or_stop(&mut steps, &cancel).await
        };
        if stopped {
            self.stage.stopped(self.request.id());
            self.clean_up(steps).await;
            self.stage.finished(self.request.id(), &cancel);
            return;
        }
        match self.became.take() {
            Some(stage) => self.go_on_as_task(stage, steps, &cancel),
            None => self.stage.finished(self.request.id(), &cancel),
        }
    }

    /// Hands the rest of the script to whoever runs tasks.
    fn go_on_as_task(self, stage: Arc<TaskStage>, steps: VecDeque<Step>, cancel: &Arc<Notify>) {
        let script = Script {
            steps: steps.into(),
            ignores_cancel: self.ignores_cancel,
            answers: self.answers,
            resumed: true,
        };
        if self.bursts == 0 {
            self.stage.finished(self.request.id(), cancel);
        } else {
            stage.hold_open(self.request.id(), cancel);
        }
        let stopping = Arc::clone(stage.task().cancel());
        let crew = Arc::clone(&self.stage.backstage().crew);
        let mut runner = Self::new(stage, self.request);
        runner.held = self.held;
        runner.bursts = self.bursts;
        crew.push(runner.start(script, stopping));
    }

    /// Like [`run`](Self::run), of a type that can be named in there.
    fn start(self, script: Script, cancel: Arc<Notify>) -> BoxFuture<'static, ()> {
        Box::pin(self.run(script, cancel))
    }

    /// Plays to the end, and says whether that is an `until_cancelled` instead.
    async fn play_to_end(&mut self, steps: &mut VecDeque<Step>) -> bool {
        if !self.resumed {
            self.stage.began(&self.request);
        }
        self.play(steps).await;
        if self.over {
            return false;
        }
        let waits = !steps.is_empty();
        if !waits {
            self.finish().await;
        }
        waits
    }

    /// Plays to the end, or to the cancellation if that comes first. Says whether it came.
    async fn play_or_stop(&mut self, steps: &mut VecDeque<Step>, cancel: &Notify) -> bool {
        let whole = async {
            if self.play_to_end(steps).await {
                pending::<()>().await;
            }
        };
        // The cancellation is looked at first: one that was read together with its request stops it before the
        // first byte.
        matches!(
            select(pin!(cancel.notified()), pin!(whole)).await,
            Either::Left(_)
        )
    }

    /// Goes on behind `until_cancelled`, if the script has one, to the last step and no further: no answer of its own
    /// accord.
    async fn clean_up(&mut self, mut steps: VecDeque<Step>) {
        let is_cut = |step: &Step| matches!(step, Step::UntilCancelled);
        let Some(cut) = steps.iter().position(is_cut) else {
            return;
        };
        for skipped in steps.drain(..=cut) {
            match skipped {
                Step::BurstStart => self.bursts += 1,
                Step::BurstEnd => self.bursts = self.bursts.saturating_sub(1),
                _ => {}
            }
        }
        if self.bursts == 0 {
            // The cancellation cut a burst in two; its first half is never written.
            self.held.clear();
        }
        // Nothing is left to wait for at a second one.
        steps.retain(|step| !is_cut(step));
        self.play(&mut steps).await;
    }

    /// What happens at the end of a script that was not cancelled.
    async fn finish(&mut self) {
        if self.silent && self.answer.is_none() {
            pending::<()>().await;
        }
        self.answer_at_least();
    }

    fn answer_at_least(&mut self) {
        if self.answer.is_none() {
            self.respond(Answer::Result(json!({})));
        }
    }

    /// Plays until there are no more steps, or the script is over, or the next one is `until_cancelled`.
    async fn play(&mut self, steps: &mut VecDeque<Step>) {
        while !self.over {
            match steps.pop_front() {
                Some(step @ Step::UntilCancelled) => {
                    steps.push_front(step);
                    return;
                }
                Some(Step::Then(next)) => next.go_on(&self.answers, steps),
                Some(step) => self.step(&step).await,
                None => return,
            }
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Update(update) => self.update(update),
            Step::UpdateFor(token, update) => self.notify(PROGRESS, &update.params(token)),
            Step::Every(pause, n) => self.every(*pause, *n).await,
            Step::Flood(n) => self.flood(*n).await,
            Step::Notify(method, params) => self.notify(method, params),
            Step::Report(report) => self.report(report).await,
            Step::Raw(bytes) => self.emit(bytes.clone()),
            Step::Wait(time) => wait(*time).await,
            Step::BurstStart => self.bursts += 1,
            Step::BurstEnd => self.end_burst(),
            Step::Answer(answer) => self.respond(answer.clone()),
            Step::AnswerAtLeast => self.answer_at_least(),
            Step::AnswerAgain => {
                if let Some(answer) = self.answer.clone() {
                    self.respond(answer);
                }
            }
            Step::Silence => self.silent = true,
            Step::Ask(round) => self.ask(round).await,
            Step::BecomeTask => self.become_task(),
            Step::Status(words) => self.change_task(|task| task.set_words(words)),
            Step::PollInterval(pause) => self.change_task(|task| task.set_poll(Some(*pause))),
            Step::Ttl(time) => self.change_task(|task| task.set_ttl(*time)),
            Step::CallOff => self.call_off(),
            Step::Forget => self.forget_task(),
            Step::TaskResult(task) => self.task_result(task).await,
            // Seen to by `play`.
            Step::UntilCancelled | Step::Then(_) => {}
            Step::CloseStream => self.stage.close_stream(),
            Step::Crash => {
                self.flush();
                self.stage.crash();
                pending::<()>().await;
            }
        }
    }

    async fn every(&mut self, pause: Duration, n: u64) {
        for done in 1..=n {
            if done > 1 && !pause.is_zero() {
                wait(pause).await;
            }
            self.update(&Update::new(done).total(n));
        }
    }

    async fn flood(&mut self, n: u64) {
        let modern_task = self.stage.task().is_some_and(|task| task.is_modern());
        let Some(token) = self.request.token().filter(|_| !modern_task) else {
            return;
        };
        // Built once and written n times: a flood should measure the client, not this server.
        let head = format!(
            r#"{{"jsonrpc":"2.0","method":"{PROGRESS}","params":{{"progressToken":{token},"progress":"#
        );
        let tail = format!(r#","total":{n}}}}}"#);
        let mut bytes = Vec::new();
        for done in 1..=n {
            bytes.extend_from_slice(format!("{head}{done}{tail}\n").as_bytes());
            if bytes.len() >= FLOOD_WRITE || done == n {
                self.emit_through(std::mem::take(&mut bytes)).await;
            }
        }
    }

    pub(crate) fn update(&mut self, update: &Update) {
        let Some(token) = self.request.token() else {
            return;
        };
        let mut params = update.params(token);
        match self.stage.task() {
            // The extension has no updates for tasks.
            Some(task) if task.is_modern() => return,
            Some(task) => relate(&mut params, task),
            None => {}
        }
        self.notify(PROGRESS, &params);
    }

    pub(crate) fn notify(&mut self, method: &str, params: &Value) {
        self.emit(frame::notification(method, params));
    }

    pub(crate) fn respond(&mut self, answer: Answer) {
        let answer = self.stage.shape(&self.request, answer);
        if self.stage.task().is_some() {
            // A second one changes nothing: the task has ended.
            self.change_task(|task| task.finish(answer.clone()));
            self.answer = Some(answer);
            return;
        }
        self.emit(frame::response(self.request.id(), &answer));
        self.answer = Some(answer);
    }

    pub(crate) fn emit(&mut self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        if self.bursts > 0 {
            self.held.extend(bytes);
        } else {
            self.stage.write(bytes);
        }
    }

    async fn emit_through(&mut self, bytes: Vec<u8>) {
        if self.bursts > 0 {
            self.held.extend(bytes);
            // A large flood in a burst must not keep the reader of this connection from its turn.
            tokio::task::yield_now().await;
        } else {
            self.stage.write_through(bytes).await;
        }
    }

    fn end_burst(&mut self) {
        self.bursts = self.bursts.saturating_sub(1);
        if self.bursts == 0 {
            self.flush();
        }
    }

    /// Writes what is held back.
    pub(crate) fn flush(&mut self) {
        self.stage.write(std::mem::take(&mut self.held));
    }
}

/// Lets time pass. No time is a yield: a sleep, however short, takes until the timer's next tick.
async fn wait(time: Duration) {
    if time.is_zero() {
        tokio::task::yield_now().await;
    } else {
        tokio::time::sleep(time).await;
    }
}
