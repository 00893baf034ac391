//! Owns the headers that repeat what a modern request says in its body. Must not know what else it says.
//! Source: 2026-07-28 `basic/transports/streamable-http`, "Request Metadata".

use crate::testing::config::Config;
use crate::testing::request::Request;
use hyper::header::{HeaderMap, HeaderValue};
use serde_json::Value;

/// What carries the revision.
pub(crate) const VERSION: &str = "mcp-protocol-version";

/// What the headers get wrong, if anything.
pub(crate) fn mismatch(config: &Config, request: &Request, headers: &HeaderMap) -> Option<String> {
    let named = match request.method() {
        "tools/call" | "prompts/get" => request.name(),
        "resources/read" => request.uri(),
        "tasks/get" | "tasks/update" | "tasks/cancel" if config.tasks.is_some() => {
            request.field("taskId").as_str()
        }
        _ => None,
    };
    let method = Some(request.method());
    plain("Mcp-Method", headers.get("mcp-method"), method)
        .or_else(|| match named {
            Some(name) => decoded("Mcp-Name", headers.get("mcp-name"), &Value::from(name)),
            None => None,
        })
        .or_else(|| {
            let name = request.name().filter(|_| request.method() == "tools/call");
            let tool = config.tools.definition(name?)?;
            parameters(&tool["inputSchema"], request.arguments(), headers)
        })
}

/// What is wrong with the header of the revision, if anything.
pub(crate) fn version_mismatch(request: &Request, headers: &HeaderMap) -> Option<String> {
    plain(
        "MCP-Protocol-Version",
        headers.get(VERSION),
        request.protocol_version(),
    )
}

fn plain(name: &str, header: Option<&HeaderValue>, body: Option<&str>) -> Option<String> {
    let Some(header) = header else {
        return Some(format!("The header {name} is missing"));
    };
    let same = body.is_some_and(|body| header.as_bytes() == body.as_bytes());
    (!same).then(|| format!("The header {name} does not match the body"))
}

/// Compares a header that may be encoded with a value of the body, `null` where there is none.
fn decoded(name: &str, header: Option<&HeaderValue>, body: &Value) -> Option<String> {
    let Some(header) = header else {
        return (!body.is_null()).then(|| format!("The header {name} is missing"));
    };
    let Some(text) = decode(header) else {
        return Some(format!("The header {name} cannot be decoded"));
    };
    let same = match body {
        Value::String(body) => text == *body,
        Value::Bool(body) => text == body.to_string(),
        // `42.0` and `42` are one number.
        Value::Number(body) => {
            text == body.to_string()
                || text
                    .parse()
                    .is_ok_and(|number: f64| Some(number) == body.as_f64())
        }
        _ => false,
    };
    (!same).then(|| format!("The header {name} does not match the body"))
}

/// Walks the properties of a schema and the arguments side by side.
fn parameters(schema: &Value, arguments: &Value, headers: &HeaderMap) -> Option<String> {
    let properties = schema["properties"].as_object()?;
    properties.iter().find_map(|(key, property)| {
        let value = &arguments[key];
        let own = property["x-mcp-header"].as_str().and_then(|name| {
            let name = format!("Mcp-Param-{name}");
            decoded(&name, headers.get(name.to_ascii_lowercase()), value)
        });
        own.or_else(|| parameters(property, value, headers))
    })
}

/// The text that a header stands for; none where it holds what no header may hold.
fn decode(header: &HeaderValue) -> Option<String> {
    let text = header.to_str().ok()?;
    let encoded = text
        .strip_prefix("=?base64?")
        .and_then(|rest| rest.strip_suffix("?="));
    match encoded {
        Some(encoded) => String::from_utf8(base64(encoded)?).ok(),
        None => Some(text.to_owned()),
    }
}

/// Decodes the standard alphabet with its padding.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    if !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let (mut bits, mut held, mut bytes) = (0u32, 0, Vec::new());
    for digit in digits.bytes() {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from(bits >> held & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_with_its_padding_and_nothing_else() {
        for (text, bytes) in [
            ("", &b""[..]),
            ("SGVsbG8=", b"Hello"),
            ("IHBhZGRlZCA=", b" padded "),
            ("+/8A", b"\xfb\xff\0"),
        ] {
            assert_eq!(base64(text).as_deref(), Some(bytes), "{text}");
        }
        for text in ["SGVsbG8", "SGVs bG8=", "S===", "SGV-"] {
            assert_eq!(base64(text), None, "{text}");
        }
    }
}
