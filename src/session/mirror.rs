//! The headers that repeat parts of a request, so that what stands between client and server can route it unread.
//!
//! Owns their values: revision 2026-07-28, "Streamable HTTP", "Request Metadata". It must not know connections, and it
//! reads frames that this client wrote.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;

use super::annotation::Mirrored;
use super::tools::{Known, each_member, members};
use crate::jsonrpc::{MAX_SAFE_INTEGER, Text};
use crate::sync::Arc;

/// A header's name and its value, which holds nothing but visible ASCII and inner spaces.
pub(crate) type Header<'a> = (Cow<'static, str>, Cow<'a, str>);

/// What a value in Base64 stands between, exactly so.
const BEFORE: &str = "=?base64?";
const AFTER: &str = "?=";

/// The standard and the custom headers of a request: `Mcp-Method`, `Mcp-Name`, `Mcp-Param-…`.
///
/// `name` is the tool, prompt or resource that the request names. `known` looks a tool up and is asked for `tools/call`
/// only; a tool that was never listed has no custom headers, as the specification wants it. The frame is read only where
/// the tool has some.
pub(crate) fn headers<'a>(
    method: &'a str,
    name: Option<&'a str>,
    frame: &'a [u8],
    known: impl Fn(&str) -> Option<Arc<Known>>,
) -> Vec<Header<'a>> {
    // Every method of the specification is plain. One of the user's own that is not goes in Base64 like the rest:
    // nothing may reach the header that could end it.
    let mut headers = Vec::with_capacity(2);
    headers.push((Cow::Borrowed("Mcp-Method"), encode(method)));
    let Some(name) = name else {
        return headers;
    };
    headers.push((Cow::Borrowed("Mcp-Name"), encode(name)));
    let known = (method == "tools/call").then(|| known(name)).flatten();
    if let Some(known) = known.filter(|known| !known.mirrored.is_empty())
        && let Some(arguments) = arguments(frame)
    {
        custom(&mut headers, &known.mirrored, arguments);
    }
    headers
}

/// The arguments in a frame that calls a tool.
fn arguments(frame: &[u8]) -> Option<&RawValue> {
    let [params] = members(str::from_utf8(frame).ok()?, ["params"])?;
    let [arguments] = members(params?.get(), ["arguments"])?;
    arguments
}

/// Adds the headers of the arguments that have a text form.
fn custom<'a>(headers: &mut Vec<Header<'a>>, mirrored: &[Mirrored], arguments: &'a RawValue) {
    let mut values = vec![None; mirrored.len()];
    let all: Vec<usize> = (0..mirrored.len()).collect();
    find(mirrored, &all, 0, arguments, &mut values);
    for (mirrored, value) in mirrored.iter().zip(values) {
        if let Some(value) = value.and_then(text_form) {
            headers.push((Cow::Owned(mirrored.header.clone()), encode_text(value)));
        }
    }
}

/// Finds the values of those of `mirrored` whose paths lead to `object` in `depth` steps.
fn find<'a>(
    mirrored: &[Mirrored],
    those: &[usize],
    depth: usize,
    object: &'a RawValue,
    values: &mut [Option<&'a RawValue>],
) {
    // What is no object has no members, and a header whose value is not there is left out.
    let _ = each_member(object.get(), |name, value| {
        let on_path = |at: &&usize| {
            mirrored[**at]
                .path
                .get(depth)
                .is_some_and(|key| **key == *name)
        };
        let mut further = Vec::new();
        for &at in those.iter().filter(on_path) {
            let ends = mirrored[at].path.len() == depth + 1;
            // A member that comes twice: the last one counts.
            values[at] = ends.then_some(value);
            if !ends {
                further.push(at);
            }
        }
        if !further.is_empty() {
            find(mirrored, &further, depth + 1, value, values);
        }
    });
}

/// The text of a string, an integer or a boolean; none for null, arrays and objects.
///
/// The value itself decides, not the type that the schema names: where the two differ the server refuses the call in
/// any case, and says best why if the header does not differ from the body as well.
fn text_form(value: &RawValue) -> Option<Cow<'_, str>> {
    let text = value.get();
    match text.as_bytes().first()? {
        b'"' => string(value),
        b't' | b'f' => Some(Cow::Borrowed(text)),
        b'-' | b'0'..=b'9' => Some(decimal(text)),
        _ => None,
    }
}

