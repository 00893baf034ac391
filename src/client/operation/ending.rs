//! What the state of a task means for the call that has become it.
//!
//! Owns how both forms end: with a result, with an error, cancelled by the server, or forgotten. It must not know how states
//! are learned.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::task::TaskState;
use crate::error::{Error, ErrorKind};
use crate::jsonrpc::ErrorObject;
use crate::model::status::TaskStatus;
use crate::progress::slot::Outcome;

#[derive(Debug)]
pub(super) enum Ending {
    /// It goes on.
    None,
    Outcome(Outcome),
    /// It is over, or waits for input, and the rest must be fetched (2025-11-25).
    Fetch,
    /// It is over, and how is not said; the error says what is missing.
    Unsaid(Error),
}

/// Judges a state; `fetched` is the result of `tasks/result`, where that is there already.
pub(super) fn of(state: &TaskState, modern: bool, fetched: &mut Option<Box<RawValue>>) -> Ending {
    match state.status {
        TaskStatus::Cancelled => Ending::Outcome(Err(cancelled(state))),
        TaskStatus::Completed if modern => match &state.result {
            Some(result) => Ending::Outcome(Ok(result.clone())),
            None => Ending::Unsaid(Error::new(
                ErrorKind::Protocol,
                "the task is completed, and the server gives no result of it",
            )),
        },
        TaskStatus::Failed if modern => match &state.error {
            Some(error) => {
                let error = Error::rpc(ErrorObject::from_raw(error));
                let words = state.status_message.clone();
                Ending::Outcome(Err(error.with_detail(words)))
            }
            None => Ending::Unsaid(failed(state)),
        },
        // A server was seen to give the result at once, and to know no `tasks/result`.
        TaskStatus::Completed => fetched
            .take()
            .or_else(|| state.result.clone())
            .map_or(Ending::Fetch, |result| Ending::Outcome(Ok(result))),
        // The result of a tool that failed says more than the status; but servers give an empty one, too.
        TaskStatus::Failed => match fetched.take() {
            Some(result) if says_anything(&result) => Ending::Outcome(Ok(result)),
            Some(_) => Ending::Outcome(Err(failed(state))),
            None => Ending::Fetch,
        },
        TaskStatus::InputRequired if !modern && fetched.is_none() => Ending::Fetch,
        TaskStatus::Working | TaskStatus::InputRequired | TaskStatus::Unknown => Ending::None,
    }
}

fn says_anything(result: &RawValue) -> bool {
    let members = serde_json::from_str::<Map<String, Value>>(result.get());
    members.is_ok_and(|members| members.keys().any(|name| name != "_meta"))
}

fn cancelled(state: &TaskState) -> Error {
    Error::new(ErrorKind::Task, "the task was cancelled at the server")
        .with_detail(state.status_message.clone())
}

fn failed(state: &TaskState) -> Error {
    Error::new(
        ErrorKind::Task,
        "the task failed, and the server does not say with which error",
    )
    .with_detail(state.status_message.clone())
}

/// Whether the server says that it does not know the task, or nothing of tasks.
pub(super) fn is_lost(error: &Error) -> bool {
    let code = error.as_rpc().map(|rpc| rpc.code);
    matches!(
        code,
        Some(ErrorObject::INVALID_PARAMS | ErrorObject::METHOD_NOT_FOUND)
    )
}

pub(super) fn lost(why: Error) -> Error {
    Error::new(
        ErrorKind::Task,
        "the server does not know the task any more",
    )
    .with_hint("it keeps tasks for a while only, and perhaps in the session that created them")
    .with_source(why)
}

pub(super) fn withheld() -> Error {
    let text = "the task is over, and the server does not give its result";
    Error::new(ErrorKind::Task, text)
}

pub(super) fn expired(why: Error) -> Error {
    Error::new(
        ErrorKind::Task,
        "the task's time to live is over, and the server does not give its state",
    )
    .with_hint("`as_task` can ask the server to keep a task for longer")
    .with_source(why)
}
