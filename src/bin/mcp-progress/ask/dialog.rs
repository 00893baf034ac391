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

#[cfg(test)]
mod tests {
    use mcp_progress::model::{ElicitAction, ElicitForm, ElicitResult, FormField, FormSchema};
    use serde_json::{Map, Value, json};

    use super::Dialog;

    fn form() -> ElicitForm {
        let colour = FormField::choice("colour", ["red", "green"]).with_default("green");
        let fields = FormSchema::new()
            .with(
                FormField::text("name")
                    .required()
                    .with("title", "Your \u{1b}[31mname")
                    .with("maxLength", 20),
            )
            .with(FormField::integer("age").with("minimum", 0))
            .with(colour);
        ElicitForm::new("Who?", fields)
    }

    fn content(result: ElicitResult) -> Value {
        assert_eq!(result.action, ElicitAction::Accept);
        Value::Object(result.content.unwrap_or_default())
    }

    /// Types lines, none of which is the last word but the last.
    fn talk(dialog: &mut Dialog<'_>, lines: &[&str]) -> ElicitResult {
        let (last, first) = lines.split_last().unwrap();
        for line in first {
            assert_eq!(dialog.hear(Some(line)), None, "{line}");
        }
        dialog
            .hear(Some(last))
            .unwrap_or_else(|| panic!("{last} is no end: {}", dialog.text()))
    }

    #[test]
    fn field_by_field() {
        let form = form();
        let mut dialog = Dialog::new(&form, Map::new(), None);
        assert_eq!(
            dialog.text(),
            "Your name*: text, at most 20 characters\nname> "
        );
        assert_eq!(dialog.hear(Some("")), None);
        assert!(
            dialog
                .text()
                .starts_with("  ! must be filled in\nYour name*")
        );
        assert_eq!(dialog.hear(Some("Ada")), None);
        assert_eq!(dialog.text(), "age: whole number, at least 0\nage> ");
        assert_eq!(dialog.hear(Some("-1")), None);
        assert!(dialog.text().starts_with("  ! must be at least 0\n"));
        assert_eq!(dialog.hear(Some("")), None);
        assert_eq!(
            dialog.text(),
            "colour: one of these; :x leaves it empty\n  1) red\n  2) green\ncolour [green]> "
        );
        assert_eq!(dialog.hear(Some("1")), None);
        assert_eq!(
            dialog.text(),
            "  name: Ada\n  age: (empty)\n  colour: red\nsend this? [Y]es, [e]dit, [n]o> "
        );
        let expected = json!({"name": "Ada", "age": null, "colour": "red"});
        assert_eq!(content(talk(&mut dialog, &[""])), expected);
    }

    #[test]
    fn what_was_typed_can_be_changed_before_it_is_sent() {
        let form = form();
        let mut dialog = Dialog::new(&form, Map::new(), None);
        let lines = ["Ada", "36", "", "perhaps", "e", "", "37", ":x", "y"];
        let result = talk(&mut dialog, &lines);
        assert_eq!(
            content(result),
            json!({"name": "Ada", "age": 37, "colour": null})
        );
    }

    #[test]
    fn each_way_out() {
        let form = form();
        for (line, action) in [
            (Some(":d"), ElicitAction::Decline),
            (Some(" :c "), ElicitAction::Cancel),
            (None, ElicitAction::Cancel),
        ] {
            let mut dialog = Dialog::new(&form, Map::new(), None);
            assert_eq!(dialog.hear(Some("Ada")), None);
            let result = dialog.hear(line).unwrap();
            assert_eq!((result.action, result.content), (action, None));
        }
        let mut dialog = Dialog::new(&form, Map::new(), None);
        let result = talk(&mut dialog, &["Ada", "", "", "n"]);
        assert_eq!(result.action, ElicitAction::Decline);
    }

    #[test]
    fn what_is_given_is_not_asked_for() {
        let form = form();
        let mut given = Map::new();
        given.insert("name".to_owned(), json!("Ada"));
        let mut dialog = Dialog::new(&form, given, Some("wrong".to_owned()));
        assert!(dialog.text().starts_with("  ! wrong\nage: "));
        let result = talk(&mut dialog, &["1", "", ""]);
        // The default is the library's to fill in.
        assert_eq!(content(result), json!({"name": "Ada", "age": 1}));
    }

    #[test]
    fn one_field_is_sent_at_once_and_none_is_asked_about() {
        let schema = FormSchema::new().with(FormField::text("name").required());
        let form = ElicitForm::new("?", schema);
        let mut dialog = Dialog::new(&form, Map::new(), None);
        assert_eq!(content(talk(&mut dialog, &["\"\""])), json!({"name": ""}));
        let form = ElicitForm::new("Sure?", FormSchema::new());
        let mut dialog = Dialog::new(&form, Map::new(), None);
        assert_eq!(dialog.text(), "accept? [y/N]> ");
        assert_eq!(talk(&mut dialog, &["?", ""]).action, ElicitAction::Decline);
        assert_eq!(talk(&mut dialog, &["yes"]).action, ElicitAction::Accept);
    }

    #[test]
    fn an_empty_selection_is_one_where_it_may_be() {
        let many = |least: u64| {
            let field = FormField::choices("many", ["a", "b"]).required();
            ElicitForm::new("?", FormSchema::new().with(field.with("minItems", least)))
        };
        let form = many(0);
        let mut dialog = Dialog::new(&form, Map::new(), None);
        assert_eq!(content(talk(&mut dialog, &[""])), json!({"many": []}));
        let form = many(1);
        let mut dialog = Dialog::new(&form, Map::new(), None);
        assert_eq!(
            content(talk(&mut dialog, &["", "2,1"])),
            json!({"many": ["b", "a"]})
        );
    }
}
