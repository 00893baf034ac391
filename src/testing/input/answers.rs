//! Owns what the client answered, round by round. Must not know how it was asked.

use serde_json::{Map, Value, json};

static NULL: Value = Value::Null;

/// What the client answered to the questions of a script so far, given to [`Script::then_with`].
///
/// ```
/// use mcp_progress::testing::Script;
/// use serde_json::json;
///
/// let form = json!({"message": "Who are you?", "requestedSchema": {"type": "object"}});
/// let script = Script::new().ask("who", "elicitation/create", form).then_with(|answers| {
///     match answers.content("who")["name"].as_str() {
///         Some(name) => Script::new().text(format!("hello {name}")),
///         None => Script::new().tool_error("nobody there"),
///     }
/// });
/// # let _ = script;
/// ```
///
/// [`Script::then_with`]: crate::testing::Script::then_with
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Under its key `{"result": ..}`, or `{"error": ..}` as only the handshake revisions have it.
    rounds: Vec<Map<String, Value>>,
}

impl Answers {
    /// The client's result under this key, for example `{"action": "decline"}`; `null` where there is none. Of a key
    /// that was asked for more than once it is the newest.
    pub fn get(&self, key: &str) -> &Value {
        self.find(key)
            .and_then(|answer| answer.get("result"))
            .unwrap_or(&NULL)
    }

    /// What was filled in, where the answer is one to `elicitation/create` that was accepted; otherwise `null`.
    pub fn content(&self, key: &str) -> &Value {
        let answer = self.get(key);
        if answer["action"] == "accept" {
            &answer["content"]
        } else {
            &NULL
        }
    }

    /// The JSON-RPC error that the client answered with. It exists in the handshake revisions only; in 2026-07-28 a
    /// client that cannot answer does not retry.
    pub fn error(&self, key: &str) -> Option<&Value> {
        self.find(key)?.get("error")
    }

    /// How many rounds of questions are answered.
    pub fn rounds(&self) -> usize {
        self.rounds.len()
    }

    fn find(&self, key: &str) -> Option<&Value> {
        self.rounds.iter().rev().find_map(|round| round.get(key))
    }

    /// The answers to the first rounds.
    pub(crate) fn first(&self, rounds: usize) -> Self {
        let rounds = self.rounds.iter().take(rounds).cloned().collect();
        Self { rounds }
    }

    pub(crate) fn push(&mut self, round: Map<String, Value>) {
        self.rounds.push(round);
    }

    /// Adds a round of results.
    pub(crate) fn push_results<'a>(&mut self, results: impl Iterator<Item = (&'a str, &'a Value)>) {
        let round = results.map(|(key, result)| (key.to_owned(), json!({"result": result})));
        self.rounds.push(round.collect());
    }
}
