//! The `x-mcp-header` annotations of one tool: which arguments a client repeats as HTTP headers.
//!
//! Owns the rules of revision 2026-07-28 on them ("Streamable HTTP", "Custom Headers from Tool Parameters"; "Tools",
//! `x-mcp-header`). It must not know calls, values or lists of tools.

use std::collections::HashSet;

use memchr::memmem;
use serde_json::{Map, Value};

use crate::sync::Arc;

/// The keyword that marks a parameter.
const KEYWORD: &str = "x-mcp-header";

/// What the name of each header of a parameter begins with.
const PREFIX: &str = "Mcp-Param-";

/// The types that a header can carry. `number` is not among them, by the specification's word.
const PRIMITIVE: [&str; 3] = ["boolean", "integer", "string"];

/// Members of a schema that hold instances or plain names: nothing in them is a schema.
///
/// Every other member counts as one, unknown ones too, since a `$ref` can make a schema of any object.
const DATA: [&str; 7] = [
    "const",
    "default",
    "dependentRequired",
    "enum",
    "example",
    "examples",
    "required",
];

/// Members whose keys are names and whose values are schemas, beside `properties`.
const NAMED: [&str; 5] = [
    "$defs",
    "definitions",
    "dependencies",
    "dependentSchemas",
    "patternProperties",
];

/// Limits of our own, far above any use: HTTP libraries refuse names of 64 KiB, and panic at 32,768 headers.
const MAX_ANNOTATIONS: usize = 1_000;
const MAX_NAME_BYTES: usize = 1_000;

/// One argument that goes into a header too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mirrored {
    /// The header's name: `Mcp-Param-Region`.
    pub(crate) header: String,
    /// The keys that lead from the arguments to the value; at least one. Shared, or a long key above many parameters
    /// would cost its length for each.
    pub(crate) path: Vec<Arc<str>>,
}

/// The annotated parameters of an `inputSchema`, given as JSON text.
///
/// # Errors
///
/// Why the tool must be left out, in words. The specification wants that as soon as one annotation is not as it
/// should be, and so it is here where a schema with annotations cannot be read at all (it nests deeper than 128).
pub(crate) fn annotations(input_schema: &str) -> Result<Vec<Mirrored>, String> {
    if !may_have(input_schema) {
        return Ok(Vec::new());
    }
    let schema: Value = serde_json::from_str(input_schema)
        .map_err(|error| format!("`{KEYWORD}` in an input schema that cannot be read: {error}"))?;
    let mut search = Search::default();
    search.schema(&schema, None)?;
    Ok(search.found)
}

/// Whether the text can hold the keyword, so that nearly every schema is done with after a search for a word.
///
/// Of the keyword's characters JSON can spell each as itself and as `\u00` with two digits, and in no other way.
pub(crate) fn may_have(text: &str) -> bool {
    let bytes = text.as_bytes();
    let escaped = |at: usize| {
        let digits = bytes.get(at + 4..at + 6);
        let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
        let code = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| KEYWORD.as_bytes().contains(&code))
    };
    memmem::find(bytes, KEYWORD.as_bytes()).is_some()
        || memmem::find_iter(bytes, "\\u00").any(escaped)
}

#[derive(Default)]
struct Search {
    found: Vec<Mirrored>,
    /// The names seen, in small letters.
    names: HashSet<String>,
    /// The keys of `properties` that led here.
    path: Vec<Arc<str>>,
}

impl Search {
    /// Looks through a schema. `outside` is the keyword that left the chain of `properties`, if one did.
    ///
    /// Its depth is that of the text, which the parser bounds.
    fn schema(&mut self, schema: &Value, outside: Option<&str>) -> Result<(), String> {
        match schema {
            Value::Array(schemas) => schemas
                .iter()
                .try_for_each(|schema| self.schema(schema, outside)),
            Value::Object(schema) => {
                if let Some(name) = schema.get(KEYWORD) {
                    self.annotation(name, schema, outside)?;
                }
                schema
                    .iter()
                    .filter(|(key, _)| *key != KEYWORD && !DATA.contains(&key.as_str()))
                    .try_for_each(|(key, value)| self.member(key, value, outside))
            }
            _ => Ok(()),
        }
    }