/// A JSON number in decimal. JSON Schema takes `1.0` and `1e2` for integers, and they become `1` and `100`.
///
/// A number with a fraction, or beyond ±(2^53−1), is none that the specification allows. Its text stays as it is in
/// the body: to leave the header out would only add a mismatch to it.
#[expect(
    clippy::cast_possible_truncation,
    reason = "checked to be a whole number within 2^53"
)]
fn decimal(text: &str) -> Cow<'_, str> {
    let is_plain = text
        .bytes()
        .all(|byte| byte == b'-' || byte.is_ascii_digit())
        && text != "-0";
    if is_plain {
        return Cow::Borrowed(text);
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() <= MAX_SAFE_INTEGER as f64 => {
            Cow::Owned((number as i64).to_string())
        }
        _ => Cow::Borrowed(text),
    }
}

/// The string that a raw value is.
fn string(value: &RawValue) -> Option<Cow<'_, str>> {
    let text: Text<'_> = serde_json::from_str(value.get()).ok()?;
    Some(text.0)
}

/// A value as it may stand in a header: itself, or its UTF-8 in Base64 between `=?base64?` and `?=`.
pub(crate) fn encode(value: &str) -> Cow<'_, str> {
    if is_plain(value) {
        return Cow::Borrowed(value);
    }
    let mut text = String::with_capacity(value.len() * 4 / 3 + BEFORE.len() + AFTER.len() + 4);
    text.push_str(BEFORE);
    STANDARD.encode_string(value, &mut text);
    text.push_str(AFTER);
    Cow::Owned(text)
}

