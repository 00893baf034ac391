//! Owns what is asked for at once. Must not know how questions reach the client.
//! Source: 2026-07-28 `basic/patterns/mrtr`.

use serde_json::{Map, Value, json};
use std::time::Duration;

/// What the client is to hand back with its retry.
#[derive(Clone, Debug, Default)]
pub(crate) enum State {
    /// A text of the server's own, another one each time.
    #[default]
    Own,
    /// The JSON text of a string.
    Json(String),
    None,
}

/// One question.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) key: String,
    pub(crate) method: String,
    pub(crate) params: Value,
}

impl Question {
    /// The question as one of `inputRequests`.
    pub(crate) fn request(&self) -> Value {
        let mut request = json!({"method": self.method});
        if !self.params.is_null() {
            request["params"] = self.params.clone();
        }
        request
    }
}

/// One round of questions to the client, for [`Script::ask_round`].
///
/// In 2026-07-28 it is a result of the type `input_required`: the questions are its `inputRequests`, and its
/// `requestState` is a text of the server's own unless it is set here. In the handshake revisions each question is a
/// request to the client on the stream of the call, all in one write; keys and state are not part of them.
///
/// ```
/// use mcp_progress::testing::{Round, Script};
/// use serde_json::json;
///
/// let form = json!({"message": "Which branch?", "requestedSchema": {"type": "object", "properties": {}}});
/// let round = Round::new()
///     .ask("branch", "elicitation/create", form)
///     .ask("roots", "roots/list", json!({}))
///     .state("c2VlIHlvdSBzb29u");
/// let script = Script::new().progress(1, 2).ask_round(round).progress(2, 2).text("done");
/// # let _ = script;
/// ```
///
/// Nothing here is checked against the specification, so that clients can be shown what it forbids:
///
/// ```
/// use mcp_progress::testing::{Round, Script, ScriptedServer};
/// use serde_json::json;
///
/// let server = ScriptedServer::new()
///     .tool("only a state", |_| Script::new().ask_round(Round::new().state("again")).text("done"))
///     .tool("neither of both", |_| Script::new().ask_round(Round::new().no_state()))
///     .tool("endless", |_| Script::new().ask_round(Round::new().ask("more", "roots/list", json!({})).endless()))
///     .tool("unknown", |_| Script::new().ask("what", "vendor/unknown", json!({})))
///     .method("tools/list", |_| Script::new().ask("why", "roots/list", json!({})));
/// # let _ = server;
/// ```
///
/// [`Script::ask_round`]: crate::testing::Script::ask_round
#[derive(Clone, Debug, Default)]
#[must_use = "a round is asked by a script"]
pub struct Round {
    pub(crate) questions: Vec<Question>,
    pub(crate) state: State,
    pub(crate) endless: bool,
    pub(crate) patience: Option<Duration>,
}

impl Round {
    /// A round without questions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a question: `elicitation/create`, `sampling/createMessage`, `roots/list`, or anything else. With
    /// `Value::Null` as parameters it has none.
    pub fn ask(mut self, key: impl Into<String>, method: impl Into<String>, params: Value) -> Self {
        self.questions.push(Question {
            key: key.into(),
            method: method.into(),
            params,
        });
        self
    }

    /// Sets the `requestState`. The server knows it again when it comes back with the same request; any other text
    /// is then refused with -32602.
    pub fn state(self, text: impl AsRef<str>) -> Self {
        let json = Value::from(text.as_ref()).to_string();
        self.state_json(json)
    }

    /// Sets the `requestState` as JSON, written byte by byte as given: a string in an odd spelling, to see whether a
    /// client keeps its value.
    ///
    /// ```
    /// use mcp_progress::testing::Round;
    ///
    /// let round = Round::new().state_json(r#""caf\u00E9 \/ \ud83d\ude00""#);
    /// # let _ = round;
    /// ```
    pub fn state_json(mut self, json: impl Into<String>) -> Self {
        self.state = State::Json(json.into());
        self
    }

    /// Gives no `requestState`. The server then knows a retry by the keys that are answered in it.
    pub fn no_state(mut self) -> Self {
        self.state = State::None;
        self
    }

    /// Asks again whatever is answered: the script never comes to its next step.
    pub fn endless(mut self) -> Self {
        self.endless = true;
        self
    }

    /// Takes back the questions that are not answered after this time, by `notifications/cancelled`, and goes on
    /// without them. It means something in the handshake revisions only. Default: waits for ever.
    pub fn give_up_after(mut self, time: Duration) -> Self {
        self.patience = Some(time);
        self
    }

    /// The questions as `inputRequests`.
    pub(crate) fn requests(&self) -> Map<String, Value> {
        let questions = self.questions.iter();
        let entries = questions.map(|question| (question.key.clone(), question.request()));
        entries.collect()
    }

    /// What `inputResponses` answer of the questions; whatever else they hold is passed over.
    pub(crate) fn results<'a>(
        &'a self,
        responses: &'a Value,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let questions = self.questions.iter();
        questions.filter_map(|question| Some((&*question.key, responses.get(&question.key)?)))
    }

    /// Whether `inputResponses` answer each question.
    pub(crate) fn is_answered(&self, responses: &Value) -> bool {
        self.results(responses).count() == self.questions.len()
    }
}
