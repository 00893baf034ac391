//! Forms: every kind of field of every revision, in the server's order, with its default and its limits.

use serde_json::{Map, Value, json};

use super::form::{Choice, FieldKind, FormField, FormSchema};

fn field(schema: Value) -> FormField {
    let Value::Object(schema) = schema else {
        panic!("{schema} is no object");
    };
    FormField::new("f", schema)
}

fn choice(value: &str, title: Option<&str>) -> Choice {
    Choice {
        value: value.to_owned(),
        title: title.map(str::to_owned),
    }
}

fn text(
    min_length: Option<u64>,
    max_length: Option<u64>,
    pattern: Option<&str>,
    format: Option<&str>,
) -> FieldKind {
    FieldKind::Text {
        min_length,
        max_length,
        pattern: pattern.map(str::to_owned),
        format: format.map(str::to_owned),
    }
}

/// The spellings of an enumeration: 2025-06-18 with names, 2025-11-25 with and without titles, one and many.
fn spellings() -> [(Value, bool, bool); 5] {
    let titled = json!([{"const": "r", "title": "Red"}, {"const": "g", "title": "Green"}]);
    [
        (json!({"type": "string", "enum": ["r", "g"]}), false, false),
        (
            json!({"type": "string", "enum": ["r", "g"], "enumNames": ["Red", "Green"]}),
            false,
            true,
        ),
        (json!({"type": "string", "oneOf": titled}), false, true),
        (
            json!({"type": "array", "items": {"type": "string", "enum": ["r", "g"]}}),
            true,
            false,
        ),
        (
            json!({"type": "array", "items": {"anyOf": titled}}),
            true,
            true,
        ),
    ]
}

#[test]
fn simple_fields_are_known_by_their_type() {
    let limits = json!({"type": "string", "minLength": 2, "maxLength": 3.0, "pattern": "^a", "format": "email"});
    for (schema, kind) in [
        (json!({"type": "string"}), text(None, None, None, None)),
        (limits, text(Some(2), Some(3), Some("^a"), Some("email"))),
        // A limit that cannot be read is passed over.
        (
            json!({"type": "string", "minLength": "2", "maxLength": -1}),
            text(None, None, None, None),
        ),
        (
            json!({"type": "number", "minimum": 0, "maximum": 1.5}),
            FieldKind::Number {
                minimum: Some(0.0),
                maximum: Some(1.5),
            },
        ),
        (
            json!({"type": "integer", "minimum": -3}),
            FieldKind::Integer {
                minimum: Some(-3.0),
                maximum: None,
            },
        ),
        (json!({"type": "boolean"}), FieldKind::Boolean),
    ] {
        assert_eq!(field(schema.clone()).kind(), kind, "{schema}");
    }
}

#[test]
fn enumerations_are_known_in_every_spelling() {
    for (schema, many, titled) in spellings() {
        let title = |title| titled.then_some(title);
        let expected = vec![choice("r", title("Red")), choice("g", title("Green"))];
        let shown = expected[0].display_name();
        assert_eq!(shown, if titled { "Red" } else { "r" });
        match field(schema.clone()).kind() {
            FieldKind::Choice(options) if !many => assert_eq!(options, expected, "{schema}"),
            FieldKind::Choices { options, .. } if many => assert_eq!(options, expected, "{schema}"),
            other => panic!("{schema} is read as {other:?}"),
        }
    }
    let limits = json!({"type": "array", "minItems": 1, "maxItems": 2, "items": {"enum": []}});
    let kind = FieldKind::Choices {
        options: Vec::new(),
        min_items: Some(1),
        max_items: Some(2),
    };
    assert_eq!(field(limits).kind(), kind);
}

