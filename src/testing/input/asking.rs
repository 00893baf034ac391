//! Owns the playing of a question. Must not know where the bytes go.

use super::round::{Question, Round};
use crate::testing::frame::{self, Answer};
use crate::testing::runner::Runner;
use futures::future::join_all;
use serde_json::{Map, Value, json};

impl Runner {
    /// Asks, and comes back when the script is to go on.
    pub(crate) async fn ask(&mut self, round: &Round) {
        let task = self.stage.task().cloned();
        if task.is_none() && self.stage.is_modern(&self.request) {
            self.ask_by_result(round);
            return;
        }
        loop {
            let answers = match &task {
                Some(task) => self.ask_in_task(task, round).await,
                None => self.ask_by_request(round).await,
            };
            self.answers.push(answers);
            if !round.endless {
                return;
            }
            // An answer that is there at once must not keep the reader of this connection from its turn.
            tokio::task::yield_now().await;
        }
    }

    /// Ends this request; the retry goes on.
    fn ask_by_result(&mut self, round: &Round) {
        let state = self
            .stage
            .backstage()
            .desk
            .give(&self.request, &self.answers, round);
        let mut result = json!({"resultType": "input_required"});
        if !round.questions.is_empty() {
            result["inputRequests"] = Value::Object(round.requests());
        }
        let mut text = result.to_string();
        if let Some(state) = state {
            // Not by way of a value, which would spell it anew.
            text.truncate(text.len() - 1);
            text.push_str(&format!(",\"requestState\":{state}}}"));
        }
        self.respond(Answer::Raw(text));
        self.flush();
        self.over = true;
    }

    async fn ask_by_request(&mut self, round: &Round) -> Map<String, Value> {
        let mut pending = Vec::new();
        let mut bytes = Vec::new();
        for Question {
            key,
            method,
            params,
        } in &round.questions
        {
            let request = self.stage.backstage().desk.open();
            bytes.extend(frame::request(request.id(), method, params));
            pending.push((key.clone(), request));
        }
        self.emit(bytes);
        // A burst that held the questions back would wait for ever.
        self.flush();
        let answers = pending.iter_mut().map(|(key, request)| async {
            let answer = request.answer_within(round.patience).await;
            (key.clone(), request.id(), answer)
        });
        let mut answers = join_all(answers).await;
        for (_, id, answer) in &mut answers {
            self.take_back(*id, answer);
        }
        answers
            .into_iter()
            .map(|(key, _, answer)| (key, answer))
            .collect()
    }

    /// Tells the client that a question is not waited for any more, if it is not answered.
    pub(crate) fn take_back(&mut self, id: u64, answer: &mut Value) {
        if answer.is_null() {
            self.notify("notifications/cancelled", &json!({"requestId": id}));
            *answer = json!({"error": {"code": 0, "message": "The question was taken back"}});
        }
    }
}
