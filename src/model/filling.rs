//! Filling a form in: defaults for what the user left out, and whether the values fit.
//!
//! Owns the judgement of values against the fields of a form. It must not know who asks or who answers.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use serde_json::{Map, Value};

use super::form::{Choice, FieldKind, FormField, FormSchema};

/// Why a value does not fit its field. It does not repeat the value, which may be nobody else's business.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FormMismatch {
    /// The field's name.
    pub field: String,
    /// What is wrong, in words.
    pub reason: Cow<'static, str>,
}

impl FormSchema {
    /// Gives every field that `content` lacks its default, where it has one. `null` says that the user has emptied the
    /// field, since no field can have that value: it is removed, and there is no default.
    ///
    /// A default that does not fit its own field is not used.
    pub fn fill_defaults(&self, content: &mut Map<String, Value>) {
        for field in &self.fields {
            match (content.get(&field.name), field.default()) {
                (Some(Value::Null), _) => {
                    content.remove(&field.name);
                }
                (None, Some(default)) => {
                    content.insert(field.name.clone(), default.clone());
                }
                (Some(_), _) | (None, None) => {}
            }
        }
    }

    /// Checks that required fields are there and that values fit their fields. Patterns and formats are not checked, nor
    /// values of fields that the form does not have.
    ///
    /// # Errors
    ///
    /// The first field that is wrong.
    pub fn check(&self, content: &Map<String, Value>) -> Result<(), FormMismatch> {
        for field in &self.fields {
            match content.get(&field.name) {
                Some(value) => field.check(value)?,
                None if field.required => return Err(field.mismatch("must be filled in")),
                None => {}
            }
        }
        Ok(())
    }
}

impl FormField {
    /// Checks that a value fits; patterns and formats are not checked.
    ///
    /// # Errors
    ///
    /// What is wrong.
    pub fn check(&self, value: &Value) -> Result<(), FormMismatch> {
        let fits = match self.kind() {
            FieldKind::Text {
                min_length,
                max_length,
                ..
            } => check_text(value, min_length, max_length),
            FieldKind::Number { minimum, maximum } => check_number(value, minimum, maximum),
            FieldKind::Integer { minimum, maximum } if is_whole(value) => {
                check_number(value, minimum, maximum)
            }
            FieldKind::Integer { .. } => Err("must be a whole number".into()),
            FieldKind::Boolean if value.is_boolean() => Ok(()),
            FieldKind::Boolean => Err("must be true or false".into()),
            FieldKind::Choice(options) if is_among(value, &options) => Ok(()),
            FieldKind::Choice(_) => Err("must be one of the values to choose from".into()),
            FieldKind::Choices {
                options,
                min_items,
                max_items,
            } => check_choices(value, &options, min_items, max_items),
            FieldKind::Unknown if value.is_null() => Err("must have a value".into()),
            FieldKind::Unknown => Ok(()),
        };
        fits.map_err(|reason| self.mismatch(reason))
    }

    fn mismatch(&self, reason: impl Into<Cow<'static, str>>) -> FormMismatch {
        FormMismatch {
            field: self.name.clone(),
            reason: reason.into(),
        }
    }
}

type Fits = Result<(), Cow<'static, str>>;

fn check_text(value: &Value, min: Option<u64>, max: Option<u64>) -> Fits {
    let Some(text) = value.as_str() else {
        return Err("must be text".into());
    };
    check_count(text.chars().count(), min, max, "characters")
}

fn check_number(value: &Value, minimum: Option<f64>, maximum: Option<f64>) -> Fits {
    let Some(number) = value.as_f64() else {
        return Err("must be a number".into());
    };
    match (minimum, maximum) {
        (Some(minimum), _) if number < minimum => Err(format!("must be at least {minimum}").into()),
        (_, Some(maximum)) if number > maximum => Err(format!("must be at most {maximum}").into()),
        _ => Ok(()),
    }
}

/// In JSON Schema 3.0 is whole too.
fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|float| float.fract() == 0.0)
}

fn is_among(value: &Value, options: &[Choice]) -> bool {
    options.iter().any(|option| value == option.value.as_str())
}

fn check_choices(value: &Value, options: &[Choice], min: Option<u64>, max: Option<u64>) -> Fits {
    let Some(chosen) = value.as_array() else {
        return Err("must be an array of values to choose from".into());
    };
    if !chosen.iter().all(|value| is_among(value, options)) {
        return Err("must have only values to choose from".into());
    }
    check_count(chosen.len(), min, max, "choices")
}

fn check_count(count: usize, min: Option<u64>, max: Option<u64>, what: &str) -> Fits {
    let count = count as u64;
    match (min, max) {
        (Some(min), _) if count < min => Err(format!("must have at least {min} {what}").into()),
        (_, Some(max)) if count > max => Err(format!("must have at most {max} {what}").into()),
        _ => Ok(()),
    }
}

impl fmt::Display for FormMismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the field {:?} {}", self.field, self.reason)
    }
}

impl Error for FormMismatch {}
