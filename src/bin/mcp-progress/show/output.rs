//! Standard output: the result, or every event of a run.
//!
//! Owns the stream and its formats. Its errors are the caller's business, since without a reader the work is in vain.

use std::io::{self, IsTerminal as _, Write as _};

use mcp_progress::model::{CallToolResult, ContentBlock, ResourceContents};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::args::output::Format;
use crate::failure::Failure;
use crate::show::event::{self, Done, Failed};
use crate::show::printable;
use crate::show::screen::Screen;

/// Standard output.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    format: Format,
    screen: Screen,
    terminal: bool,
}

impl Output {
    pub(crate) fn new(format: Format, screen: Screen) -> Self {
        Self {
            format,
            screen,
            terminal: io::stdout().is_terminal(),
        }
    }

    pub(crate) const fn format(&self) -> Format {
        self.format
    }

    /// Writes an event, where events are what is asked for.
    pub(crate) fn event(&self, event: &impl Serialize) -> io::Result<()> {
        if self.format == Format::Jsonl {
            self.write(&event::line(event))
        } else {
            Ok(())
        }
    }

    /// Writes the result of a call.
    pub(crate) fn result(&self, raw: &RawValue, result: &CallToolResult) -> io::Result<()> {
        match self.format {
            Format::Text => self.text(&text_of(result)),
            Format::Json => self.json(raw),
            Format::Jsonl => self.event(&Done::new(raw, result.is_error)),
        }
    }

    /// Writes that there is no result, where programs read.
    pub(crate) fn failure(&self, failure: &Failure) -> io::Result<()> {
        self.event(&Failed::new(failure))
    }

    /// Writes a value; raw parts of it as the server wrote them, digits and order of keys included.
    pub(crate) fn json(&self, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
        self.write(&serde_json::to_string(value)?)
    }

    /// Writes text for people. Nothing but line breaks and tabs reaches a terminal unseen; a pipe gets all as it is.
    pub(crate) fn text(&self, text: &str) -> io::Result<()> {
        if self.terminal {
            self.write(&printable::block(text))
        } else {
            self.write(text)
        }
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let line = if text.is_empty() || text.ends_with('\n') {
            text.to_owned()
        } else {
            format!("{text}\n")
        };
        let write = || {
            let mut stdout = io::stdout().lock();
            stdout.write_all(line.as_bytes())?;
            stdout.flush()
        };
        if self.terminal {
            self.screen.without_bars(write)
        } else {
            write()
        }
    }
}

/// The result in words: its content, else its data.
fn text_of(result: &CallToolResult) -> String {
    if let (true, Some(data)) = (result.content.is_empty(), &result.structured_content) {
        return format!("{data:#}");
    }
    let blocks: Vec<String> = result.content.iter().map(text_of_block).collect();
    blocks.join("\n")
}

fn text_of_block(block: &ContentBlock) -> String {
    let encoded = |what: &str, kind: &str, data: &str| {
        format!("[{what}: {kind}, {} characters of base64]", data.len())
    };
    match block {
        ContentBlock::Text(content) => content.text.clone(),
        ContentBlock::Image(image) => encoded("image", &image.mime_type, &image.data),
        ContentBlock::Audio(audio) => encoded("audio", &audio.mime_type, &audio.data),
        ContentBlock::ResourceLink(resource) => format!("[resource: {}]", resource.uri),
        ContentBlock::Resource(embedded) => text_of_resource(&embedded.resource),
        other => serde_json::to_string(other).unwrap_or_default(),
    }
}

fn text_of_resource(contents: &ResourceContents) -> String {
    let uri = contents.uri().unwrap_or("without address");
    match (contents.as_text(), contents.as_blob()) {
        (Some(text), _) => text.to_owned(),
        (None, Some(blob)) => format!("[resource: {uri}, {} characters of base64]", blob.len()),
        (None, None) => format!("[resource: {uri}]"),
    }
}

#[cfg(test)]
mod tests {
    use mcp_progress::model::CallToolResult;
    use serde_json::json;

    use super::text_of;

    fn text(result: serde_json::Value) -> String {
        text_of(&serde_json::from_value::<CallToolResult>(result).unwrap())
    }

    #[test]
    fn every_block_has_its_words() {
        let result = json!({"content": [
            {"type": "text", "text": "one"},
            {"type": "image", "mimeType": "image/png", "data": "QUJD"},
            {"type": "resource_link", "uri": "file:///a", "name": "a"},
            {"type": "resource", "resource": {"uri": "file:///b", "text": "inside"}},
            {"type": "resource", "resource": {"uri": "file:///c", "blob": "QUJD"}},
            {"type": "hologram", "depth": 3},
        ]});
        let expected = [
            "one",
            "[image: image/png, 4 characters of base64]",
            "[resource: file:///a]",
            "inside",
            "[resource: file:///c, 4 characters of base64]",
            "{\"depth\":3,\"type\":\"hologram\"}",
        ];
        assert_eq!(text(result), expected.join("\n"));
    }

    #[test]
    fn data_stands_in_for_missing_content() {
        assert_eq!(
            text(json!({"structuredContent": {"a": 1}})),
            "{\n  \"a\": 1\n}"
        );
        assert_eq!(
            text(json!({"content": [{"type": "text", "text": "x"}], "structuredContent": {}})),
            "x"
        );
        assert_eq!(text(json!({})), "");
    }
}
