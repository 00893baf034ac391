//! A form of the server, field by field.
//!
//! Owns what is shown at the terminal and what becomes of each line that is typed. It must not know terminals: it gives
//! text and takes lines.

use std::fmt::Write as _;

use mcp_progress::model::{ElicitForm, ElicitResult, FieldKind, FormField};
use serde_json::{Map, Value};

use crate::ask::typing;
use crate::show::printable;

const DECLINE: &str = ":d";
const CANCEL: &str = ":c";
const EMPTY: &str = ":x";
/// Two quotes, for a text that is there and has no characters.
const NO_TEXT: &str = "\"\"";

/// A form that is being filled in.
#[derive(Debug)]
pub(crate) struct Dialog<'a> {
    form: &'a ElicitForm,
    /// By the names of the fields; `null` where somebody emptied one that has a default.
    content: Map<String, Value>,
    /// The fields to ask for, and the one that is asked for now; behind the last comes the question whether to send.
    asked: Vec<&'a FormField>,
    at: usize,
    /// Why the last line was no answer.
    complaint: Option<String>,
}

impl<'a> Dialog<'a> {
    /// Asks for all fields but those of `given`. `complaint` is shown first.
    pub(crate) fn new(
        form: &'a ElicitForm,
        given: Map<String, Value>,
        complaint: Option<String>,
    ) -> Self {
        let fields = form.requested_schema.fields.iter();
        Self {
            form,
            asked: fields
                .filter(|field| !given.contains_key(&field.name))
                .collect(),
            content: given,
            at: 0,
            complaint,
        }
    }

    /// What to write now; it ends with the prompt.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        if let Some(complaint) = &self.complaint {
            let _ = writeln!(text, "  ! {}", printable::line(complaint));
        }
        match self.asked.get(self.at) {
            Some(field) => self.ask_for(field, &mut text),
            None if self.form.requested_schema.fields.is_empty() => {
                text.push_str("accept? [y/N]> ")
            }
            None => {
                for field in &self.form.requested_schema.fields {
                    let value = match self.shown(field) {
                        Some(value) => value,
                        None => "(empty)".to_owned(),
                    };
                    let _ = writeln!(text, "  {}: {value}", printable::line(&field.name));
                }
                text.push_str("send this? [Y]es, [e]dit, [n]o> ");
            }
        }
        text
    }

    /// Takes a line, or none for Ctrl-D. Gives the answer once there is one.
    pub(crate) fn hear(&mut self, line: Option<&str>) -> Option<ElicitResult> {
        self.complaint = None;
        let Some(line) = line else {
            return Some(ElicitResult::cancel());
        };
        match line.trim() {
            DECLINE => return Some(ElicitResult::decline()),
            CANCEL => return Some(ElicitResult::cancel()),
            _ => {}
        }
        let Some(field) = self.asked.get(self.at).copied() else {
            return self.decide(line.trim());
        };
        match self.take(field, line) {
            Ok(()) => self.at += 1,
            Err(reason) => self.complaint = Some(reason),
        }
        // A single line was its own chance to think twice.
        let over = self.at == 1 && self.form.requested_schema.fields.len() == 1;
        over.then(|| self.accepted())
    }

    /// Takes the word on the whole form.
    fn decide(&mut self, line: &str) -> Option<ElicitResult> {
        let empty = self.form.requested_schema.fields.is_empty();
        match line.to_lowercase().as_str() {
            "y" | "yes" => Some(self.accepted()),
            "" if !empty => Some(self.accepted()),
            "" | "n" | "no" => Some(ElicitResult::decline()),
            "e" | "edit" if !empty => {
                self.asked = self.form.requested_schema.fields.iter().collect();
                self.at = 0;
                None
            }
            _ => {
                self.complaint = Some(format!("{line:?} is none of these"));
                None
            }
        }
    }

    fn accepted(&mut self) -> ElicitResult {
        ElicitResult::accept_with(std::mem::take(&mut self.content))
    }

    fn take(&mut self, field: &FormField, line: &str) -> Result<(), String> {
        let name = field.name.clone();
        let value = match line.trim() {
            "" if self.standing(field).is_some() => return Ok(()),
            "" | EMPTY if field.required => {
                // An empty selection is one where it is allowed.
                let none = Value::Array(Vec::new());
                if !matches!(field.kind(), FieldKind::Choices { .. }) || field.check(&none).is_err()
                {
                    return Err("must be filled in".to_owned());
                }
                none
            }
            "" | EMPTY => {
                // `null` keeps the default out.
                self.content.insert(name, Value::Null);
                return Ok(());
            }
            NO_TEXT if matches!(field.kind(), FieldKind::Text { .. }) => {
                typing::checked(field, Value::from(""))?
            }
            _ => typing::value(field, line, true)?,
        };
        self.content.insert(name, value);
        Ok(())
    }

    /// What the field has if nothing is typed.
    fn standing(&self, field: &'a FormField) -> Option<&Value> {
        match self.content.get(&field.name) {
            Some(Value::Null) => None,
            Some(value) => Some(value),
            None => field.default(),
        }
    }

    fn shown(&self, field: &'a FormField) -> Option<String> {
        self.standing(field).map(|value| in_words(field, value))
    }

    fn ask_for(&self, field: &'a FormField, text: &mut String) {
        let mark = if field.required { "*" } else { "" };
        let name = printable::line(field.display_name());
        let _ = write!(text, "{name}{mark}: {}", printable::line(&kind_of(field)));
        let standing = self.shown(field);
        if !field.required && standing.is_some() {
            let _ = write!(text, "; {EMPTY} leaves it empty");
        }
        text.push('\n');
        for line in field.description().iter().flat_map(|text| text.lines()) {
            let _ = writeln!(text, "  {}", printable::line(line));
        }
        if let FieldKind::Choice(options) | FieldKind::Choices { options, .. } = field.kind() {
            for (number, option) in (1..).zip(&options) {
                let _ = writeln!(
                    text,
                    "  {number}) {}",
                    printable::line(option.display_name())
                );
            }
        }
        text.push_str(&printable::line(&field.name));
        if let Some(standing) = standing {
            let _ = write!(text, " [{standing}]");
        }
        text.push_str("> ");
    }
}

