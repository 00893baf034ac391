//! Owns the playing of the steps that belong to tasks. Must not know where the bytes go.

use super::methods::declares;
use super::task::{Task, relate};
use super::task_stage::TaskStage;
use crate::testing::frame::{self, Answer};
use crate::testing::input::round::{Question, Round};
use crate::testing::runner::Runner;
use futures::future::join_all;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

impl Runner {
    /// Answers the request with a task, if there is to be one. The steps behind are then the task's.
    pub(crate) fn become_task(&mut self) {
        let Some(hosting) = self.stage.hosting().filter(|_| self.stage.task().is_none()) else {
            return;
        };
        let modern = self.stage.is_modern(&self.request);
        let wanted = self.request.field("task");
        if self.answer.is_some()
            || !(if modern {
                declares(&self.request)
            } else {
                wanted.is_object()
            })
        {
            return;
        }
        let ttl = wanted["ttl"].as_u64().map(Duration::from_millis);
        let task = Arc::new(Task::new(modern, self.ignores_cancel, hosting, ttl));
        // Before the answer: whoever reads it may ask for the task at once.
        self.stage.backstage().ledger.enter(Arc::clone(&task));
        self.stage.became(task.id());
        let result = if modern {
            let mut result = task.view(true);
            result["resultType"] = json!("task");
            result
        } else {
            json!({"task": task.view(false)})
        };
        self.respond(Answer::Result(result));
        self.became = Some(Arc::new(TaskStage::new(task, Arc::clone(&self.stage))));
        self.over = true;
    }

    /// Ends the task without a result.
    pub(crate) fn call_off(&mut self) {
        if self.stage.task().is_some() {
            self.change_task(|task| task.call_off());
            // It needs no answer of its own accord.
            self.over = true;
        }
    }

    /// Changes the task, if the script is one, and tells of it.
    pub(crate) fn change_task(&mut self, change: impl FnOnce(&Arc<Task>)) {
        let (Some(task), Some(hosting)) = (self.stage.task(), self.stage.hosting()) else {
            return;
        };
        change(task);
        let news = self.stage.backstage().ledger.announce(hosting, task);
        self.emit(news);
    }

    pub(crate) fn forget_task(&self) {
        if let Some(task) = self.stage.task() {
            self.stage.backstage().ledger.forget(task.id());
        }
    }

    /// Asks in the name of the task, and comes back with the answers.
    pub(crate) async fn ask_in_task(
        &mut self,
        task: &Arc<Task>,
        round: &Round,
    ) -> Map<String, Value> {
        if task.is_modern() {
            let questions = round.questions.iter().cloned();
            let questions = questions.map(|question| (None, question)).collect();
            self.change_task(|task| task.require(questions));
            // A burst that is still held back must not hide the task from those who are to answer.
            self.flush();
            let mut changes = task.changes();
            let answers = loop {
                if let Some(answers) = task.answers() {
                    break answers;
                }
                // The sender lives in the task, so this cannot fail.
                let _ = changes.changed().await;
            };
            self.change_task(|task| task.work());
            return answers;
        }
        let mut pending = Vec::new();
        for question in &round.questions {
            let mut question = question.clone();
            relate(&mut question.params, task);
            pending.push((question, self.stage.backstage().desk.open()));
        }
        let questions = pending
            .iter()
            .map(|(question, request)| (Some(request.id()), question.clone()));
        let questions = questions.collect();
        self.change_task(|task| task.require(questions));
        self.flush();
        let answers = pending.iter_mut().map(|(question, request)| async {
            let answer = request.answer_within(round.patience).await;
            task.settle(request.id());
            (question.key.clone(), request.id(), answer)
        });
        let mut answers = join_all(answers).await;
        for (_, id, answer) in &mut answers {
            self.take_back(*id, answer);
        }
        self.change_task(|task| task.work());
        answers
            .into_iter()
            .map(|(key, _, answer)| (key, answer))
            .collect()
    }

    /// Answers with the result of a task once it is there, and sends its questions meanwhile.
    pub(crate) async fn task_result(&mut self, task: &Arc<Task>) {
        let (mut changes, mut relayed) = (task.changes(), task.listen());
        let mut asked = HashSet::new();
        loop {
            changes.mark_unchanged();
            // Looked at first: what was relayed before the end is there by then.
            let outcome = task.outcome();
            while let Ok(bytes) = relayed.try_recv() {
                self.emit(bytes);
            }
            for (id, Question { method, params, .. }) in task.requests() {
                if asked.insert(id) {
                    self.emit(frame::request(id, &method, &params));
                }
            }
            if let Some(mut outcome) = outcome {
                if let Answer::Result(result) = &mut outcome {
                    relate(result, task);
                }
                self.respond(outcome);
                return;
            }
            tokio::select! {
                // The sender lives in the task, so this cannot fail.
                _ = changes.changed() => {}
                Some(bytes) = relayed.recv() => self.emit(bytes),
            }
        }
    }
}
