//! The arguments of the tool, out of pairs and `--args`.
//!
//! Owns their forms and how they are put together. It must not know servers.

use std::fs;
use std::io;

use serde_json::{Map, Value};

use crate::args::pair::Pair;
use crate::failure::Failure;
use crate::interrupt::Interrupt;

/// The arguments to send: `args` is an object itself, `@FILE` or `-`, and the pairs go on top.
pub(crate) async fn arguments(
    args: Option<&str>,
    pairs: &[Pair],
    interrupt: &Interrupt,
) -> Result<Map<String, Value>, Failure> {
    let base = match args {
        None => Map::new(),
        Some(args) => {
            let text = text("--args", args, interrupt).await?;
            let what = match args {
                "-" => "standard input",
                _ => args.strip_prefix('@').unwrap_or("the value"),
            };
            object(what, &text)?
        }
    };
    merge(base, pairs)
}

/// What `given` stands for: `-` for standard input, `@FILE` for what is in the file, and anything else for itself.
/// `argument` names it where it cannot be read.
pub(crate) async fn text(
    argument: &str,
    given: &str,
    interrupt: &Interrupt,
) -> Result<String, Failure> {
    let wrong =
        |what: &str, problem: io::Error| Failure::Usage(format!("{argument}: {what}: {problem}"));
    if given == "-" {
        // In a thread of its own: a read of a terminal cannot be interrupted, but left behind.
        let reading = tokio::task::spawn_blocking(|| io::read_to_string(io::stdin()));
        let text = tokio::select! {
            text = reading => text.map_err(io::Error::other).and_then(|text| text),
            () = interrupt.happened() => return Err(Failure::Interrupted),
        };
        return text.map_err(|error| wrong("standard input", error));
    }
    match given.strip_prefix('@') {
        Some(path) => fs::read_to_string(path).map_err(|error| wrong(path, error)),
        None => Ok(given.to_owned()),
    }
}

fn usage(what: &str, problem: &dyn std::fmt::Display) -> Failure {
    Failure::Usage(format!("--args: {what}: {problem}"))
}

fn object(what: &str, text: &str) -> Result<Map<String, Value>, Failure> {
    // A byte order mark is what some editors put before a text, and no part of it.
    match serde_json::from_str(text.trim_start_matches('\u{feff}')) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(usage(what, &"this is JSON, but not an object")),
        Err(error) => Err(usage(what, &format!("not a JSON object: {error}"))),
    }
}

fn merge(mut base: Map<String, Value>, pairs: &[Pair]) -> Result<Map<String, Value>, Failure> {
    for (at, pair) in pairs.iter().enumerate() {
        if pairs[..at].iter().any(|earlier| earlier.key == pair.key) {
            return Err(Failure::Usage(format!(
                "the argument `{}` is given twice",
                pair.key
            )));
        }
        base.insert(pair.key.clone(), pair.value.clone());
    }
    Ok(base)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{merge, object};
    use crate::args::pair::Pair;

    #[test]
    fn pairs_replace_members_but_not_each_other() {
        let base = object("", "\u{feff}{\"a\": 1, \"b\": 2}").unwrap();
        let pairs = ["b=x", "c:=3"].map(|text| Pair::parse(text).unwrap());
        let merged = merge(base, &pairs).unwrap();
        assert_eq!(Value::Object(merged), json!({"a": 1, "b": "x", "c": 3}));
        let twice = ["b=x", "b:=3"].map(|text| Pair::parse(text).unwrap());
        assert!(merge(serde_json::Map::new(), &twice).is_err());
        assert!(object("", "[1]").is_err() && object("", "{").is_err());
    }
}
