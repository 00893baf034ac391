//! Owns how scripts ask. Must not know how questions reach the client.

use super::answers::Answers;
use super::round::Round;
use crate::testing::script::{Next, Script, Step};
use serde_json::Value;

/// Questions to the client.
impl Script {
    /// Asks the client for input and goes on when it has answered.
    ///
    /// In 2026-07-28 the request is answered with `input_required`, and the steps behind this one belong to the retry:
    /// they are played for its id and its token. The closure that writes the script is called for the retry again, and
    /// what stands before the question is passed over. In the handshake revisions the client is sent a request on the
    /// stream of the call.
    ///
    /// ```
    /// use mcp_progress::testing::{Script, ScriptedServer};
    /// use serde_json::json;
    ///
    /// let server = ScriptedServer::new().tool("greet", |_request| {
    ///     let form = json!({
    ///         "message": "What is your name?",
    ///         "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
    ///     });
    ///     Script::new()
    ///         .progress(1, 2)
    ///         .ask("name", "elicitation/create", form)
    ///         .progress(2, 2)
    ///         .then_with(|answers| Script::new().text(format!("hello {}", answers.content("name")["name"])))
    /// });
    /// # let _ = server;
    /// ```
    pub fn ask(self, key: impl Into<String>, method: impl Into<String>, params: Value) -> Self {
        self.ask_round(Round::new().ask(key, method, params))
    }

    /// Asks several questions at once, or in one of the odd ways that a [`Round`] can be told. What a
    /// [`burst`](Self::burst) has held back goes out together with the questions.
    pub fn ask_round(self, round: Round) -> Self {
        self.step(Step::Ask(round))
    }

    /// Goes on with steps that depend on the answers so far. The closure is called again for each retry, and must
    /// write the same questions for the same answers.
    ///
    /// Whether the script [ignores its cancellation](Self::ignores_cancel) is not decided in here.
    pub fn then_with<F>(self, next: F) -> Self
    where
        F: Fn(&Answers) -> Self + Send + Sync + 'static,
    {
        self.step(Step::Then(Next::new(next)))
    }
}
