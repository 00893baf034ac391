//! What kind a result is, without decoding all of it.
//!
//! Owns the look for `resultType` (revision 2026-07-28), for a tool that failed, and for a created task (both forms). It
//! must not know calls.

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

/// Whether a tool's result is that of a failure of its own (`isError`).
pub(crate) fn is_tool_error(raw: &str) -> bool {
    #[derive(Deserialize)]
    struct Peek {
        #[serde(rename = "isError", default)]
        is_error: Option<bool>,
    }

    // Where it is not named, not all of it need be parsed.
    let named = raw.contains("\"isError\"");
    let peek = named.then(|| serde_json::from_str::<Peek>(raw).ok());
    peek.flatten()
        .is_some_and(|peek| peek.is_error == Some(true))
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

/// Whether a result of revision 2025-11-25 creates a task, and is no result of a tool.
pub(crate) fn is_nameless_task(raw: &str) -> bool {
    #[derive(Deserialize)]
    struct Peek<'a> {
        #[serde(borrow)]
        task: &'a RawValue,
        #[serde(borrow, default)]
        content: Option<&'a RawValue>,
    }

    serde_json::from_str::<Peek<'_>>(raw)
        .is_ok_and(|peek| peek.content.is_none() && peek.task.get().starts_with('{'))
}
