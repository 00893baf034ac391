//! The fields that a server asks for in a form.
//!
//! Owns the schema of a form, in the server's order, and the reading of a field's kind. It neither fills fields in nor
//! checks them; that is `filling`.

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// What a form asks for: `requestedSchema`, in the server's order of fields.
///
/// The specification allows a flat object of simple fields (revision 2026-07-28, "Elicitation", requested schema; the
/// first form is of 2025-06-18). What a server writes beyond that is kept, and read as [`FieldKind::Unknown`].
///
/// ```
/// use mcp_progress::model::{FieldKind, FormField, FormSchema};
///
/// let schema: FormSchema = serde_json::from_str(r#"{
///     "type": "object",
///     "properties": {"name": {"type": "string"}, "age": {"type": "integer", "default": 7}},
///     "required": ["name"]
/// }"#)?;
/// assert_eq!(schema.fields[0].name, "name");
/// assert!(schema.fields[0].required && !schema.fields[1].required);
/// assert!(matches!(schema.fields[1].kind(), FieldKind::Integer { .. }));
///
/// let same = FormSchema::new()
///     .with(FormField::text("name").required())
///     .with(FormField::integer("age").with_default(7));
/// assert_eq!(same.fields, schema.fields);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct FormSchema {
    /// The fields.
    pub fields: Vec<FormField>,
    /// The members of the schema that say nothing of a field, `type` and `$schema` among them.
    pub other: Map<String, Value>,
}

/// One field of a form.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct FormField {
    /// The name under which its value is sent.
    pub name: String,
    /// Whether it must be filled in.
    pub required: bool,
    /// Its schema, as the server wrote it; empty where that was no object.
    pub schema: Map<String, Value>,
}

/// What may stand in a field. A limit that cannot be read is passed over.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldKind {
    /// Text.
    #[non_exhaustive]
    Text {
        /// The least number of characters.
        min_length: Option<u64>,
        /// The greatest number of characters.
        max_length: Option<u64>,
        /// A regular expression. Only in 2025-11-25, and not checked here.
        pattern: Option<String>,
        /// `email`, `uri`, `date` or `date-time`; not checked here.
        format: Option<String>,
    },
    /// A number.
    #[non_exhaustive]
    Number {
        /// The least value.
        minimum: Option<f64>,
        /// The greatest value.
        maximum: Option<f64>,
    },
    /// A whole number.
    #[non_exhaustive]
    Integer {
        /// The least value.
        minimum: Option<f64>,
        /// The greatest value.
        maximum: Option<f64>,
    },
    /// Yes or no.
    Boolean,
    /// One of these.
    Choice(Vec<Choice>),
    /// Some of these, as an array. Since 2025-11-25.
    #[non_exhaustive]
    Choices {
        /// What there is to choose from.
        options: Vec<Choice>,
        /// The least number of choices.
        min_items: Option<u64>,
        /// The greatest number of choices.
        max_items: Option<u64>,
    },
    /// Anything that the specification does not allow.
    Unknown,
}

/// One of the values to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The value that is sent.
    pub value: String,
    /// What to show for it, where that is something else.
    pub title: Option<String>,
}

impl FormSchema {
    /// A form without fields.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field behind the others; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, field: FormField) -> Self {
        self.fields.retain(|other| other.name != field.name);
        self.fields.push(field);
        self
    }

    /// The field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&FormField> {
        self.fields.iter().find(|field| field.name == name)
    }
}

impl FormField {
    /// A field with this schema, which need not be filled in.
    pub fn new(name: impl Into<String>, schema: Map<String, Value>) -> Self {
        Self {
            name: name.into(),
            required: false,
            schema,
        }
    }

    /// A field for text.
    pub fn text(name: impl Into<String>) -> Self {
        Self::new(name, Map::new()).with("type", "string")
    }

    /// A field for a number.
    pub fn number(name: impl Into<String>) -> Self {
        Self::new(name, Map::new()).with("type", "number")
    }

    /// A field for a whole number.
    pub fn integer(name: impl Into<String>) -> Self {
        Self::new(name, Map::new()).with("type", "integer")
    }