    fn member(&mut self, key: &str, value: &Value, outside: Option<&str>) -> Result<(), String> {
        match value {
            Value::Object(properties) if key == "properties" => {
                properties.iter().try_for_each(|(name, schema)| {
                    self.path.push(Arc::from(name.as_str()));
                    self.schema(schema, outside)?;
                    self.path.pop();
                    Ok(())
                })
            }
            Value::Object(schemas) if NAMED.contains(&key) => schemas
                .values()
                .try_for_each(|schema| self.schema(schema, outside.or(Some(key)))),
            _ => self.schema(value, outside.or(Some(key))),
        }
    }

    fn annotation(
        &mut self,
        name: &Value,
        schema: &Map<String, Value>,
        outside: Option<&str>,
    ) -> Result<(), String> {
        if let Some(keyword) = outside {
            return Err(format!(
                "`{KEYWORD}` stands under `{}`, off the chain of `properties`",
                shown(keyword)
            ));
        }
        if self.path.is_empty() {
            return Err(format!("`{KEYWORD}` stands on no parameter"));
        }
        let parameter = || shown(&self.path.join("."));
        let Value::String(name) = name else {
            return Err(format!(
                "`{KEYWORD}` of parameter `{}` is no string",
                parameter()
            ));
        };
        let told = || {
            let (name, parameter) = (shown(name), parameter());
            format!("`{KEYWORD}` \"{name}\" of parameter `{parameter}`")
        };
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(told() + " is no header name");
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(told() + " is too long for a header name");
        }
        if !is_primitive(schema.get("type")) {
            return Err(told() + " is not on a string, an integer or a boolean");
        }
        if !self.names.insert(name.to_ascii_lowercase()) {
            return Err(told() + " is there twice");
        }
        if self.found.len() == MAX_ANNOTATIONS {
            return Err(format!("more than {MAX_ANNOTATIONS} `{KEYWORD}`"));
        }
        self.found.push(Mirrored {
            header: format!("{PREFIX}{name}"),
            path: self.path.clone(),
        });
        Ok(())
    }
}

/// A character of a header's name: `tchar` of RFC 9110, section 5.6.2.
const fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Whether every value of the type but null has its text form in a header.
///
/// A list of types is not mentioned by the specification. It passes if each of them would pass alone, and beside them
/// `null`, whose header the specification says to leave out: that rule would be idle if no such type were allowed.
/// No `type` at all says nothing, whatever `enum` or `anyOf` say beside it.
fn is_primitive(kind: Option<&Value>) -> bool {
    let one = |kind: &Value| kind.as_str().is_some_and(|kind| PRIMITIVE.contains(&kind));
    match kind {
        Some(Value::Array(kinds)) => {
            kinds.iter().any(one) && kinds.iter().all(|kind| one(kind) || kind == "null")
        }
        Some(kind) => one(kind),
        None => false,
    }
}

