//! What a server tells of its own accord, as events and in words.
//!
//! Owns their members and their looks. It must not know how the server is asked to tell, nor where this is written.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use mcp_progress::Notification;
use mcp_progress::model::ResourceContents;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::show::printable;

/// A list of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum List {
    Tools,
    Prompts,
    Resources,
}

impl List {
    pub(crate) const ALL: [Self; 3] = [Self::Tools, Self::Prompts, Self::Resources];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
        }
    }
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    List(List),
    Resource(String),
}

impl Change {
    /// None where the notification tells of something else.
    pub(crate) fn of(notification: &Notification) -> Option<Self> {
        #[derive(Deserialize)]
        struct Updated {
            uri: String,
        }

        match notification.method.as_str() {
            "notifications/tools/list_changed" => Some(Self::List(List::Tools)),
            "notifications/prompts/list_changed" => Some(Self::List(List::Prompts)),
            "notifications/resources/list_changed" => Some(Self::List(List::Resources)),
            "notifications/resources/updated" => {
                let updated: Updated = notification.params().ok()?;
                Some(Self::Resource(updated.uri))
            }
            _ => None,
        }
    }
}

/// What the watcher is told of from now on.
#[derive(Debug, Serialize)]
pub(crate) struct Watching<'a> {
    event: &'static str,
    pub(crate) lists: &'a [List],
    pub(crate) resources: &'a [String],
}

impl<'a> Watching<'a> {
    pub(crate) const fn new(lists: &'a [List], resources: &'a [String]) -> Self {
        Self {
            event: "watching",
            lists,
            resources,
        }
    }

    /// `the lists of tools and prompts, and demo:///report`
    pub(crate) fn in_words(&self) -> String {
        let lists: Vec<&str> = self.lists.iter().map(|list| list.name()).collect();
        let mut text = String::new();
        if !lists.is_empty() {
            let _ = write!(text, "the lists of {}", lists.join(", "));
        }
        for uri in self.resources {
            let and = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{and}{}", printable::line(uri));
        }
        text
    }
}

/// A change, and what was read after it.
#[derive(Debug, Serialize)]
pub(crate) struct Changed<'a> {
    event: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    list: Option<List>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<&'a str>,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    items: Option<Vec<&'a RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contents: Option<&'a [Box<RawValue>]>,
}

/// What was read after a change.
#[derive(Debug)]
pub(crate) enum Fetched {
    /// The entries by name, before and now.
    List(Entries, Entries),
    Contents(Vec<Box<RawValue>>),
}

/// The entries of a list by their names, as the server wrote them.
pub(crate) type Entries = BTreeMap<String, Box<RawValue>>;

impl<'a> Changed<'a> {
    pub(crate) fn new(change: &'a Change, elapsed: Duration, fetched: Option<&'a Fetched>) -> Self {
        let (event, list, uri) = match change {
            Change::List(list) => ("changed", Some(*list), None),
            Change::Resource(uri) => ("updated", None, Some(uri.as_str())),
        };
        let (items, contents) = match fetched {
            Some(Fetched::List(_, now)) => (Some(now.values().map(AsRef::as_ref).collect()), None),
            Some(Fetched::Contents(contents)) => (None, Some(contents.as_slice())),
            None => (None, None),
        };
        Self {
            event,
            list,
            uri,
            elapsed_ms: milliseconds(elapsed),
            items,
            contents,
        }
    }
}

/// Something else, as it came.
#[derive(Debug, Serialize)]
pub(crate) struct Other<'a> {
    event: &'static str,
    method: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    params: Option<&'a RawValue>,
    elapsed_ms: u64,
}

impl<'a> Other<'a> {
    pub(crate) fn new(notification: &'a Notification, elapsed: Duration) -> Self {
        Self {
            event: "notification",
            method: &notification.method,
            params: notification.params.as_deref(),
            elapsed_ms: milliseconds(elapsed),
        }
    }

    pub(crate) fn in_words(&self) -> String {
        let params = self.params.map_or("", RawValue::get);
        let text = format!("{} {params}", self.method);
        stamped(self.elapsed_ms, &printable::line(text.trim_end()))
    }
}

