//! What an event stream says, by an algorithm that reads all of it at once: the measure of the decoder.
//!
//! Owns its own copies of the limits. It must not share a step with the decoder.

use std::convert::Infallible;

use super::lines::KEPT_START;
use super::sse::{Item, Sse};

/// Bytes of an event type that are kept, and of an id or `retry` that is read at all.
const KIND_LIMIT: usize = 1024;
const VALUE_LIMIT: usize = 64 * 1024;

/// An item that lives on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    /// Type, data, id.
    Event(Vec<u8>, Vec<u8>, Option<String>),
    /// Start, length, id.
    TooLong(Vec<u8>, u64, Option<String>),
    Retry(u64),
}

impl From<Item<'_>> for Out {
    fn from(item: Item<'_>) -> Self {
        match item {
            Item::Event(event) => Self::Event(
                event.kind.to_vec(),
                event.data.to_vec(),
                event.id.map(str::to_owned),
            ),
            Item::TooLong { start, length, id } => {
                Self::TooLong(start.to_vec(), length, id.map(str::to_owned))
            }
            Item::Retry(milliseconds) => Self::Retry(milliseconds),
        }
    }
}

/// What a stream says: its items, its last id, and what stands unfinished at its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Said {
    pub(crate) items: Vec<Out>,
    pub(crate) last_id: Option<String>,
    pub(crate) unfinished: Option<Vec<u8>>,
}

pub(crate) fn said<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> Said {
    let mut sse = Sse::new(limit);
    let mut items = Vec::new();
    for chunk in chunks {
        let fed = sse.feed(chunk, |item| {
            items.push(Out::from(item));
            Ok::<_, Infallible>(())
        });
        fed.unwrap();
    }
    Said {
        items,
        last_id: sse.last_event_id().map(str::to_owned),
        unfinished: sse.unfinished().map(<[u8]>::to_vec),
    }
}

/// The standard's algorithm, step by step, on all of the stream at once, with the limits of ours.
pub(crate) fn by_the_standard(stream: &[u8], limit: usize) -> Said {
    let text = stream.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(stream);
    let mut items = Vec::new();
    let (mut data, mut kind) = (Vec::new(), Vec::new());
    let (mut id, mut last_id) = (String::new(), String::new());
    let some = |id: &String| (!id.is_empty()).then(|| id.clone());
    let (lines, rest) = whole_lines(text);
    for line in lines {
        if line.is_empty() {
            last_id.clone_from(&id);
            let kind = std::mem::take(&mut kind);
            let mut data: Vec<u8> = std::mem::take(&mut data);
            if data.pop().is_none() {
                continue;
            }
            items.push(if data.len() > limit {
                let start = data[..data.len().min(KEPT_START)].to_vec();
                Out::TooLong(start, data.len() as u64, some(&last_id))
            } else {
                Out::Event(kind, data, some(&last_id))
            });
            continue;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (field, value) = match colon {
            Some(0) => continue,
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (line, &b""[..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"event" => kind = value[..value.len().min(KIND_LIMIT)].to_vec(),
            b"data" => data.extend([value, b"\n"].concat()),
            _ if field != b"data" && value.len() > VALUE_LIMIT => {}
            b"id" if !value.contains(&0) => id = String::from_utf8_lossy(value).into_owned(),
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                let number = String::from_utf8_lossy(value).parse();
                items.extend(number.ok().map(Out::Retry));
            }
            _ => {}
        }
    }
    // Not the standard's: what the caller may look at.
    if let Some(value) = rest.strip_prefix(b"data:") {
        data.extend([value.strip_prefix(b" ").unwrap_or(value), b"\n"].concat());
    }
    let unfinished = data.pop().map(|_| data);
    Said {
        items,
        last_id: some(&last_id),
        unfinished,
    }
}

/// The lines that CRLF, LF or CR end, and what stands behind the last one.
fn whole_lines(mut text: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut lines = Vec::new();
    while let Some(end) = text.iter().position(|byte| b"\r\n".contains(byte)) {
        lines.push(&text[..end]);
        let both = text[end..].starts_with(b"\r\n");
        text = &text[end + 1 + usize::from(both)..];
    }
    (lines, text)
}
