//! Owns the playing of one script. Must not know how requests are read or chosen.

use crate::testing::frame::{self, Answer};
use crate::testing::request::Request;
use crate::testing::script::{Script, Step};
use crate::testing::stage::Stage;
use crate::testing::update::Update;
use futures::future::{Either, pending, select};
use serde_json::{Value, json};
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
    stage: Arc<dyn Stage>,
    request: Request,
    /// What a burst holds back.
    held: Vec<u8>,
    /// How many bursts are open, one inside the other.
    bursts: usize,
    answer: Option<Answer>,
    /// Whether the end of the script brings no answer of its own accord.
    silent: bool,
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
        }
    }

    /// Plays the script. `cancel` is notified when the client cancels the request.
    pub(crate) async fn run(mut self, script: Script, cancel: Arc<Notify>) {
        let cut = script
            .steps
            .iter()
            .position(|step| matches!(step, Step::UntilCancelled));
        match cut {
            Some(cut) => {
                let (before, after) = script.steps.split_at(cut);
                if script.ignores_cancel {
                    self.play(before).await;
                    cancel.notified().await;
                } else {
                    self.play_until(before, &cancel).await;
                }
                self.clean_up(before, after).await;
            }
            None if script.ignores_cancel => {
                self.play(&script.steps).await;
                self.finish().await;
            }
            None => self.play_or_stop(&script.steps, &cancel).await,
        }
        self.stage.finished(self.request.id(), &cancel);
    }

    /// Plays to the end, or to the cancellation if that comes first.
    async fn play_or_stop(&mut self, steps: &[Step], cancel: &Notify) {
        let whole = async {
            self.play(steps).await;
            self.finish().await;
        };
        // The cancellation is looked at first: one that was read together with its request stops it before the
        // first byte.
        let stopped = matches!(
            select(pin!(cancel.notified()), pin!(whole)).await,
            Either::Left(_)
        );
        if stopped {
            self.stage.stopped(self.request.id());
        }
    }

    /// Plays until the cancellation, which cuts short what is left of the steps.
    async fn play_until(&mut self, steps: &[Step], cancel: &Notify) {
        let forever = async {
            self.play(steps).await;
            pending::<()>().await;
        };
        select(pin!(cancel.notified()), pin!(forever)).await;
    }

    /// Goes on behind `until_cancelled`, to the last step and no further: no answer of its own accord.
    async fn clean_up(&mut self, before: &[Step], after: &[Step]) {
        self.stage.stopped(self.request.id());
        let opened = before
            .iter()
            .filter(|step| matches!(step, Step::BurstStart))
            .count();
        let closed = before
            .iter()
            .filter(|step| matches!(step, Step::BurstEnd))
            .count();
        self.bursts = opened - closed;
        if self.bursts == 0 {
            // The cancellation cut a burst in two; its first half is never written.
            self.held.clear();
        }
        self.play(after).await;
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

    async fn play(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step).await;
        }
    }

    async fn step(&mut self, step: &Step) {
        match step {
            Step::Update(update) => self.update(update),
            Step::UpdateFor(token, update) => self.notify(PROGRESS, &update.params(token)),
            Step::Every(pause, n) => self.every(*pause, *n).await,
            Step::Flood(n) => self.flood(*n).await,
            Step::Notify(method, params) => self.notify(method, params),
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
            // Only a second one comes here, and the request is cancelled by then.
            Step::UntilCancelled => {}
            Step::CloseStream => self.stage.close_stream(),
            Step::Crash => {
                self.stage.write(std::mem::take(&mut self.held));
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
        let Some(token) = self.request.token() else {
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

    fn update(&mut self, update: &Update) {
        if let Some(token) = self.request.token() {
            let params = update.params(token);
            self.notify(PROGRESS, &params);
        }
    }

    fn notify(&mut self, method: &str, params: &Value) {
        self.emit(frame::notification(method, params));
    }

    fn respond(&mut self, answer: Answer) {
        let answer = self.stage.shape(&self.request, answer);
        self.emit(frame::response(self.request.id(), &answer));
        self.answer = Some(answer);
    }

    fn emit(&mut self, bytes: Vec<u8>) {
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
            self.stage.write(std::mem::take(&mut self.held));
        }
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
