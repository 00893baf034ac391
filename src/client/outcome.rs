//! From the raw outcome to the typed result.
//!
//! Owns the decoding and its errors. It must not know how the outcome came.

use serde::de::DeserializeOwned;

use super::clock;
use super::core::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::slot::Outcome;
use crate::session::peek;

/// How much of an unreadable result an error shows.
const SHOWN: usize = 200;

pub(crate) fn decode<T: DeserializeOwned>(core: &Core, outcome: Outcome) -> Result<T> {
    let raw = outcome?;
    let context = || core.flight().context(clock::now());
    if core.session().wire().is_modern() {
        let asked = core.limits().input_required;
        check_complete(raw.get(), asked).map_err(|error| error.with_context(context()))?;
    } else if core.flight().is_augmented() && peek::is_nameless_task(raw.get()) {
        let text = "the server created a task and does not say how it is found";
        return Err(Error::new(ErrorKind::Protocol, text).with_context(context()));
    }
    serde_json::from_str(raw.get()).map_err(|error| {
        let shown: String = raw.get().chars().take(SHOWN).collect();
        Error::new(
            ErrorKind::Decode,
            format!("the result does not have the expected form: {error}, in {shown}"),
        )
        .with_hint("use `request::<serde_json::Value>` to take the result as it is")
        .with_context(context())
    })
}

/// Absent means complete; what is not known must be taken as invalid (revision 2026-07-28, "ResultType").
fn check_complete(raw: &str, asked: bool) -> Result<()> {
    match peek::result_type(raw).as_deref() {
        None | Some("complete") => Ok(()),
        Some("input_required") if asked => Ok(()),
        Some("input_required") => Err(Error::new(
            ErrorKind::Protocol,
            "the server asks for input (`input_required`), which it must not do for this request",
        )),
        Some(other) => {
            let text = format!(
                "the result is of the type {other:?}, which this client did not offer to understand"
            );
            Err(Error::new(ErrorKind::Protocol, text))
        }
    }
}
