//! One argument of a tool as it is written on the command line.
//!
//! Owns its two forms. It must not know what other arguments there are.

use serde_json::Value;

/// `KEY=VALUE`, a string, or `KEY:=JSON`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pair {
    pub(crate) key: String,
    pub(crate) value: Value,
}

impl Pair {
    /// Splits at the first `=`; a colon right before it says that JSON follows.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let Some((key, value)) = text.split_once('=') else {
            return Err("expected KEY=VALUE or KEY:=JSON".to_owned());
        };
        let (key, value) = match key.strip_suffix(':') {
            Some(key) => {
                let value = serde_json::from_str(value).map_err(|error| {
                    format!(
                        "what follows := is not JSON ({error}); KEY=VALUE takes a string as it is"
                    )
                })?;
                (key, value)
            }
            None => (key, Value::from(value)),
        };
        if key.is_empty() {
            return Err("the key is empty".to_owned());
        }
        Ok(Self {
            key: key.to_owned(),
            value,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Pair;

    fn pair(text: &str) -> (String, Value) {
        let pair = Pair::parse(text).unwrap();
        (pair.key, pair.value)
    }

    #[test]
    fn strings_and_json() {
        assert_eq!(pair("a=1"), ("a".to_owned(), json!("1")));
        assert_eq!(pair("a:=1"), ("a".to_owned(), json!(1)));
        assert_eq!(
            pair("a:=[true,null]"),
            ("a".to_owned(), json!([true, null]))
        );
        assert_eq!(pair("a="), ("a".to_owned(), json!("")));
        assert_eq!(
            pair("url=http://x/?b:=2&c=3"),
            ("url".to_owned(), json!("http://x/?b:=2&c=3"))
        );
        assert_eq!(pair("a:b=@c"), ("a:b".to_owned(), json!("@c")));
    }

    #[test]
    fn what_is_no_pair() {
        for wrong in ["a", "", "=1", ":=1", "a:=", "a:=x", "a:={\"b\":}"] {
            assert!(Pair::parse(wrong).is_err(), "{wrong}");
        }
    }
}
