//! Owns finding the place in a script at which a retry goes on. Must not know how the script is played.

use super::answers::Answers;
use super::desk::Desk;
use crate::testing::request::Request;
use crate::testing::script::{Script, Step};
use std::collections::VecDeque;

const INVALID_PARAMS: i64 = -32602;

/// The part of the script that is still to be played for `request`: all of it, unless the request answers one of its
/// questions.
pub(crate) fn resume(desk: &Desk, request: &Request, script: Script) -> Script {
    let responses = request.field("inputResponses");
    let state = request.field("requestState");
    if responses.is_null() && state.is_null() || !asks(&script) {
        return script;
    }
    let Some(given) = desk.recall(request) else {
        if state.is_null() {
            return script;
        }
        return Script::new().error(INVALID_PARAMS, "Unknown request state");
    };
    let mut answers = given.before;
    // What is missing is asked for again (2026-07-28 `basic/patterns/mrtr`, "Error Handling").
    if given.round.is_answered(responses) && !given.round.endless {
        answers.push_results(given.round.results(responses));
    }
    skip(script, answers)
}

/// Whether retries of the request are the script's business, and not that of the closure which wrote it.
fn asks(script: &Script) -> bool {
    let mut steps = script.steps.iter();
    steps.any(|step| matches!(step, Step::Ask(_) | Step::Then(_)))
}

/// Passes over as many questions as there are rounds of answers.
fn skip(script: Script, answers: Answers) -> Script {
    let mut steps = VecDeque::from(script.steps);
    let mut passed = 0;
    while passed < answers.rounds() {
        match steps.pop_front() {
            Some(Step::Ask(_)) => passed += 1,
            Some(Step::Then(next)) => next.go_on(&answers.first(passed), &mut steps),
            Some(_) => {}
            None => break,
        }
    }
    Script {
        steps: steps.into(),
        answers,
        resumed: true,
        ..script
    }
}
