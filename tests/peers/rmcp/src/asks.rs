//! Owns the tools that ask their client: `ask`, `ask_url`, `ask_twice`, `sample`; in each era by its own means. Must not
//! know of tasks, but for the questions that `jobs` asks before one begins.

#![expect(
    deprecated,
    reason = "sampling is on its way out of the protocol, but still spoken"
)]

use rmcp::{
    ErrorData, RoleServer,
    model::{
        CallToolRequestParams, CallToolResponse, CreateMessageRequest, CreateMessageRequestParams,
        ElicitRequest, ElicitRequestParams, InputRequest, InputRequests, InputRequiredResult,
        ProtocolVersion, SamplingMessage,
    },
    service::RequestContext,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{report, text};

/// What a tool asks, in turn.
#[derive(Clone, Copy)]
pub(crate) enum Questions {
    /// So many forms.
    Forms(usize),
    /// A page to open.
    Url,
    /// A completion.
    Sample,
}

impl Questions {
    /// The questions of the tool called `name`.
    pub(crate) fn of(name: &str) -> Option<Self> {
        match name {
            "ask" => Some(Self::Forms(1)),
            "ask_twice" => Some(Self::Forms(2)),
            "ask_url" => Some(Self::Url),
            "sample" => Some(Self::Sample),
            _ => None,
        }
    }

    const fn count(self) -> usize {
        match self {
            Self::Forms(count) => count,
            Self::Url | Self::Sample => 1,
        }
    }

    fn request(self, number: usize) -> Result<InputRequest, ErrorData> {
        match self {
            Self::Forms(_) => form(number),
            Self::Url => {
                let url = ElicitRequestParams::UrlElicitationParams {
                    meta: None,
                    message: "Please sign in".to_owned(),
                    url: "https://example.com/sign-in".to_owned(),
                    elicitation_id: "sign-in-1".to_owned(),
                };
                Ok(InputRequest::Elicitation(ElicitRequest::new(url)))
            }
            Self::Sample => {
                let messages = vec![SamplingMessage::user_text("Say hello.")];
                let request = CreateMessageRequestParams::new(messages, 20);
                Ok(InputRequest::CreateMessage(CreateMessageRequest::new(
                    request,
                )))
            }
        }
    }
}

/// The question for a name and a number, with defaults for both.
pub(crate) fn form(number: usize) -> Result<InputRequest, ErrorData> {
    let schema = json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "default": "Ada"},
            "number": {"type": "number", "default": 2.5},
        },
    });
    let form = ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!("Question {number}: who are you?"),
        requested_schema: serde_json::from_value(schema).map_err(internal)?,
    };
    Ok(InputRequest::Elicitation(ElicitRequest::new(form)))
}

/// What a tool knows about the legs before, as the client carries it: in the open, since a test has no secrets.
#[derive(Default, Serialize, Deserialize)]
struct State {
    /// Quotes, a line's end and letters beyond ASCII: it must come back as it was.
    odd: String,
    answers: Vec<Value>,
}

/// Either all answers, or what the client is to be told before there can be more.
pub(crate) enum Answers {
    All(Vec<Value>),
    Ask(InputRequiredResult),
}

/// Asks all questions, with an update before each and one at the end. Where the client must be told to call again, each
/// call gets one step further.
pub(crate) async fn answers(
    questions: Questions,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<Answers, ErrorData> {
    let modern = context.protocol_version() >= Some(ProtocolVersion::V_2026_07_28);
    let mut state = State::default();
    if let Some(known) = &request.request_state {
        state = serde_json::from_str(known)
            .map_err(|error| ErrorData::invalid_params(format!("state: {error}"), None))?;
        let responses = request.input_responses.as_ref();
        let key = format!("question-{}", state.answers.len() + 1);
        let answer = responses.and_then(|responses| responses.get(&key));
        let answer =
            answer.ok_or_else(|| ErrorData::invalid_params(format!("no answer {key}"), None))?;
        state.answers.push(answer.clone());
    }
    while state.answers.len() < questions.count() {
        let number = state.answers.len() + 1;
        step(context, number, questions).await?;
        let question = questions.request(number)?;
        if modern {
            state.odd = "\"ö\"\n".to_owned();
            let state = serde_json::to_string(&state).map_err(internal)?;
            let requests = InputRequests::from([(format!("question-{number}"), question)]);
            let asked = InputRequiredResult::new(Some(requests), Some(state));
            return Ok(Answers::Ask(asked));
        }
        state.answers.push(asked(question, context).await?);
    }
    step(context, questions.count() + 1, questions).await?;
    Ok(Answers::All(state.answers))
}

async fn step(
    context: &RequestContext<RoleServer>,
    number: usize,
    questions: Questions,
) -> Result<(), ErrorData> {
    #[expect(clippy::cast_precision_loss, reason = "a few questions")]
    let (progress, total) = (number as f64, questions.count() as f64 + 1.0);
    report(context, progress, Some(total), format!("step {number}")).await
}

/// Sends a request of the handshake revisions and waits for its answer.
async fn asked(
    question: InputRequest,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let answer = match question {
        InputRequest::Elicitation(question) => {
            let answer = context.peer.create_elicitation(question.params).await;
            serde_json::to_value(answer.map_err(internal)?)
        }
        InputRequest::CreateMessage(question) => {
            let answer = context.peer.create_message(question.params).await;
            serde_json::to_value(answer.map_err(internal)?)
        }
        other => return Err(internal(format!("not asked: {other:?}"))),
    };
    answer.map_err(internal)
}

/// One of the tools of this file.
pub(crate) async fn call(
    questions: Questions,
    request: &CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    match answers(questions, request, context).await? {
        Answers::All(answers) => Ok(text(json!({ "answers": answers }).to_string())),
        Answers::Ask(asked) => Ok(asked.into()),
    }
}

pub(crate) fn internal(error: impl std::fmt::Display) -> ErrorData {
    ErrorData::internal_error(error.to_string(), None)
}
