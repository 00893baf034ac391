//! From what somebody types to the value of a field.
//!
//! Owns the forms in which values are typed. It must not know who types, nor where.

use mcp_progress::model::{Choice, FieldKind, FormField};
use serde_json::{Number, Value};

/// What `text` stands for in this field. `numbered` says that the choices were shown with numbers, which may be typed then.
pub(crate) fn value(field: &FormField, text: &str, numbered: bool) -> Result<Value, String> {
    let value = match field.kind() {
        FieldKind::Text { .. } => Value::from(text),
        FieldKind::Number { .. } | FieldKind::Integer { .. } => number(text)?,
        FieldKind::Boolean => Value::from(boolean(text)?),
        FieldKind::Choice(options) => Value::from(choice(&options, text.trim(), numbered)?),
        FieldKind::Choices { options, .. } => text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| choice(&options, part, numbered).map(Value::from))
            .collect::<Result<_, _>>()?,
        _ => json(text)?,
    };
    checked(field, value)
}

/// The value itself, if the field can have it.
pub(crate) fn checked(field: &FormField, value: Value) -> Result<Value, String> {
    match field.check(&value) {
        Ok(()) => Ok(value),
        Err(mismatch) => Err(mismatch.reason.into_owned()),
    }
}

fn number(text: &str) -> Result<Value, String> {
    let text = text.trim();
    // As it was typed where JSON knows the form, so that no digit is lost.
    if let Ok(number) = serde_json::from_str::<Number>(text) {
        return Ok(Value::Number(number));
    }
    let number = text.parse().ok().and_then(Number::from_f64);
    number
        .map(Value::Number)
        .ok_or_else(|| "must be a number".to_owned())
}

fn boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_lowercase().as_str() {
        "y" | "yes" | "true" | "1" | "on" => Ok(true),
        "n" | "no" | "false" | "0" | "off" => Ok(false),
        _ => Err("must be yes or no".to_owned()),
    }
}

/// By its number in the list, by value, by title; the case of letters does not matter where only one fits.
fn choice(options: &[Choice], text: &str, numbered: bool) -> Result<String, String> {
    let by_number = || {
        let at = text.parse::<usize>().ok().filter(|_| numbered)?;
        options.get(at.checked_sub(1)?)
    };
    let exactly = || {
        let value = options.iter().find(|option| option.value == text);
        value.or_else(|| options.iter().find(|option| option.display_name() == text))
    };
    let nearly = || {
        let text = text.to_lowercase();
        let mut fitting = options.iter().filter(|option| {
            option.value.to_lowercase() == text || option.display_name().to_lowercase() == text
        });
        fitting.next().filter(|_| fitting.next().is_none())
    };
    let found = by_number().or_else(exactly).or_else(nearly);
    found
        .map(|option| option.value.clone())
        .ok_or_else(|| "must be one of the values to choose from".to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("must be JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::FormField;
    use serde_json::{Value, json};

    use super::value;

    fn typed(field: &FormField, text: &str) -> Result<Value, String> {
        value(field, text, false)
    }

    #[test]
    fn text_stays_as_it_is() {
        let name = FormField::text("name").with("minLength", 2);
        assert_eq!(typed(&name, " 12 "), Ok(json!(" 12 ")));
        assert_eq!(
            typed(&name, "1").unwrap_err(),
            "must have at least 2 characters"
        );
    }

    #[test]
    fn numbers_keep_their_digits() {
        let number = FormField::number("n");
        for (text, expected) in [
            ("5", json!(5)),
            (" 2.50 ", json!(2.5)),
            ("+5", json!(5.0)),
            (".5", json!(0.5)),
            ("18446744073709551615", json!(u64::MAX)),
        ] {
            assert_eq!(typed(&number, text), Ok(expected), "{text}");
        }
        for wrong in ["", "five", "1,5", "NaN", "inf"] {
            assert!(typed(&number, wrong).is_err(), "{wrong}");
        }
        let age = FormField::integer("age").with("maximum", 150);
        assert_eq!(typed(&age, "36"), Ok(json!(36)));
        assert_eq!(typed(&age, "1.5").unwrap_err(), "must be a whole number");
        assert_eq!(typed(&age, "151").unwrap_err(), "must be at most 150");
    }

    #[test]
    fn yes_and_no_have_many_words() {
        let sure = FormField::boolean("sure");
        for yes in ["y", "YES", "true", "1", "on"] {
            assert_eq!(typed(&sure, yes), Ok(json!(true)));
        }
        for no in ["n", "No", "false", "0", "off"] {
            assert_eq!(typed(&sure, no), Ok(json!(false)));
        }
        assert!(typed(&sure, "perhaps").is_err() && typed(&sure, "").is_err());
    }

    #[test]
    fn choices_by_number_value_and_title() {
        let options = json!([
            {"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}, {"const": "1", "title": "One"},
        ]);
        let colour = FormField::text("colour").with("oneOf", options);
        assert_eq!(value(&colour, "1", true), Ok(json!("r")));
        assert_eq!(typed(&colour, "1"), Ok(json!("1")));
        assert_eq!(typed(&colour, "g"), Ok(json!("g")));
        assert_eq!(typed(&colour, "green "), Ok(json!("g")));
        assert!(value(&colour, "4", true).is_err() && value(&colour, "0", true).is_err());
        let many = FormField::choices("many", ["a", "b", "A b"]).with("minItems", 1);
        assert_eq!(typed(&many, "b, A b"), Ok(json!(["b", "A b"])));
        assert_eq!(value(&many, "3,1,", true), Ok(json!(["A b", "a"])));
        assert!(typed(&many, "").is_err() && typed(&many, "a,x").is_err());
    }

    #[test]
    fn what_is_unknown_is_json() {
        let odd = FormField::new("odd", serde_json::Map::new());
        assert_eq!(typed(&odd, "[1]"), Ok(json!([1])));
        assert!(typed(&odd, "[1").is_err() && typed(&odd, "null").is_err());
    }
}
