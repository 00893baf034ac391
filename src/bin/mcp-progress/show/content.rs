//! What a server answers, in pieces: text for people, and files that can be saved.
//!
//! Owns the words for each kind of content. It must not know where they are written, nor the disk.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use mcp_progress::model::{
    CallToolResult, ContentBlock, GetPromptResult, ReadResourceResult, Resource, ResourceContents,
};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::show::pretty::pretty;
use crate::show::printable;

/// One piece of an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// Shown as it is.
    Text(String),
    /// Shown, or saved.
    File(File<'a>),
}

/// Something with contents of its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct File<'a> {
    /// `image`, `audio` or `resource`.
    pub(crate) kind: &'static str,
    pub(crate) uri: Option<&'a str>,
    pub(crate) mime: Option<&'a str>,
    pub(crate) body: Body<'a>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Body<'a> {
    Text(&'a str),
    Base64(&'a str),
}

/// Some write padding, some do not; it says nothing.
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);

impl File<'_> {
    /// `[image: image/png, 12 KiB]`
    pub(crate) fn label(&self) -> String {
        let mut parts: Vec<String> = self
            .uri
            .into_iter()
            .chain(self.mime)
            .map(printable::line)
            .collect();
        parts.push(size(self.length()));
        format!("[{}: {}]", self.kind, parts.join(", "))
    }

    /// How many bytes it has; exact, unless the base64 is broken.
    fn length(&self) -> usize {
        match self.body {
            Body::Text(text) => text.len(),
            Body::Base64(data) => {
                let digits = |byte: &u8| !byte.is_ascii_whitespace() && *byte != b'=';
                data.bytes().filter(digits).count() * 3 / 4
            }
        }
    }

    /// The contents.
    ///
    /// # Errors
    ///
    /// What is wrong with the base64, in words.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, String> {
        let data = match self.body {
            Body::Text(text) => return Ok(text.as_bytes().to_vec()),
            Body::Base64(data) => data,
        };
        // Some break the lines, as for mail.
        let data: Vec<u8> = data
            .bytes()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let engine = if data.iter().any(|byte| matches!(byte, b'-' | b'_')) {
            URL_SAFE
        } else {
            STANDARD
        };
        engine
            .decode(data)
            .map_err(|error| format!("the base64 is broken: {error}"))
    }
}

/// The pieces of a tool's result. Data that no text says is added, as the server wrote it.
pub(crate) fn of_call<'a>(raw: &RawValue, result: &'a CallToolResult) -> Vec<Piece<'a>> {
    #[derive(Deserialize)]
    struct Structured<'a> {
        #[serde(rename = "structuredContent", borrow)]
        data: Option<&'a RawValue>,
    }
    let structured = serde_json::from_str::<Structured<'_>>(raw.get()).ok();
    let data = structured
        .and_then(|structured| structured.data)
        .map_or("", RawValue::get);
    let value = result.structured_content.as_ref();
    let mut said = value.is_none_or(Value::is_null);
    let mut pieces = Vec::new();
    for block in &result.content {
        let same = block.as_text().is_some_and(|text| {
            value.is_some() && serde_json::from_str::<Value>(text).ok().as_ref() == value
        });
        said |= same || block.as_text().is_some_and(|text| wraps(value, text));
        pieces.push(if same {
            Piece::Text(pretty(data))
        } else {
            of_block(block)
        });
    }
    if !said {
        pieces.push(Piece::Text(pretty(data)));
    }
    pieces
}

/// Whether the data is this text and nothing else, as some servers put the text of a tool without a schema into an object:
/// `{"result": "the text"}`.
fn wraps(data: Option<&Value>, text: &str) -> bool {
    let members = data.and_then(Value::as_object);
    members.is_some_and(|members| {
        members.len() == 1 && members.get("result").and_then(Value::as_str) == Some(text)
    })
}

/// The pieces of what was read.
pub(crate) fn of_read(result: &ReadResourceResult) -> Vec<Piece<'_>> {
    let several = result.contents.len() > 1;
    let mut pieces = Vec::new();
    for contents in &result.contents {
        if several && let (Some(uri), Some(_)) = (contents.uri(), contents.as_text()) {
            pieces.push(Piece::Text(format!("[{}]", printable::line(uri))));
        }
        pieces.push(of_contents(contents));
    }
    pieces
}