#[test]
fn what_the_specification_does_not_allow_is_unknown_and_not_an_error() {
    for schema in [
        json!({}),
        json!({"type": "object", "properties": {}}),
        json!({"type": ["string", "null"]}),
        json!({"anyOf": [{"type": "string"}, {"type": "null"}], "default": null}),
        json!({"type": "string", "enum": ["a", 1]}),
        json!({"type": "string", "const": "a"}),
        json!({"type": "array", "items": {"type": "object"}}),
        json!({"type": "array"}),
        json!({"type": "array", "items": true}),
        json!({"$ref": "#/$defs/a"}),
    ] {
        let field = field(schema.clone());
        assert_eq!(field.kind(), FieldKind::Unknown, "{schema}");
        assert!(field.check(&json!({"any": "thing"})).is_ok());
        assert!(field.check(&Value::Null).is_err());
        assert_eq!(field.default(), None, "{schema}");
    }
}

#[test]
fn the_servers_order_and_its_own_members_are_kept() {
    let wire = concat!(
        r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":"#,
        r#"{"zeta":{"type":"string"},"alpha":{"x-vendor":1},"mid":{"default":true,"type":"boolean"}},"#,
        r#""required":["mid","zeta"]}"#,
    );
    let form: FormSchema = serde_json::from_str(wire).unwrap();
    let fields: Vec<_> = form
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.required))
        .collect();
    assert_eq!(fields, [("zeta", true), ("alpha", false), ("mid", true)]);
    let again = serde_json::to_string(&form).unwrap();
    assert_eq!(
        again,
        wire.replace(r#"["mid","zeta"]"#, r#"["zeta","mid"]"#)
    );
    assert_eq!(
        form.field("mid").and_then(FormField::default),
        Some(&json!(true))
    );
    assert_eq!(form.field("none"), None);
}

