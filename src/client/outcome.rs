//! From the raw outcome to the typed result.
//!
//! Owns the decoding and its errors. It must not know how the outcome came.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::clock;
use super::core::Core;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::slot::Outcome;

/// How much of an unreadable result an error shows.
const SHOWN: usize = 200;

pub(crate) fn decode<T: DeserializeOwned>(core: &Core, outcome: Outcome) -> Result<T> {
    let raw = outcome?;
    let context = || core.flight().context(clock::now());
    if core.session().wire().is_modern() {
        let asked = core.limits().input_required;
        check_complete(raw.get(), asked).map_err(|error| error.with_context(context()))?;
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
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(rename = "resultType", borrow, default)]
        result_type: Option<Cow<'a, str>>,
    }

    // A result nearly always names its type once, and then all of it need not be parsed for that. Inside of other members
    // the same text would leave the type absent, which means the same.
    let mut named = raw.match_indices("\"resultType\"");
    if let (Some((at, name)), None) = (named.next(), named.next())
        && raw[at + name.len()..].starts_with(":\"complete\"")
    {
        return Ok(());
    }
    let peek = serde_json::from_str::<Peek<'_>>(raw).ok();
    match peek.and_then(|peek| peek.result_type).as_deref() {
        None | Some("complete") => Ok(()),
        Some("input_required") if asked => Ok(()),
        Some("input_required") => Err(Error::new(
            ErrorKind::Unsupported,
            "the server asks for input (`input_required`), which this client cannot give yet",
        )),
        Some(other) => {
            let text = format!(
                "the result is of the type {other:?}, which this client did not offer to understand"
            );
            Err(Error::new(ErrorKind::Protocol, text))
        }
    }
}