/// The change in words, with what was read below it.
pub(crate) fn in_words(change: &Change, elapsed: Duration, fetched: Option<&Fetched>) -> String {
    let what = match change {
        Change::List(list) => format!("the list of {} changed", list.name()),
        Change::Resource(uri) => format!("{} was updated", printable::line(uri)),
    };
    let mut text = stamped(milliseconds(elapsed), &what);
    for line in fetched.map(lines_of).unwrap_or_default() {
        let _ = write!(text, "\n          {line}");
    }
    text
}

/// ` 1.2s  ` and the text.
pub(crate) fn stamped(elapsed_ms: u64, text: &str) -> String {
    format!(
        "{:>5}.{}s  {text}",
        elapsed_ms / 1_000,
        elapsed_ms % 1_000 / 100
    )
}

fn lines_of(fetched: &Fetched) -> Vec<String> {
    match fetched {
        Fetched::List(before, now) => {
            let came = now
                .iter()
                .filter_map(|(name, entry)| match before.get(name) {
                    None => Some(format!("+ {}", printable::line(name))),
                    Some(old) if old.get() != entry.get() => {
                        Some(format!("~ {}", printable::line(name)))
                    }
                    Some(_) => None,
                });
            let went = before.keys().filter(|name| !now.contains_key(*name));
            let went = went.map(|name| format!("- {}", printable::line(name)));
            came.chain(went).collect()
        }
        Fetched::Contents(contents) => contents.iter().flat_map(|raw| lines_of_part(raw)).collect(),
    }
}

fn lines_of_part(raw: &RawValue) -> Vec<String> {
    let part: Option<ResourceContents> = serde_json::from_str(raw.get()).ok();
    let Some(part) = part else {
        return vec![printable::line(raw.get())];
    };
    match (part.as_text(), part.as_blob()) {
        (Some(text), _) => printable::block(text).lines().map(str::to_owned).collect(),
        (None, Some(blob)) => vec![format!("[{} characters of base64]", blob.len())],
        (None, None) => Vec::new(),
    }
}

pub(crate) fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::value::RawValue;

    use super::{Change, Changed, Entries, Fetched, List, Other, in_words};

    fn entries(list: &[(&str, &str)]) -> Entries {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        list.iter()
            .map(|(name, text)| ((*name).to_owned(), raw(text)))
            .collect()
    }

    #[test]
    fn a_list_shows_what_came_and_went() {
        let before = entries(&[("a", "1"), ("b", "2"), ("gone\u{1b}[2J", "3")]);
        let fetched = Fetched::List(
            before,
            entries(&[("a", "1"), ("b", "20"), ("new", "{\"z\":1, \"a\":2}")]),
        );
        let change = Change::List(List::Tools);
        let words = in_words(&change, Duration::from_millis(12_345), Some(&fetched));
        assert_eq!(
            words,
            "   12.3s  the list of tools changed\n          ~ b\n          + new\n          - gone"
        );
        let event = Changed::new(&change, Duration::from_millis(5), Some(&fetched));
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"changed","list":"tools","elapsed_ms":5,"items":[1,20,{"z":1, "a":2}]}"#
        );
    }

    #[test]
    fn what_nobody_knows_is_one_line() {
        let params = RawValue::from_string("{\"a\":\n1}".to_owned()).unwrap();
        let other = Other {
            event: "notification",
            method: "notifications/\u{1b}[2Jodd\n    9.9s  the list of tools changed",
            params: Some(&params),
            elapsed_ms: 100,
        };
        assert_eq!(
            other.in_words(),
            "    0.1s  notifications/odd     9.9s  the list of tools changed {\"a\": 1}"
        );
    }

    #[test]
    fn a_resource_shows_its_contents() {
        let part = r#"{"uri":"a:b","text":"one\ntwo\u001b[1m"}"#;
        let fetched = Fetched::Contents(vec![RawValue::from_string(part.to_owned()).unwrap()]);
        let change = Change::Resource("a:b".to_owned());
        let words = in_words(&change, Duration::ZERO, Some(&fetched));
        assert_eq!(
            words,
            "    0.0s  a:b was updated\n          one\n          two"
        );
        let event = Changed::new(&change, Duration::ZERO, None);
        assert_eq!(
            serde_json::to_string(&event).unwrap(),
            r#"{"event":"updated","uri":"a:b","elapsed_ms":0}"#
        );
    }
}
