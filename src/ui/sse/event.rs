//! One event, and its text.
//!
//! Owns that nothing inside of a field ends it. It must not know what events say.
//!
//! HTML standard, "Server-sent events", sections "Parsing an event stream" and "Interpreting an event stream".

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;

/// One event of an event stream. Its text, with the blank line that ends it, is what [`Display`](fmt::Display) writes.
///
/// Browsers give an event to the page only if it has data. One without is still of use: a comment keeps a connection
/// alive, `retry` sets how long a browser waits before it connects again.
///
/// ```
/// use mcp_progress::ui::sse::SseEvent;
///
/// let event = SseEvent::named("news").id("7").data("two\nlines");
/// assert_eq!(event.to_string(), "event: news\nid: 7\ndata: two\ndata: lines\n\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "an event does nothing until it is written"]
pub struct SseEvent {
    name: Option<Cow<'static, str>>,
    id: Option<String>,
    data: Option<String>,
    retry: Option<Duration>,
    comment: Option<String>,
}

impl SseEvent {
    /// An event of this type, which is what a page listens to; an event of no type is a `message`.
    pub fn named(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::default()
        }
    }

    /// An event that says nothing to the page.
    pub fn comment(text: impl Into<String>) -> Self {
        Self {
            comment: Some(text.into()),
            ..Self::default()
        }
    }

    /// How long a browser is to wait before it connects again, to the millisecond.
    pub const fn retry_after(wait: Duration) -> Self {
        Self {
            name: None,
            id: None,
            data: None,
            retry: Some(wait),
            comment: None,
        }
    }

    /// With this id, which the browser sends back in the header `Last-Event-ID` when it connects again.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// With this text; it may have several lines. Each end of a line, of any kind, arrives as LF.
    pub fn data(mut self, text: impl Into<String>) -> Self {
        self.data = Some(text.into());
        self
    }

    /// With this value as JSON.
    ///
    /// # Errors
    ///
    /// A map whose keys are no strings, or what the value's own implementation fails with.
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> serde_json::Result<Self> {
        Ok(self.data(serde_json::to_string(value)?))
    }

    /// The type of the event.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// The id of the event.
    #[must_use]
    pub fn last_event_id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// The text of the event.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.data.as_deref()
    }
}

/// The event as it stands in the response. In a type and an id, which have one line, ends of lines and NUL become spaces.
impl fmt::Display for SseEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in self.comment.iter().flat_map(|text| lines(text)) {
            writeln!(f, ": {line}")?;
        }
        if let Some(wait) = self.retry {
            writeln!(f, "retry: {}", wait.as_millis())?;
        }
        if let Some(name) = &self.name {
            writeln!(f, "event: {}", one_line(name))?;
        }
        if let Some(id) = &self.id {
            writeln!(f, "id: {}", one_line(id))?;
        }
        for line in self.data.iter().flat_map(|text| lines(text)) {
            writeln!(f, "data: {line}")?;
        }
        f.write_str("\n")
    }
}

/// The lines of a text whose ends are LF, CR, or both: the standard takes each for the end of a line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest.take()?;
        let Some(at) = here.find(['\r', '\n']) else {
            return Some(here);
        };
        let behind = &here[at..];
        rest = behind.strip_prefix("\r\n").or_else(|| behind.get(1..));
        Some(&here[..at])
    })
}

/// What has no place in a field of one line: a browser would take what follows for another field, and an id with NUL for none.
fn one_line(text: &str) -> Cow<'_, str> {
    const FORBIDDEN: [char; 3] = ['\r', '\n', '\0'];
    if text.contains(FORBIDDEN) {
        text.replace(FORBIDDEN, " ").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{SseEvent, lines};

    #[test]
    fn an_event_has_a_line_for_each_field_and_a_blank_one() {
        let event = SseEvent::named("progress").id("7").data("{}");
        assert_eq!(event.to_string(), "event: progress\nid: 7\ndata: {}\n\n");
        assert_eq!(
            (event.name(), event.last_event_id(), event.text()),
            (Some("progress"), Some("7"), Some("{}"))
        );
        let retry = SseEvent::retry_after(Duration::from_millis(1500));
        assert_eq!(retry.to_string(), "retry: 1500\n\n");
        assert_eq!(SseEvent::default().to_string(), "\n");
    }

    #[test]
    fn no_text_ends_its_field() {
        let hostile = "a\rdata: b\nevent: c\r\n\r\nretry: 1\0";
        assert_eq!(
            SseEvent::named(hostile).id(hostile).to_string(),
            "event: a data: b event: c    retry: 1 \nid: a data: b event: c    retry: 1 \n\n"
        );
        assert_eq!(
            SseEvent::default().data(hostile).to_string(),
            "data: a\ndata: data: b\ndata: event: c\ndata: \ndata: retry: 1\0\n\n"
        );
        assert_eq!(
            SseEvent::comment("one\r\rdata: two").to_string(),
            ": one\n: \n: data: two\n\n"
        );
    }

    /// The client's own reader of event streams gets the same events back.
    #[cfg(feature = "http")]
    #[test]
    fn what_is_written_is_read() {
        use crate::codec::sse::{Item, Sse};
        let texts = ["{}", "", " a", "a\rb\nc\r\n", ": x", "id: 3"];
        let written: String = std::iter::once(SseEvent::retry_after(Duration::from_secs(2)))
            .chain(texts.map(|text| SseEvent::named("progress").id("7").data(text)))
            .map(|event| event.to_string())
            .collect();
        let mut read = Vec::new();
        let taken = Sse::new(1024).feed(written.as_bytes(), |item| {
            match item {
                Item::Event(event) => {
                    assert_eq!((event.kind, event.id), (&b"progress"[..], Some("7")));
                    read.push(String::from_utf8(event.data.to_vec()).unwrap());
                }
                Item::Retry(wait) => assert_eq!((wait, read.len()), (2000, 0)),
                Item::TooLong { .. } => return Err(()),
            }
            Ok(())
        });
        assert_eq!(taken, Ok(()));
        assert_eq!(read, ["{}", "", " a", "a\nb\nc\n", ": x", "id: 3"]);
    }

    #[test]
    fn lines_end_in_three_ways() {
        let split = |text| lines(text).collect::<Vec<_>>();
        assert_eq!(split(""), [""]);
        assert_eq!(split("a"), ["a"]);
        assert_eq!(split("a\n"), ["a", ""]);
        assert_eq!(split("a\rb\r\nc\n\rd"), ["a", "b", "c", "", "d"]);
        assert_eq!(split("\r\n\u{2028}é"), ["", "\u{2028}é"]);
    }
}