/// A value as it is shown: choices by their titles, text without quotes.
fn in_words(field: &FormField, value: &Value) -> String {
    let title = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        let (FieldKind::Choice(options) | FieldKind::Choices { options, .. }) = field.kind() else {
            return text.to_owned();
        };
        let option = options.iter().find(|option| option.value == text);
        option
            .map_or(text, |option| option.display_name())
            .to_owned()
    };
    let text = match value {
        Value::String(text) if text.is_empty() => NO_TEXT.to_owned(),
        Value::String(_) => title(value),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::Array(values) if values.iter().all(Value::is_string) => {
            values.iter().map(title).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    printable::line(&text)
}

/// What may be typed, with its limits.
pub(crate) fn kind_of(field: &FormField) -> String {
    match field.kind() {
        FieldKind::Text {
            min_length,
            max_length,
            pattern,
            format,
            ..
        } => {
            let mut text = format.unwrap_or_else(|| "text".to_owned());
            let (min, max) = (min_length.map(as_float), max_length.map(as_float));
            text += &limits(min.filter(|least| *least > 0.0), max, " characters");
            if let Some(pattern) = pattern {
                let _ = write!(text, ", like {pattern}");
            }
            text
        }
        FieldKind::Number {
            minimum, maximum, ..
        } => "number".to_owned() + &limits(minimum, maximum, ""),
        FieldKind::Integer {
            minimum, maximum, ..
        } => "whole number".to_owned() + &limits(minimum, maximum, ""),
        FieldKind::Boolean => "yes or no".to_owned(),
        FieldKind::Choice(_) => "one of these".to_owned(),
        FieldKind::Choices {
            min_items,
            max_items,
            ..
        } => {
            let (min, max) = (min_items.map(as_float), max_items.map(as_float));
            let least = min.filter(|least| *least > 0.0);
            "some of these, with commas".to_owned() + &limits(least, max, "")
        }
        _ => "JSON".to_owned(),
    }
}

/// Counts in a form are far below where this loses anything; it is for show.
fn as_float(count: u64) -> f64 {
    count as f64
}

fn limits(least: Option<f64>, most: Option<f64>, unit: &str) -> String {
    match (least, most) {
        (Some(least), Some(most)) => format!(", {least} to {most}{unit}"),
        (Some(least), None) => format!(", at least {least}{unit}"),
        (None, Some(most)) => format!(", at most {most}{unit}"),
        (None, None) => String::new(),
    }
}
