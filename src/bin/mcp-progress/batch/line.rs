//! One call as a line of the file says it.
//!
//! Owns the form of lines. It must not know how lines hang together.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::Number;
use serde_json::value::RawValue;

use crate::args::duration::{self, Limit};

/// What a line calls itself: a string or a number, which are never equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(untagged)]
pub(crate) enum Id {
    Number(Number),
    Text(String),
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// A call that is to be made.
#[derive(Debug)]
pub(crate) struct Line {
    /// Where it stands in the file, from 1.
    pub(crate) number: usize,
    pub(crate) tool: String,
    /// As text, since most lines wait: parsed, they would take several times the room.
    pub(crate) args: Box<RawValue>,
    pub(crate) id: Option<Id>,
    pub(crate) after: Vec<Id>,
    pub(crate) timeout: Option<Limit>,
    pub(crate) idle_timeout: Option<Limit>,
    pub(crate) retries: Option<u32>,
    pub(crate) weight: f64,
    pub(crate) task: bool,
}

/// The members of a line.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    tool: String,
    args: Option<Box<RawValue>>,
    id: Option<Id>,
    #[serde(default)]
    after: Option<Vec<Id>>,
    timeout: Option<Clock>,
    idle_timeout: Option<Clock>,
    retries: Option<u32>,
    weight: Option<f64>,
    task: Option<bool>,
}

/// A limit of time as it is written on the command line.
struct Clock(Limit);

impl<'de> Deserialize<'de> for Clock {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        duration::parse(&text).map(Self).map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Number(number) => Ok(Self::Number(number)),
            serde_json::Value::String(text) => Ok(Self::Text(text)),
            _ => Err(de::Error::custom("an id is a string or a number")),
        }
    }
}

/// All lines of a file, or what is wrong with the first that is none.
pub(crate) fn parse_all(text: &str) -> Result<Vec<Line>, String> {
    // A byte order mark is what some editors put before a text, and no part of it.
    let text = text.trim_start_matches('\u{feff}');
    let written = (1..).zip(text.lines());
    written
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(number, line)| {
            parse(number, line).map_err(|problem| format!("line {number}: {problem}"))
        })
        .collect()
}

fn parse(number: usize, text: &str) -> Result<Line, String> {
    let form: Form = serde_json::from_str(text).map_err(|error| without_place(&error))?;
    let args = match form.args {
        None => RawValue::from_string("{}".to_owned()).map_err(|error| error.to_string())?,
        Some(args) if args.get().starts_with('{') => args,
        Some(_) => return Err("`args` is not an object".to_owned()),
    };
    let weight = form.weight.unwrap_or(1.0);
    if !weight.is_finite() || weight <= 0.0 {
        return Err("`weight` is not above 0".to_owned());
    }
    if form.tool.is_empty() {
        return Err("`tool` is empty".to_owned());
    }
    Ok(Line {
        number,
        tool: form.tool,
        args,
        id: form.id,
        after: form.after.unwrap_or_default(),
        timeout: form.timeout.map(|clock| clock.0),
        idle_timeout: form.idle_timeout.map(|clock| clock.0),
        retries: form.retries,
        weight,
        task: form.task.unwrap_or_default(),
    })
}

/// What the parser says, without its line, which is always the first.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((problem, _)) if error.column() > 0 => {
            format!("{problem} at column {}", error.column())
        }
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Limit, parse_all};

    #[test]
    fn a_line_has_a_tool_and_what_else_is_wanted() {
        let text = "\u{feff}{\"tool\": \"a\"}\r\n\n  \n{\"tool\": \"b\", \"args\": {\"z\": 1.50, \"a\": 18446744073709551616}, \
            \"id\": 7, \"after\": [\"x\", 1], \"timeout\": \"1.5s\", \"idle_timeout\": \"0\", \"retries\": 2, \"weight\": 0.5, \
            \"task\": true}\n{\"tool\": \"c\", \"args\": null, \"id\": \"7\", \"after\": null}";
        let lines = parse_all(text).unwrap();
        let numbers: Vec<_> = lines.iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 4, 5]);
        assert_eq!(
            (lines[0].tool.as_str(), lines[0].args.get(), lines[0].weight),
            ("a", "{}", 1.0)
        );
        let full = &lines[1];
        assert_eq!(
            full.args.get(),
            "{\"z\": 1.50, \"a\": 18446744073709551616}"
        );
        assert_eq!(
            (full.timeout, full.idle_timeout),
            (
                Some(Limit(Some(Duration::from_millis(1_500)))),
                Some(Limit(None))
            )
        );
        assert_eq!((full.retries, full.weight, full.task), (Some(2), 0.5, true));
        assert_eq!(
            full.after
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["x", "1"]
        );
        assert_ne!(full.id, lines[2].id, "a number is no string");
    }

    #[test]
    fn what_is_no_line_is_told_with_its_number() {
        for (wrong, told) in [
            ("{\"tool\": \"a\"", "EOF"),
            ("{\"tool\": 1}", "expected a string at column 10"),
            ("[1]", "invalid type"),
            ("{}", "missing field `tool`"),
            ("{\"tool\": \"\"}", "`tool` is empty"),
            ("{\"tool\": \"a\", \"arg\": {}}", "unknown field `arg`"),
            (
                "{\"tool\": \"a\", \"args\": [1]}",
                "`args` is not an object",
            ),
            (
                "{\"tool\": \"a\", \"id\": [1]}",
                "an id is a string or a number",
            ),
            ("{\"tool\": \"a\", \"after\": \"b\"}", "expected a sequence"),
            ("{\"tool\": \"a\", \"timeout\": \"5\"}", "30s"),
            ("{\"tool\": \"a\", \"timeout\": 5}", "expected a string"),
            (
                "{\"tool\": \"a\", \"weight\": 0}",
                "`weight` is not above 0",
            ),
            ("{\"tool\": \"a\", \"retries\": -1}", "expected u32"),
        ] {
            let problem = parse_all(&format!("{{\"tool\": \"a\"}}\n\n{wrong}\n")).expect_err(wrong);
            assert!(
                problem.starts_with("line 3: ") && problem.contains(told),
                "{problem}"
            );
        }
    }
}