/// The pieces of a prompt: what it is for, then who says what.
pub(crate) fn of_prompt(result: &GetPromptResult) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    pieces.extend(result.description.clone().map(Piece::Text));
    for message in &result.messages {
        if !pieces.is_empty() {
            pieces.push(Piece::Text(String::new()));
        }
        let role = serde_json::to_value(&message.role).unwrap_or_default();
        pieces.push(Piece::Text(format!("[{}]", role.as_str().unwrap_or("?"))));
        pieces.push(of_block(&message.content));
    }
    pieces
}

fn of_block(block: &ContentBlock) -> Piece<'_> {
    match block {
        ContentBlock::Text(content) => Piece::Text(content.text.clone()),
        ContentBlock::Image(image) => encoded("image", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => encoded("audio", &audio.mime_type, &audio.data),
        ContentBlock::ResourceLink(resource) => Piece::Text(link(resource)),
        ContentBlock::Resource(embedded) => of_contents(&embedded.resource),
        other => Piece::Text(serde_json::to_string(other).unwrap_or_default()),
    }
}

const fn encoded<'a>(kind: &'static str, mime: &'a str, data: &'a str) -> Piece<'a> {
    Piece::File(File {
        kind,
        uri: None,
        mime: Some(mime),
        body: Body::Base64(data),
    })
}

fn of_contents(contents: &ResourceContents) -> Piece<'_> {
    let (mime, body) = match contents {
        ResourceContents::Text(text) => (text.mime_type.as_deref(), Body::Text(&text.text)),
        ResourceContents::Blob(blob) => (blob.mime_type.as_deref(), Body::Base64(&blob.blob)),
        other => return Piece::Text(serde_json::to_string(other).unwrap_or_default()),
    };
    Piece::File(File {
        kind: "resource",
        uri: contents.uri(),
        mime,
        body,
    })
}

/// `[link: file:///a, Report, text/plain, 12 KiB]`
fn link(resource: &Resource) -> String {
    let name = resource.title.as_deref().unwrap_or(&resource.name);
    let parts = [
        Some(resource.uri.as_str()),
        Some(name),
        resource.mime_type.as_deref(),
    ];
    let mut parts: Vec<String> = parts.into_iter().flatten().map(printable::line).collect();
    parts.extend(
        resource
            .size
            .map(|bytes| size(usize::try_from(bytes).unwrap_or(usize::MAX))),
    );
    format!("[link: {}]", parts.join(", "))
}