fn encode_text(value: Cow<'_, str>) -> Cow<'_, str> {
    match value {
        Cow::Borrowed(value) => encode(value),
        Cow::Owned(value) if is_plain(&value) => Cow::Owned(value),
        Cow::Owned(value) => Cow::Owned(encode(&value).into_owned()),
    }
}

/// Whether a value goes through HTTP unchanged and is not taken for an encoded one. An empty one does.
///
/// An inner tab would be allowed, but the proposal that the specification took this from (SEP-2243) lists it among
/// the control characters to encode; encoded, it suits both.
fn is_plain(value: &str) -> bool {
    let looks_encoded = value.starts_with(BEFORE) && value.ends_with(AFTER);
    let would_be_trimmed = value.starts_with(' ') || value.ends_with(' ');
    !looks_encoded && !would_be_trimmed && value.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::model::token::ProgressToken;
    use crate::model::version::ProtocolVersion;
    use crate::session::wire::{Message, Wire, naming_member};

    /// As a server reads it.
    fn decode(header: &str) -> String {
        let inner = header
            .strip_prefix(BEFORE)
            .and_then(|rest| rest.strip_suffix(AFTER));
        inner.map_or_else(
            || header.to_owned(),
            |inner| String::from_utf8(STANDARD.decode(inner).unwrap()).unwrap(),
        )
    }

    fn mirrored(header: &str, path: &[&str]) -> Mirrored {
        Mirrored {
            header: format!("Mcp-Param-{header}"),
            path: path.iter().map(|&key| Arc::from(key)).collect(),
        }
    }

    /// The headers as lines, of a server whose one tool `t` mirrors these arguments.
    fn lines(frame: &str, mirrored: &[Mirrored]) -> Vec<String> {
        let known = Arc::new(Known {
            mirrored: mirrored.to_vec(),
            ..Known::default()
        });
        let [method, params] = members(frame, ["method", "params"]).unwrap();
        let method = string(method.unwrap()).unwrap();
        let source = naming_member(&method);
        let named = source.and_then(|source| members(params?.get(), [source]));
        let name = named.and_then(|[name]| string(name?));
        headers(&method, name.as_deref(), frame.as_bytes(), |tool| {
            (tool == "t").then(|| Arc::clone(&known))
        })
        .into_iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect()
    }

    /// The one header of the argument `p`, none where it is left out.
    fn param(value: &str) -> Option<String> {
        let frame = format!(
            r#"{{"method":"tools/call","params":{{"name":"t","arguments":{{"p":{value}}}}}}}"#
        );
        let lines = lines(&frame, &[mirrored("P", &["p"])]);
        assert_eq!(lines[..2], ["Mcp-Method: tools/call", "Mcp-Name: t"]);
        assert!(lines.len() <= 3);
        let line = lines.get(2)?;
        Some(line.strip_prefix("Mcp-Param-P: ").unwrap().to_owned())
    }

    #[test]
    fn the_examples_of_the_specification_are_encoded_as_there() {
        for (value, expected) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
            // Those of SEP-2243.
            (" us-west1", "=?base64?IHVzLXdlc3Qx?="),
            ("us-west1 ", "=?base64?dXMtd2VzdDEg?="),
            (" us-west1 ", "=?base64?IHVzLXdlc3QxIA==?="),
            ("us west 1", "us west 1"),
            ("日本語", "=?base64?5pel5pys6Kqe?="),
            ("line1\r\nline2", "=?base64?bGluZTENCmxpbmUy?="),
            ("\tindented", "=?base64?CWluZGVudGVk?="),
            ("", ""),
            ("SGVsbG8=", "SGVsbG8="),
            ("=?base64?SGVsbG8=", "=?base64?SGVsbG8="),
            ("=?BASE64?SGVsbG8=?=", "=?BASE64?SGVsbG8=?="),
            (
                "file:///path/to/file%20name.txt",
                "file:///path/to/file%20name.txt",
            ),
            (
                "https://example.com/resource?id=123",
                "https://example.com/resource?id=123",
            ),
        ] {
            assert_eq!(encode(value), expected);
            assert_eq!(
                param(&Value::from(value).to_string()).as_deref(),
                Some(expected)
            );
        }
    }

    #[test]
    fn what_a_header_cannot_carry_is_encoded() {
        for value in [
            " ",
            "\t",
            "a\tb",
            "a\0b",
            "a\u{7f}b",
            "a\u{80}b",
            "é",
            "\u{feff}",
            "\u{a0}a",
            "a\r\nX-Evil: 1",
            "=?base64??=",
            "=?base64?=",
            "\u{1F600}",
        ] {
            let header = encode(value);
            assert!(
                header.starts_with(BEFORE) && header.ends_with(AFTER),
                "{value:?}"
            );
            assert_eq!(decode(&header), value);
        }
        let all: String = (b' '..=b'~').map(char::from).chain(['.']).collect();
        assert_eq!(encode(&all[1..]), all[1..]);
    }

    #[test]
    fn every_request_names_its_method() {
        for method in [
            "server/discover",
            "tools/list",
            "completion/complete",
            "subscriptions/listen",
            "x/own",
        ] {
            let frame = format!(
                r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{"name":"n","uri":"u"}}}}"#
            );
            assert_eq!(lines(&frame, &[]), [format!("Mcp-Method: {method}")]);
            let frame = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}"}}"#);
            assert_eq!(lines(&frame, &[]), [format!("Mcp-Method: {method}")]);
        }
        let frame = r#"{"method":"x\r\nEvil: 1"}"#;
        assert_eq!(
            lines(frame, &[]),
            [format!("Mcp-Method: {}", encode("x\r\nEvil: 1"))]
        );
    }

    #[test]
    fn three_methods_name_what_they_are_about() {
        for (method, source) in [
            ("tools/call", "name"),
            ("prompts/get", "name"),
            ("resources/read", "uri"),
        ] {
            let named = |params: &str| {
                let frame = format!(r#"{{"id":1,"method":"{method}","params":{params}}}"#);
                let lines = lines(&frame, &[]);
                assert_eq!(lines[0], format!("Mcp-Method: {method}"));
                assert!(lines.len() <= 2);
                Some(lines.get(1)?.strip_prefix("Mcp-Name: ").unwrap().to_owned())
            };
            let other = if source == "name" { "uri" } else { "name" };
            let params =
                format!(r#"{{"_meta":{{"{source}":"m"}},"{other}":"o","{source}":"a b/c?d=é"}}"#);
            assert_eq!(named(&params), Some(encode("a b/c?d=é").into_owned()));
            assert_eq!(
                named(&format!(r#"{{"{source}":"a\u0062c"}}"#)),
                Some("abc".into())
            );
            assert_eq!(
                named(&format!(r#"{{"{source}":"file:///a"}}"#)),
                Some("file:///a".into())
            );
            for params in [
                format!(r#"{{"{other}":"o"}}"#),
                format!(r#"{{"{source}":7}}"#),
                "null".into(),
                "[]".into(),
            ] {
                assert_eq!(named(&params), None, "{params}");
            }
        }
    }

    #[test]
    fn the_frames_that_this_client_writes_have_their_headers() {
        let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28"});
        let wire = Wire::modern(
            ProtocolVersion::V2026_07_28,
            meta.as_object().unwrap().clone(),
        );
        let params =
            json!({"name": "t", "arguments": {"region": "us-west1", "query": "SELECT 1", "n": 42}});
        let message = Message::new("tools/call", &params).unwrap();
        let frame = wire.request(3, &message, Some(&ProgressToken::from("name")));
        let found = lines(
            str::from_utf8(&frame).unwrap(),
            &[mirrored("Region", &["region"]), mirrored("N", &["n"])],
        );
        let expected = [
            "Mcp-Method: tools/call",
            "Mcp-Name: t",
            "Mcp-Param-Region: us-west1",
            "Mcp-Param-N: 42",
        ];
        assert_eq!(found, expected);
        let message = Message::new("tools/list", &json!(null)).unwrap();
        let frame = wire.request(4, &message, None);
        assert_eq!(
            lines(str::from_utf8(&frame).unwrap(), &[]),
            ["Mcp-Method: tools/list"]
        );
    }

    #[test]
    fn arguments_have_the_text_form_of_their_own_type() {
        for (value, expected) in [
            (r#""a""#, Some("a")),
            (r#""""#, Some("")),
            (r#""\u00e9""#, Some("=?base64?w6k=?=")),
            (r#""42""#, Some("42")),
            (r#""null""#, Some("null")),
            ("true", Some("true")),
            ("false", Some("false")),
            ("null", None),
            ("[]", None),
            (r#"["a"]"#, None),
            ("{}", None),
            ("0", Some("0")),
            ("-0", Some("0")),
            ("42", Some("42")),
            ("-7", Some("-7")),
            ("9007199254740991", Some("9007199254740991")),
            ("-9007199254740991", Some("-9007199254740991")),
            // Whole numbers, as JSON Schema has it, however they are written.
            ("1.0", Some("1")),
            ("-0.0", Some("0")),
            ("1e2", Some("100")),
            ("1E+2", Some("100")),
            ("120e-1", Some("12")),
            ("9007199254740991.0", Some("9007199254740991")),
            // None of these is allowed in an integer; the header says what the body says.
            ("9007199254740993", Some("9007199254740993")),
            (
                "123456789012345678901234567890",
                Some("123456789012345678901234567890"),
            ),
            ("9007199254740992.0", Some("9007199254740992.0")),
            ("3.14159", Some("3.14159")),
            ("1e300", Some("1e300")),
            ("1e999", Some("1e999")),
        ] {
            assert_eq!(param(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn a_value_is_read_at_its_exact_path() {
        let mirrored = [
            mirrored("Top", &["a"]),
            mirrored("Deep", &["b", "a"]),
            mirrored("Deeper", &["b", "c", "a"]),
            mirrored("Dotted", &["b.a"]),
        ];
        let found = |arguments: &str| {
            let frame = format!(
                r#"{{"method":"tools/call","params":{{"arguments":{arguments},"name":"t"}}}}"#
            );
            lines(&frame, &mirrored).split_off(2).join("; ")
        };
        for (arguments, expected) in [
            (r#"{"a":1}"#, "Mcp-Param-Top: 1"),
            (r#"{"b":{"a":2}}"#, "Mcp-Param-Deep: 2"),
            (
                r#"{"b":{"c":{"a":3},"a":2},"a":1}"#,
                "Mcp-Param-Top: 1; Mcp-Param-Deep: 2; Mcp-Param-Deeper: 3",
            ),
            (r#"{"c":{"a":3},"b.a":4}"#, "Mcp-Param-Dotted: 4"),
            (r#"{"\u0062":{"\u0061":2}}"#, "Mcp-Param-Deep: 2"),
            (r#"{"b":[{"a":2}]}"#, ""),
            (r#"{"b":"a"}"#, ""),
            (r#"{"b":null,"a":null}"#, ""),
            (r#"{"A":1,"x":{"a":1}}"#, ""),
            ("{}", ""),
            ("null", ""),
            ("[1]", ""),
            // The last of a repeated member counts, as in every reader of JSON that we know.
            (r#"{"a":1,"a":2}"#, "Mcp-Param-Top: 2"),
            (r#"{"b":{"a":1},"b":{}}"#, ""),
        ] {
            assert_eq!(found(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn only_annotated_arguments_of_a_known_tool_are_mirrored() {
        let of_p = [mirrored("P", &["p"])];
        let frame = |method: &str, name: &str, arguments: &str| {
            format!(r#"{{"method":"{method}","params":{{"name":"{name}"{arguments}}}}}"#)
        };
        let secret = r#","arguments":{"query":"secret","p":"x"}"#;
        let standard = |method: &str, name: &str| {
            [format!("Mcp-Method: {method}"), format!("Mcp-Name: {name}")]
        };
        assert!(
            lines(&frame("tools/call", "t", secret), &of_p)
                .concat()
                .ends_with("Mcp-Param-P: x")
        );
        assert!(
            !lines(&frame("tools/call", "t", secret), &of_p)
                .concat()
                .contains("secret")
        );
        assert_eq!(
            lines(&frame("tools/call", "t", secret), &[]),
            standard("tools/call", "t")
        );
        assert_eq!(
            lines(&frame("tools/call", "u", secret), &of_p),
            standard("tools/call", "u")
        );
        assert_eq!(
            lines(&frame("prompts/get", "t", secret), &of_p),
            standard("prompts/get", "t")
        );
        assert_eq!(
            lines(&frame("tools/call", "t", ""), &of_p),
            standard("tools/call", "t")
        );
    }

    #[test]
    fn a_frame_that_cannot_be_read_has_no_custom_headers() {
        for frame in [
            "",
            "null",
            "[]",
            r#"{"params":7}"#,
            r#"{"params":{"arguments""#,
        ] {
            let known = Arc::new(Known {
                mirrored: vec![mirrored("P", &["p"])],
                ..Known::default()
            });
            let found = headers("tools/call", Some("t"), frame.as_bytes(), |_| {
                Some(Arc::clone(&known))
            });
            assert_eq!(found.len(), 2, "{frame}");
        }
        assert_eq!(headers("ping", None, b"\xff", |_| None).len(), 1);
    }

    proptest! {
        #[test]
        fn an_encoded_value_is_fit_for_a_header_and_comes_back(
            value in prop_oneof![
                any::<String>(),
                "[ -~]{0,40}",
                "[ \t\r\na=?]{0,12}",
                r"=\?base64\?[ -~]{0,8}\?=",
                r"=\?base64\?[a=?]{0,3}",
            ],
        ) {
            let header = encode(&value);
            prop_assert!(header.bytes().all(|byte| matches!(byte, b'\t' | b' '..=b'~')));
            prop_assert_eq!(header.trim_matches([' ', '\t']), &*header);
            prop_assert_eq!(decode(&header), &*value);
            // The same by way of a frame, with whatever escapes JSON needs.
            let through_a_frame = param(&Value::from(&*value).to_string());
            prop_assert_eq!(through_a_frame.as_deref(), Some(&*header));
        }

        #[test]
        fn a_safe_integer_is_its_decimal_text(number in -MAX_SAFE_INTEGER..=MAX_SAFE_INTEGER) {
            prop_assert_eq!(param(&number.to_string()), Some(number.to_string()));
            prop_assert_eq!(param(&format!("{number}.0")), Some(number.to_string()));
        }
    }
}