#[test]
fn sloppy_schemas_are_read() {
    // No properties, no object, required in another form, a name twice.
    for (wire, fields) in [
        ("{}", vec![]),
        (r#"{"type":"object","required":["a"]}"#, vec![]),
        (
            r#"{"properties":{"a":true},"required":"a"}"#,
            vec![("a", false)],
        ),
        (
            r#"{"required":["a",1,null],"properties":{"a":{}}}"#,
            vec![("a", true)],
        ),
        (
            r#"{"properties":{"a":{},"b":{},"a":{"type":"string"}}}"#,
            vec![("a", false), ("b", false)],
        ),
    ] {
        let form: FormSchema = serde_json::from_str(wire).unwrap();
        let read: Vec<_> = form
            .fields
            .iter()
            .map(|field| (field.name.as_str(), field.required))
            .collect();
        assert_eq!(read, fields, "{wire}");
    }
    for wire in ["null", "[]", "1", r#"{"properties":[]}"#] {
        assert!(serde_json::from_str::<FormSchema>(wire).is_err(), "{wire}");
    }
    let made = FormSchema::new()
        .with(FormField::text("a"))
        .with(FormField::boolean("a"));
    assert_eq!(made.fields, [FormField::boolean("a")]);
    assert_eq!(
        serde_json::to_value(&made).unwrap(),
        json!({"type": "object", "properties": {"a": {"type": "boolean"}}})
    );
}

#[test]
fn a_huge_form_is_read_in_a_moment() {
    // Each name is looked for among the required ones and among the others.
    let names: Vec<String> = (0..100_000).map(|n| format!("n{n}")).collect();
    let properties: Map<_, _> = names.iter().map(|name| (name.clone(), json!({}))).collect();
    let wire = json!({"properties": properties, "required": names}).to_string();
    let form: FormSchema = serde_json::from_str(&wire).unwrap();
    assert_eq!(form.fields.len(), names.len());
    assert!(form.fields.iter().all(|field| field.required));
}

#[test]
fn fields_can_be_made() {
    let field = FormField::choice("c", ["a", "b"])
        .required()
        .with_default("b")
        .with("title", "Letter")
        .with("description", "Choose");
    assert_eq!(
        (field.title(), field.description()),
        (Some("Letter"), Some("Choose"))
    );
    assert_eq!((field.display_name(), field.required), ("Letter", true));
    assert_eq!(field.default(), Some(&json!("b")));
    assert_eq!(
        field.kind(),
        FieldKind::Choice(vec![choice("a", None), choice("b", None)])
    );
    let many = FormField::choices("m", ["a"]);
    assert_eq!(many.display_name(), "m");
    assert!(matches!(many.kind(), FieldKind::Choices { .. }));
    assert!(matches!(
        FormField::number("n").kind(),
        FieldKind::Number { .. }
    ));
}

#[test]
fn values_fit_their_fields_or_not() {
    for (schema, good, bad) in [
        (
            json!({"type": "string"}),
            vec![json!(""), json!("é")],
            vec![json!(1), json!(null), json!(["a"])],
        ),
        (
            json!({"type": "string", "minLength": 2, "maxLength": 3}),
            // Characters, not bytes.
            vec![json!("éé"), json!("abc")],
            vec![json!("é"), json!("abcd"), json!(22)],
        ),
        (
            json!({"type": "number", "minimum": 0, "maximum": 1.5}),
            vec![json!(0), json!(1.5), json!(-0.0)],
            vec![
                json!(-0.1),
                json!(1.6),
                json!("1"),
                json!(true),
                json!(null),
            ],
        ),
        (
            json!({"type": "integer", "maximum": 7}),
            vec![json!(7), json!(-9_007_199_254_740_993_i64), json!(3.0)],
            vec![json!(8), json!(3.5), json!("3"), json!(null)],
        ),
        (
            json!({"type": "boolean"}),
            vec![json!(true), json!(false)],
            vec![json!(0), json!("true"), json!(null)],
        ),
    ] {
        let field = field(schema.clone());
        for value in good {
            assert_eq!(field.check(&value), Ok(()), "{value} in {schema}");
        }
        for value in bad {
            assert!(field.check(&value).is_err(), "{value} in {schema}");
        }
    }
    for (mut schema, many, _) in spellings() {
        let (good, bad) = if many {
            schema["minItems"] = json!(1);
            schema["maxItems"] = json!(2);
            let bad = vec![
                json!("r"),
                json!([]),
                json!(["r", "x"]),
                json!(["r", "g", "r"]),
                json!([1]),
            ];
            (vec![json!(["r"]), json!(["g", "r"])], bad)
        } else {
            (
                vec![json!("r"), json!("g")],
                vec![json!("Red"), json!("x"), json!(["r"]), json!(1)],
            )
        };
        let field = field(schema.clone());
        for value in good {
            assert_eq!(field.check(&value), Ok(()), "{value} in {schema}");
        }
        for value in bad {
            let mismatch = field.check(&value).unwrap_err();
            assert_eq!(mismatch.field, "f", "{value} in {schema}");
        }
    }
}

#[test]
fn a_mismatch_names_the_field_and_not_the_value() {
    let form = FormSchema::new()
        .with(FormField::text("first").required())
        .with(FormField::integer("age").with("minimum", 18));
    let check = |content: Value| {
        form.check(content.as_object().unwrap())
            .map_err(|error| error.to_string())
    };
    assert_eq!(check(json!({"first": "a", "more": 1})), Ok(()));
    let missing = "the field \"first\" must be filled in";
    assert_eq!(check(json!({"age": 20})), Err(missing.to_owned()));
    let young = "the field \"age\" must be at least 18";
    assert_eq!(
        check(json!({"first": "a", "age": 12})),
        Err(young.to_owned())
    );
}

#[test]
fn defaults_fill_what_is_absent() {
    let form = FormSchema::new()
        .with(FormField::text("kept").with_default("d"))
        .with(FormField::text("absent").with_default("d"))
        .with(FormField::text("emptied").with_default("d"))
        .with(FormField::text("empty").with_default("d"))
        .with(FormField::text("none"))
        .with(FormField::text("nothing"))
        .with(FormField::boolean("off").with_default(true))
        // A default that its own field does not allow is the server's mistake.
        .with(FormField::choice("wrong", ["a"]).with_default("b"))
        .with(FormField::integer("wrong type").with_default("7"));
    let mut content = json!({
        "kept": "mine", "emptied": null, "empty": "", "nothing": null, "off": false, "unasked": 1,
    });
    form.fill_defaults(content.as_object_mut().unwrap());
    assert_eq!(
        content,
        json!({
            "kept": "mine", "absent": "d", "empty": "", "off": false, "unasked": 1,
        })
    );
}
