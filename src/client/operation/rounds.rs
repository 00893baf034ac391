//! A round of questions: asked in a result, answered in the next request.
//!
//! Owns the multi round-trip pattern of revision 2026-07-28: the state that goes back exactly as it came, a new id, and the
//! limit of rounds. It must not know handlers.

use futures::stream::{StreamExt, TryStreamExt};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::questions;
use super::scene::{Scene, Step};
use crate::client::clock;
use crate::error::{Error, ErrorKind, Result};
use crate::model::input::InputRequired;

/// How many questions of a round are asked at once.
const AT_ONCE: usize = 16;

/// Answers round `number` and sends the call's next request.
pub(super) async fn answer(scene: Scene, response: Box<RawValue>, number: u32) -> Step {
    match try_answer(&scene, &response, number).await {
        Ok(()) => Step::Relaunched,
        Err(error) => Step::Over(Err(error)),
    }
}

/// A call in its grace is not taken further: nothing is open at the server that could still end.
fn refuse_cancelled(scene: &Scene) -> Result<()> {
    match scene.flight.slot.grace_until() {
        Some(_) => Err(Error::cancelled()),
        None => Ok(()),
    }
}

async fn try_answer(scene: &Scene, response: &RawValue, number: u32) -> Result<()> {
    refuse_cancelled(scene)?;
    let limit = scene.limits.input_rounds;
    if number > limit {
        let text =
            format!("the server asks for input again and again: {limit} rounds were answered");
        return Err(Error::new(ErrorKind::Protocol, text)
            .with_hint("raise `input_rounds` if so many are expected"));
    }
    let asked: InputRequired = serde_json::from_str(response.get()).map_err(|error| {
        let text = format!("the server asks for input in a form that cannot be read: {error}");
        Error::new(ErrorKind::Protocol, text)
    })?;
    if asked.input_requests.is_empty() && asked.request_state.is_none() {
        let text =
            "the server asks for input, but neither what for nor with which state to come back";
        return Err(Error::new(ErrorKind::Protocol, text));
    }
    tracing::debug!(
        round = number,
        questions = asked.input_requests.len(),
        "the server asks for input"
    );
    let answers = futures::stream::iter(asked.input_requests)
        .map(|(key, question)| async move {
            let answer = questions::answer(scene, question).await?;
            Ok::<_, Error>((key, answer))
        })
        .buffer_unordered(AT_ONCE);
    let answers: Map<String, Value> = answers.try_collect().await?;
    refuse_cancelled(scene)?;
    let answers = (!answers.is_empty()).then(|| Value::Object(answers).to_string());
    let mut more = Vec::with_capacity(2);
    more.extend(
        answers
            .as_deref()
            .map(|answers| ("inputResponses", answers)),
    );
    more.extend(
        asked
            .request_state
            .as_deref()
            .map(|state| ("requestState", state.get())),
    );
    let base = scene.flight.base.as_ref();
    let base = base.ok_or_else(|| {
        Error::new(
            ErrorKind::Protocol,
            "this request cannot be asked for input",
        )
    })?;
    scene
        .session
        .relaunch(&scene.flight, &base.with_raw(&more))
        .map_err(|error| error.with_context(scene.flight.context(clock::now())))
}