/// A name of the peer's as it may stand in a message: short, and without control characters.
fn shown(text: &str) -> String {
    text.chars()
        .take(100)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn judge(schema: &Value) -> Result<Vec<(String, String)>, String> {
        let found = annotations(&schema.to_string())?;
        Ok(found
            .into_iter()
            .map(|mirrored| (mirrored.header, mirrored.path.join("/")))
            .collect())
    }

    fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Result<Vec<(String, String)>, String> {
        let owned = pairs.map(|(header, path)| (header.to_owned(), path.to_owned()));
        Ok(owned.to_vec())
    }

    /// A tool whose parameter `p` has this schema.
    fn parameter(schema: &Value) -> Value {
        json!({"type": "object", "properties": {"p": schema}})
    }

    fn refused(schema: &Value, because: &str) {
        let reason = judge(schema).expect_err(&schema.to_string());
        assert!(reason.contains(because), "{reason}: {schema}");
    }

    #[test]
    fn the_example_of_the_specification() {
        let schema = json!({
            "type": "object",
            "properties": {
                "region": {"type": "string", "description": "where", "x-mcp-header": "Region"},
                "query": {"type": "string", "description": "what"}
            },
            "required": ["region", "query"]
        });
        assert_eq!(judge(&schema), pairs([("Mcp-Param-Region", "region")]));
    }

    #[test]
    fn a_chain_of_properties_of_any_length_reaches_a_parameter() {
        let schema = json!({"type": "object", "properties": {
            "a": {"type": "object", "properties": {
                "b": {"type": "object", "properties": {"c": {"type": "integer", "x-mcp-header": "C"}}},
                "d": {"type": "boolean", "x-mcp-header": "D"},
                // Names of parameters that look like keywords.
                "properties": {"type": "string", "x-mcp-header": "E"},
                "items": {"type": "string", "x-mcp-header": "F"},
                "default": {"type": "string", "x-mcp-header": "G"},
                "x-mcp-header": {"type": "string", "x-mcp-header": "H"}
            }}
        }});
        let expected = pairs([
            ("Mcp-Param-C", "a/b/c"),
            ("Mcp-Param-D", "a/d"),
            ("Mcp-Param-G", "a/default"),
            ("Mcp-Param-F", "a/items"),
            ("Mcp-Param-E", "a/properties"),
            ("Mcp-Param-H", "a/x-mcp-header"),
        ]);
        assert_eq!(judge(&schema), expected);
    }

    #[test]
    fn names_are_tokens() {
        let all = "!#$%&'*+-.^_`|~09AZaz";
        let schema = parameter(&json!({"type": "string", "x-mcp-header": all}));
        assert_eq!(judge(&schema), pairs([(&format!("Mcp-Param-{all}"), "p")]));
        for name in [
            "",
            " ",
            "My Region",
            " Region",
            "Region ",
            "A:B",
            "Région",
            "Region\t1",
            "a\r\nb",
            "a\nb",
            "a\0b",
            "a\u{7f}b",
            "a/b",
            "(a)",
            "a,b",
            "a;b",
            "a=b",
            "a@b",
            "[a]",
            "{a}",
            "\"a\"",
            "a\\b",
            "<a>",
            "a?b",
            "地区",
        ] {
            refused(
                &parameter(&json!({"type": "string", "x-mcp-header": name})),
                "is no header name",
            );
        }
        for name in [
            json!(null),
            json!(1),
            json!(true),
            json!(["A"]),
            json!({"type": "string"}),
        ] {
            refused(
                &parameter(&json!({"type": "string", "x-mcp-header": name})),
                "is no string",
            );
        }
        let long = "a".repeat(MAX_NAME_BYTES + 1);
        refused(
            &parameter(&json!({"type": "string", "x-mcp-header": long})),
            "too long",
        );
    }

    #[test]
    fn a_reason_names_what_is_wrong_without_control_characters() {
        let schema = json!({"properties": {"a": {"properties": {"b\n": {"type": "string", "x-mcp-header": "x\r\ny"}}}}});
        let expected = r#"`x-mcp-header` "x\r\ny" of parameter `a.b\n` is no header name"#;
        assert_eq!(judge(&schema), Err(expected.to_owned()));
    }

    #[test]
    fn only_types_with_a_text_form_are_mirrored() {
        for kind in [
            json!("string"),
            json!("integer"),
            json!("boolean"),
            json!(["string"]),
            json!(["string", "null"]),
            json!(["null", "integer"]),
            json!(["boolean", "string", "integer"]),
        ] {
            let schema = parameter(&json!({"type": kind, "x-mcp-header": "P"}));
            assert_eq!(judge(&schema), pairs([("Mcp-Param-P", "p")]), "{kind}");
        }
        for kind in [
            json!("number"),
            json!("object"),
            json!("array"),
            json!("null"),
            json!("String"),
            json!("any"),
            json!(null),
            json!(7),
            json!([]),
            json!(["null"]),
            json!(["string", "number"]),
            json!(["string", "object"]),
            json!(["string", ["null"]]),
            json!([null, "string"]),
        ] {
            refused(
                &parameter(&json!({"type": kind, "x-mcp-header": "P"})),
                "is not on a string",
            );
        }
        for untyped in [
            json!({"x-mcp-header": "P"}),
            json!({"enum": ["a", "b"], "x-mcp-header": "P"}),
            json!({"anyOf": [{"type": "string"}, {"type": "null"}], "x-mcp-header": "P"}),
            json!({"$ref": "#/$defs/name", "x-mcp-header": "P"}),
        ] {
            refused(&parameter(&untyped), "is not on a string");
        }
    }

    #[test]
    fn names_are_unique_in_any_case_and_at_any_depth() {
        for (one, other) in [("Region", "Region"), ("MyField", "myfield")] {
            let one = json!({"type": "string", "x-mcp-header": one});
            let other = json!({"type": "string", "x-mcp-header": other});
            refused(
                &json!({"properties": {"a": one, "b": other}}),
                "of parameter `b` is there twice",
            );
            refused(
                &json!({"properties": {"a": one, "b": {"properties": {"c": other}}}}),
                "of parameter `b.c` is there twice",
            );
        }
    }

    #[test]
    fn an_annotation_anywhere_else_is_an_error() {
        let marked = json!({"type": "string", "x-mcp-header": "P"});
        refused(&marked, "stands on no parameter");
        for keyword in [
            "items",
            "additionalItems",
            "contains",
            "unevaluatedItems",
            "additionalProperties",
            "unevaluatedProperties",
            "propertyNames",
            "not",
            "if",
            "then",
            "else",
            "contentSchema",
            "x-unknown",
        ] {
            let because = format!("stands under `{keyword}`");
            refused(&json!({"type": "object", keyword: marked}), &because);
            refused(
                &parameter(&json!({"type": "array", keyword: marked})),
                &because,
            );
            // The chain is left for good: `properties` further down do not lead back to it.
            refused(&json!({keyword: {"properties": {"a": marked}}}), &because);
        }
        for keyword in [
            "items",
            "prefixItems",
            "oneOf",
            "anyOf",
            "allOf",
            "x-unknown",
        ] {
            let because = format!("stands under `{keyword}`");
            refused(
                &json!({keyword: [true, {"properties": {"a": marked}}]}),
                &because,
            );
            refused(
                &parameter(&json!({keyword: [{"type": "null"}, marked]})),
                &because,
            );
        }
        for keyword in [
            "$defs",
            "definitions",
            "patternProperties",
            "dependentSchemas",
            "dependencies",
        ] {
            let because = format!("stands under `{keyword}`");
            refused(&json!({keyword: {"name": marked}}), &because);
            refused(
                &json!({keyword: {"name": {"properties": {"a": marked}}}}),
                &because,
            );
        }
        // A definition that holds an annotation spoils the tool even where nothing refers to it.
        let good = json!({"a": {"type": "string", "x-mcp-header": "A"}});
        refused(
            &json!({"properties": good, "$defs": {"b": marked}}),
            "stands under `$defs`",
        );
        refused(
            &json!({"properties": [marked]}),
            "stands under `properties`",
        );
        refused(&json!([marked]), "stands on no parameter");
    }

    #[test]
    fn the_word_as_data_or_as_a_name_is_no_annotation() {
        let marked = json!({"type": "string", "x-mcp-header": "not a name"});
        for keyword in ["default", "const", "enum", "example", "examples"] {
            for data in [
                json!(marked),
                json!([marked]),
                json!({"properties": {"a": marked}}),
            ] {
                assert_eq!(judge(&parameter(&json!({keyword: data}))), Ok(vec![]));
                assert_eq!(judge(&json!({keyword: data})), Ok(vec![]));
            }
        }
        let schema = json!({
            "title": "x-mcp-header",
            "description": "x-mcp-header: A",
            "required": ["x-mcp-header"],
            "properties": {"x-mcp-header": {"type": "object"}},
            "patternProperties": {"x-mcp-header": true},
            "$defs": {"x-mcp-header": {"type": "number"}},
            "dependentSchemas": {"x-mcp-header": false},
            "dependentRequired": {"x-mcp-header": ["a"]},
            "dependencies": {"x-mcp-header": ["a"]}
        });
        assert_eq!(judge(&schema), Ok(vec![]));
    }

    #[test]
    fn odd_schemas_are_read_as_far_as_they_go() {
        for text in [
            "true",
            "null",
            "7",
            "\"x-mcp-header\"",
            "[]",
            "{}",
            "{\"properties\":\"x-mcp-header\"}",
        ] {
            assert_eq!(annotations(text), Ok(vec![]), "{text}");
        }
        assert!(annotations("{\"x-mcp-header\"").is_err());
        let levels = |count: usize, inner: &str| {
            "{\"properties\":{\"a\":".repeat(count) + inner + &"}}".repeat(count)
        };
        let marked = r#"{"type":"string","x-mcp-header":"A"}"#;
        let found = annotations(&levels(60, marked)).unwrap();
        assert_eq!(found[0].path.len(), 60);
        let reason = annotations(&levels(50_000, marked)).unwrap_err();
        assert!(reason.contains("cannot be read"), "{reason}");
        assert_eq!(annotations(&levels(50_000, "{}")), Ok(vec![]));
    }

    #[test]
    fn the_number_of_headers_is_bounded() {
        let schema = |count: usize| {
            let marked = |n| {
                (
                    format!("p{n}"),
                    json!({"type": "string", "x-mcp-header": format!("P{n}")}),
                )
            };
            json!({"properties": (0..count).map(marked).collect::<Map<_, _>>()})
        };
        assert_eq!(
            judge(&schema(MAX_ANNOTATIONS)).unwrap().len(),
            MAX_ANNOTATIONS
        );
        refused(&schema(MAX_ANNOTATIONS + 1), "more than 1000");
    }

    #[test]
    fn a_long_key_above_many_parameters_is_there_once() {
        let marked = |name| json!({"type": "string", "x-mcp-header": name});
        let under = json!({"properties": {"a": marked("A"), "b": marked("B")}});
        let schema = json!({"properties": {"k".repeat(1_000): under}});
        let found = annotations(&schema.to_string()).unwrap();
        assert!(Arc::ptr_eq(&found[0].path[0], &found[1].path[0]));
    }

    #[test]
    fn a_keyword_in_escapes_is_found() {
        for key in [
            r"x-mcp-header",
            r"\u0078-mcp-header",
            r"x\u002Dmcp-header",
            r"x-mcp-h\u0065ader",
        ] {
            let schema = format!(r#"{{"properties":{{"p":{{"type":"string","{key}":"P"}}}}}}"#);
            let found = annotations(&schema).unwrap();
            assert_eq!(found.len(), 1, "{key}");
        }
        let all: String = KEYWORD
            .bytes()
            .map(|byte| format!("\\u{byte:04x}"))
            .collect();
        assert!(may_have(&all));
        for text in [
            r"x-mcp-heade",
            r"\u00e9t\u00e9",
            r"\u0041",
            r"\u00",
            r"\u007",
            r"\u00é",
        ] {
            assert!(!may_have(text), "{text}");
        }
    }
}
