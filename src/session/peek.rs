//! What kind a result is, without decoding all of it.
//!
//! Owns the look for `resultType` (revision 2026-07-28) and for a created task (both forms). It must not know calls.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// The type of a result of revision 2026-07-28; absent means complete ("ResultType").
pub(crate) fn result_type(raw: &str) -> Option<Cow<'_, str>> {
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
        return Some("complete".into());
    }
    serde_json::from_str::<Peek<'_>>(raw).ok()?.result_type
}

/// A created task: its id and all that is said of it, as JSON text.
pub(super) type CreatedTask<'a> = (Cow<'a, str>, &'a str);

/// The task that a result of the extension creates.
pub(super) fn created_task(raw: &str) -> Option<CreatedTask<'_>> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(rename = "taskId", borrow)]
        id: Cow<'a, str>,
    }

    Some((serde_json::from_str::<Peek<'_>>(raw).ok()?.id, raw))
}

/// The task that a result of revision 2025-11-25 creates.
pub(super) fn created_task_2025(raw: &str) -> Option<CreatedTask<'_>> {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        task: &'a RawValue,
    }

    created_task(serde_json::from_str::<Peek<'_>>(raw).ok()?.task.get())
}