/// `512 B`, `1.5 KiB`, `12 KiB`
pub(crate) fn size(bytes: usize) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let mut amount = bytes as f64 / 1024.0;
    let mut unit = "KiB";
    for larger in ["MiB", "GiB", "TiB"] {
        if amount < 1024.0 {
            break;
        }
        amount /= 1024.0;
        unit = larger;
    }
    if amount < 10.0 {
        format!("{amount:.1} {unit}")
    } else {
        format!("{amount:.0} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::{CallToolResult, GetPromptResult, ReadResourceResult};
    use serde_json::value::RawValue;
    use serde_json::{Value, json};

    use super::{Body, File, Piece, of_call, of_prompt, of_read, size};

    fn shown(pieces: &[Piece<'_>]) -> Vec<String> {
        let one = |piece: &Piece<'_>| match piece {
            Piece::Text(text) => text.clone(),
            Piece::File(File {
                body: Body::Text(text),
                ..
            }) => (*text).to_owned(),
            Piece::File(file) => file.label(),
        };
        pieces.iter().map(one).collect()
    }

    fn call(text: &str) -> Vec<String> {
        let raw: Box<RawValue> = serde_json::from_str(text).unwrap();
        let result: CallToolResult = serde_json::from_str(text).unwrap();
        shown(&of_call(&raw, &result))
    }

    #[test]
    fn every_block_has_its_words() {
        let result = json!({"content": [
            {"type": "text", "text": "one"},
            {"type": "image", "mimeType": "image/png", "data": "QUJD"},
            {"type": "audio", "mimeType": "audio/wav", "data": "QUI="},
            {"type": "resource_link", "uri": "file:///a", "name": "a", "mimeType": "text/plain", "size": 2048},
            {"type": "resource", "resource": {"uri": "file:///b", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "file:///c", "mimeType": "x/y", "blob": "QUJD"}},
            {"type": "resource", "resource": {"uri": "file:///d"}},
            {"type": "hologram", "depth": 3},
        ]});
        assert_eq!(
            call(&result.to_string()),
            [
                "one",
                "[image: image/png, 3 B]",
                "[audio: audio/wav, 2 B]",
                "[link: file:///a, a, text/plain, 2.0 KiB]",
                "inside",
                "[resource: file:///c, x/y, 3 B]",
                "{\"uri\":\"file:///d\"}",
                "{\"depth\":3,\"type\":\"hologram\"}",
            ]
        );
    }

    #[test]
    fn data_is_shown_once_and_as_it_was_written() {
        let data = r#"{"z":18446744073709551616,"a":1.50}"#;
        let pretty = "{\n  \"z\": 18446744073709551616,\n  \"a\": 1.50\n}";
        assert_eq!(
            call(&format!(r#"{{"structuredContent":{data}}}"#)),
            [pretty]
        );
        let with = |text: &str| {
            let content = json!([{"type": "text", "text": text}]);
            call(&format!(
                r#"{{"content":{content},"structuredContent":{data}}}"#
            ))
        };
        assert_eq!(with("said"), ["said", pretty]);
        // The same data, as servers add it for clients that know text only.
        assert_eq!(with("{\"a\": 1.5, \"z\": 18446744073709551616}"), [pretty]);
        let wrapped =
            r#"{"content":[{"type":"text","text":"hi"}],"structuredContent":{"result":"hi"}}"#;
        assert_eq!(call(wrapped), ["hi"]);
        assert_eq!(call(&wrapped.replace(":\"hi\"}}", ":\"ho\"}}")).len(), 2);
        assert_eq!(
            call(r#"{"content":[],"structuredContent":null}"#),
            Vec::<String>::new()
        );
    }

    #[test]
    fn several_texts_have_headings() {
        let read = |value: Value| {
            let result: ReadResourceResult = serde_json::from_value(value).unwrap();
            shown(&of_read(&result))
        };
        let one = json!({"uri": "a:1", "text": "x"});
        assert_eq!(read(json!({"contents": [one]})), ["x"]);
        assert_eq!(
            read(json!({"contents": [one, {"uri": "a:2", "blob": "QUJD"}]})),
            ["[a:1]", "x", "[resource: a:2, 3 B]"]
        );
    }

    #[test]
    fn prompts_say_who_speaks() {
        let value = json!({"description": "For all", "messages": [
            {"role": "user", "content": {"type": "text", "text": "Hello"}},
            {"role": "assistant", "content": {"type": "text", "text": "Yes?"}},
        ]});
        let result: GetPromptResult = serde_json::from_value(value).unwrap();
        assert_eq!(
            shown(&of_prompt(&result)),
            ["For all", "", "[user]", "Hello", "", "[assistant]", "Yes?"]
        );
    }

    #[test]
    fn base64_in_all_its_forms() {
        let bytes = |data: &str| {
            let file = File {
                kind: "image",
                uri: None,
                mime: None,
                body: Body::Base64(data),
            };
            file.bytes()
        };
        let expected = Ok(vec![0xfb, 0xff, 0xfe, 0x00]);
        for data in ["+//+AA==", "+//+AA", "-__-AA", "+//+\r\nAA==\n"] {
            assert_eq!(bytes(data), expected, "{data}");
        }
        assert!(
            bytes("a!b")
                .unwrap_err()
                .starts_with("the base64 is broken: ")
        );
        assert!(bytes("A").is_err());
    }

    #[test]
    fn sizes() {
        let sizes = [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (12_345, "12 KiB"),
            (5 << 20, "5.0 MiB"),
            (1 << 40, "1.0 TiB"),
        ];
        for (bytes, expected) in sizes {
            assert_eq!(size(bytes), expected);
        }
    }
}
