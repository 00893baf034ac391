//! The answers of the command line.
//!
//! Owns how they fill a form in. It must not know terminals.

use mcp_progress::model::FormSchema;
use serde_json::{Map, Value};

use crate::args::pair::Pair;
use crate::ask::typing;
use crate::failure::Failure;

/// What `--answer` gave.
#[derive(Debug)]
pub(crate) struct Given(Vec<Pair>);

/// What it makes of a form.
#[derive(Debug, PartialEq)]
pub(crate) enum Filled {
    /// Nothing is left to ask.
    Whole(Map<String, Value>),
    /// Something is: which fields are filled in, and why it is not enough.
    Partly(Map<String, Value>, String),
    /// The form has none of the fields.
    Nothing,
}

impl Given {
    /// Each field has one answer.
    pub(crate) fn new(pairs: &[Pair]) -> Result<Self, Failure> {
        for (at, pair) in pairs.iter().enumerate() {
            if pairs[..at].iter().any(|earlier| earlier.key == pair.key) {
                let text = format!("--answer: the field `{}` is given twice", pair.key);
                return Err(Failure::Usage(text));
            }
        }
        Ok(Self(pairs.to_vec()))
    }

    pub(crate) fn fill(&self, schema: &FormSchema) -> Filled {
        let mut content = Map::new();
        let mut wrong = Vec::new();
        for pair in &self.0 {
            let Some(field) = schema.field(&pair.key) else {
                continue;
            };
            let value = match &pair.value {
                Value::String(text) => typing::value(field, text, false),
                // Says that the field is to be left out, though it has a default.
                Value::Null if !field.required => Ok(Value::Null),
                value => typing::checked(field, value.clone()),
            };
            match value {
                Ok(value) => {
                    content.insert(pair.key.clone(), value);
                }
                Err(reason) => wrong.push(format!("--answer: the field `{}` {reason}", pair.key)),
            }
        }
        if !wrong.is_empty() {
            return Filled::Partly(content, wrong.join("; "));
        }
        if content.is_empty() {
            return Filled::Nothing;
        }
        let mut whole = content.clone();
        schema.fill_defaults(&mut whole);
        match schema.check(&whole) {
            Ok(()) => Filled::Whole(content),
            Err(mismatch) => {
                let text = format!("the field `{}` {}", mismatch.field, mismatch.reason);
                Filled::Partly(content, text)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{FormField, FormSchema};
    use serde_json::{Value, json};

    use super::{Filled, Given};
    use crate::args::pair::Pair;

    fn fill(schema: &FormSchema, answers: &[&str]) -> Filled {
        let pairs: Vec<Pair> = answers
            .iter()
            .map(|text| Pair::parse(text).unwrap())
            .collect();
        Given::new(&pairs).unwrap().fill(schema)
    }

    fn form() -> FormSchema {
        FormSchema::new()
            .with(FormField::text("name").required())
            .with(FormField::integer("age").required().with_default(7))
            .with(FormField::boolean("sure"))
    }

    #[test]
    fn text_becomes_what_the_form_wants() {
        let Filled::Whole(content) = fill(&form(), &["name=5", "age=36", "sure=yes", "other=x"])
        else {
            panic!("not whole");
        };
        let expected = json!({"name": "5", "age": 36, "sure": true});
        assert_eq!(Value::Object(content), expected);
        // The default of the other required field is left to the library.
        assert!(matches!(fill(&form(), &["name=Ada"]), Filled::Whole(_)));
        assert!(matches!(
            fill(&form(), &["name=Ada", "sure:=null"]),
            Filled::Whole(_)
        ));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let reason = |answers: &[&str]| match fill(&form(), answers) {
            Filled::Partly(content, reason) => (content.len(), reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            reason(&["sure=no"]),
            (1, "the field `name` must be filled in".to_owned())
        );
        assert_eq!(
            reason(&["name=Ada", "age=old"]),
            (1, "--answer: the field `age` must be a number".to_owned())
        );
        assert_eq!(
            reason(&["name:=5"]),
            (0, "--answer: the field `name` must be text".to_owned())
        );
    }

    #[test]
    fn answers_to_other_forms_do_not_agree_to_this_one() {
        let optional = FormSchema::new().with(FormField::boolean("sure"));
        assert_eq!(fill(&optional, &["name=Ada"]), Filled::Nothing);
        assert_eq!(fill(&FormSchema::new(), &[]), Filled::Nothing);
        let twice = [Pair::parse("a=1").unwrap(), Pair::parse("a:=2").unwrap()];
        assert!(Given::new(&twice).is_err());
    }
}