    /// A field for yes or no.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::new(name, Map::new()).with("type", "boolean")
    }

    /// A field for one of these values.
    pub fn choice(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self::text(name).with("enum", strings(values))
    }

    /// A field for some of these values. Since 2025-11-25.
    pub fn choices(
        name: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let mut items = Map::new();
        items.insert("type".to_owned(), "string".into());
        items.insert("enum".to_owned(), strings(values));
        Self::new(name, Map::new())
            .with("type", "array")
            .with("items", items)
    }

    /// Must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// What the field has until the user says something else: booleans in every revision, others since 2025-11-25.
    #[must_use]
    pub fn with_default(self, value: impl Into<Value>) -> Self {
        self.with("default", value)
    }

    /// Sets a member of the field's schema, `title` or `maxLength` for instance.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.schema.insert(key.into(), value.into());
        self
    }

    /// The name for people.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.schema.get("title")?.as_str()
    }

    /// What to show: the title, else the name.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.title().unwrap_or(&self.name)
    }

    /// What it is for, in words.
    #[must_use]
    pub fn description(&self) -> Option<&str> {
        self.schema.get("description")?.as_str()
    }

    /// What a form begins with in this field; none also where the server gave a value that the field cannot have.
    #[must_use]
    pub fn default(&self) -> Option<&Value> {
        let default = self.schema.get("default")?;
        self.check(default).is_ok().then_some(default)
    }

    /// What may stand in it.
    #[must_use]
    pub fn kind(&self) -> FieldKind {
        let named = self.schema.get("type").and_then(Value::as_str);
        match (named, self.choices_in(&self.schema)) {
            (Some("string") | None, Some(options)) => FieldKind::Choice(options),
            (Some("string"), None) => self.text_kind(),
            (Some("number"), _) => FieldKind::Number {
                minimum: self.fraction("minimum"),
                maximum: self.fraction("maximum"),
            },
            (Some("integer"), _) => FieldKind::Integer {
                minimum: self.fraction("minimum"),
                maximum: self.fraction("maximum"),
            },
            (Some("boolean"), _) => FieldKind::Boolean,
            (Some("array"), _) => self.choices_kind(),
            _ => FieldKind::Unknown,
        }
    }

    fn text_kind(&self) -> FieldKind {
        // Some other way to say what is allowed: `const` for instance, or `enum` with something else than text.
        let foreign = ["enum", "oneOf", "anyOf", "allOf", "const", "not"];
        if foreign.iter().any(|key| self.schema.contains_key(*key)) {
            return FieldKind::Unknown;
        }
        let text = |key: &str| self.schema.get(key)?.as_str().map(str::to_owned);
        FieldKind::Text {
            min_length: self.count("minLength"),
            max_length: self.count("maxLength"),
            pattern: text("pattern"),
            format: text("format"),
        }
    }

    fn choices_kind(&self) -> FieldKind {
        let items = self.schema.get("items").and_then(Value::as_object);
        match items.and_then(|items| self.choices_in(items)) {
            Some(options) => FieldKind::Choices {
                options,
                min_items: self.count("minItems"),
                max_items: self.count("maxItems"),
            },
            None => FieldKind::Unknown,
        }
    }

    /// The three ways to write what there is to choose from: `enum`, with `enumNames` in 2025-06-18, and `oneOf` or
    /// `anyOf` with titles.
    fn choices_in(&self, schema: &Map<String, Value>) -> Option<Vec<Choice>> {
        if let Some(values) = schema.get("enum") {
            let titles = schema.get("enumNames").and_then(Value::as_array);
            let title = |at: usize| Some(titles?.get(at)?.as_str()?.to_owned());
            let values = values.as_array()?.iter().enumerate();
            return values
                .map(|(at, value)| {
                    Some(Choice {
                        value: value.as_str()?.to_owned(),
                        title: title(at),
                    })
                })
                .collect();
        }
        let options = schema.get("oneOf").or_else(|| schema.get("anyOf"))?;
        let options = options.as_array()?.iter();
        options
            .map(|option| {
                let title = option.get("title").and_then(Value::as_str);
                Some(Choice {
                    value: option.get("const")?.as_str()?.to_owned(),
                    title: title.map(str::to_owned),
                })
            })
            .collect()
    }

    fn fraction(&self, key: &str) -> Option<f64> {
        self.schema.get(key)?.as_f64()
    }

    /// A count; some languages write 3 as 3.0.
    fn count(&self, key: &str) -> Option<u64> {
        let number = self.schema.get(key)?;
        number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            // `as` saturates; JSON has no NaN.
            (float >= 0.0).then_some(float as u64)
        })
    }
}

impl Choice {
    /// What to show: the title, else the value.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.title.as_deref().unwrap_or(&self.value)
    }
}

fn strings(values: impl IntoIterator<Item = impl Into<String>>) -> Value {
    values
        .into_iter()
        .map(|value| Value::String(value.into()))
        .collect()
}

impl Serialize for FormSchema {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        struct Properties<'a>(&'a [FormField]);

        impl Serialize for Properties<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_map(self.0.iter().map(|field| (&field.name, &field.schema)))
            }
        }

        let mut map = serializer.serialize_map(None)?;
        if !self.other.contains_key("type") {
            map.serialize_entry("type", "object")?;
        }
        for (key, value) in &self.other {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("properties", &Properties(&self.fields))?;
        let required = self.fields.iter().filter(|field| field.required);
        let required: Vec<_> = required.map(|field| &field.name).collect();
        if !required.is_empty() {
            map.serialize_entry("required", &required)?;
        }
        map.end()
    }
}

/// By hand, since a JSON object of serde_json forgets the order in which a form is to be shown.
impl<'de> Deserialize<'de> for FormSchema {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Schema;

        impl<'de> Visitor<'de> for Schema {
            type Value = FormSchema;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the schema of a form, an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FormSchema, A::Error> {
                let mut schema = FormSchema::new();
                let mut required = Value::Null;
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "properties" => schema.fields = map.next_value::<Fields>()?.0,
                        "required" => required = map.next_value()?,
                        _ => {
                            schema.other.insert(key, map.next_value()?);
                        }
                    }
                }
                let required = required.as_array().into_iter().flatten();
                let required: HashSet<_> = required.filter_map(Value::as_str).collect();
                for field in &mut schema.fields {
                    field.required = required.contains(field.name.as_str());
                }
                Ok(schema)
            }
        }

        deserializer.deserialize_map(Schema)
    }
}

struct Fields(Vec<FormField>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Properties;

        impl<'de> Visitor<'de> for Properties {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the fields of a form, an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields: Vec<FormField> = Vec::new();
                // A name that comes again replaces the field. Looked up, since a form may be as long as a message.
                let mut places = HashMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    let schema = match value {
                        Value::Object(schema) => schema,
                        _ => Map::new(),
                    };
                    let place = *places.entry(name.clone()).or_insert(fields.len());
                    if let Some(field) = fields.get_mut(place) {
                        field.schema = schema;
                    } else {
                        fields.push(FormField::new(name, schema));
                    }
                }
                Ok(Fields(fields))
            }
        }

        deserializer.deserialize_map(Properties)
    }
}
