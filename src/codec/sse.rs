//! Events out of a `text/event-stream`, however its bytes are cut.
//!
//! Follows the HTML standard, "Parsing an event stream" and "Interpreting an event stream". Owns what an unfinished
//! line and an unfinished event hold in memory, and the limits on that. It must not know what events say, nor how a
//! stream is connected again.

use memchr::{memchr, memchr2};

use crate::codec::lines::KEPT_START;

/// So much of an event type is kept. A longer one is cut, and so stays a type that nobody knows.
const KIND_LIMIT: usize = 1024;

/// A longer id or `retry` is ignored.
const VALUE_LIMIT: usize = 64 * 1024;

/// A buffer beyond this is given back when its event is out.
const ROOMY: usize = 1024 * 1024;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// The length of the longest name that means something.
const NAME_LIMIT: usize = 5;

/// Splits what is read into events.
#[derive(Debug)]
pub(crate) struct Sse {
    limit: usize,
    /// How much of a byte order mark was seen; at its length, the search for it is over.
    bom: usize,
    /// The last chunk ended with a CR, whose LF may still come.
    after_cr: bool,
    line: Unfinished,
    /// Of an unfinished line, the value of a field other than `data`: at most one byte more than its limit.
    value: Vec<u8>,
    kind: Vec<u8>,
    data: Data,
    /// The id that the blank line will make the last one, if the block has one.
    next_id: String,
    id_is_new: bool,
    last_id: String,
}

/// What comes out of a stream.
#[derive(Debug)]
pub(crate) enum Item<'a> {
    Event(Event<'a>),
    /// An event whose data is beyond the limit: how the data begins, and how long it was.
    TooLong {
        start: &'a [u8],
        length: u64,
        /// As in [`Event`].
        id: Option<&'a str>,
    },
    /// How long to wait before connecting again, in milliseconds.
    Retry(u64),
}

#[derive(Debug)]
pub(crate) struct Event<'a> {
    /// The event type; `message`, or nothing, is the usual one.
    pub(crate) kind: &'a [u8],
    /// Without the line end behind it. It may be empty.
    pub(crate) data: &'a [u8],
    /// The last id of the stream up to this event; `None` if there was none, or if it was set to nothing.
    pub(crate) id: Option<&'a str>,
}

/// The fields that mean something.
#[derive(Clone, Copy, Debug)]
enum Field {
    Data,
    Kind,
    Id,
    Retry,
}

/// How far the line is whose end was not yet read.
#[derive(Clone, Copy, Debug)]
enum Unfinished {
    /// No byte of it was read.
    Fresh,
    /// The name is the first `length` bytes so far.
    Name {
        bytes: [u8; NAME_LIMIT],
        length: usize,
    },
    /// Behind the colon. The value has begun when a space would be part of it.
    Value { field: Field, begun: bool },
    /// A comment, or a field that means nothing.
    Ignored,
}

/// The data of an event: whole up to the limit, else its start.
#[derive(Debug)]
struct Data {
    bytes: Vec<u8>,
    length: u64,
    /// There was a `data` field, with or without bytes.
    present: bool,
}

impl Sse {
    /// `limit` is the longest data in bytes of one event that is handed out whole.
    pub(crate) const fn new(limit: usize) -> Self {
        Self {
            limit,
            bom: 0,
            after_cr: false,
            line: Unfinished::Fresh,
            value: Vec::new(),
            kind: Vec::new(),
            data: Data::new(),
            next_id: String::new(),
            id_is_new: false,
            last_id: String::new(),
        }
    }

    /// Takes in a chunk and gives each item in order to `take`.
    ///
    /// # Errors
    ///
    /// What `take` fails with. The rest of the chunk is lost then, so the stream can only be given up.
    pub(crate) fn feed<E>(
        &mut self,
        chunk: &[u8],
        mut take: impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut at = self.skip_start(chunk);
        // The data of an event that has one line of it, which stands in this chunk: it need not be copied.
        let mut held: Option<&[u8]> = None;
        while let Some(length) = line_end(&chunk[at..]) {
            let end = at + length;
            let line = &chunk[at..end];
            at = end + 1;
            if chunk[end] == b'\r' {
                match chunk.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => self.after_cr = true,
                }
            }
            if !matches!(self.line, Unfinished::Fresh) {
                self.extend(line);
                if let Some(milliseconds) = self.end_line() {
                    take(Item::Retry(milliseconds))?;
                }
            } else if line.is_empty() {
                self.dispatch(held.take(), &mut take)?;
            } else if let Some((field, value)) = split(line) {
                if !matches!(field, Field::Data) {
                    if let Some(milliseconds) = self.set(field, value) {
                        take(Item::Retry(milliseconds))?;
                    }
                } else if held.is_none() && !self.data.present {
                    held = Some(value);
                } else {
                    self.keep(held.take());
                    self.keep(Some(value));
                }
            }
        }
        self.keep(held);
        self.extend(&chunk[at..]);
        Ok(())
    }

    /// The id to come back with: of the last block that a blank line closed.
    pub(crate) fn last_event_id(&self) -> Option<&str> {
        non_empty(&self.last_id)
    }

    /// When the stream has ended: the data of an event that no blank line closed, or its start if it is beyond the
    /// limit. By the standard there is no such event.
    pub(crate) fn unfinished(&self) -> Option<&[u8]> {
        self.data.present.then_some(&self.data.bytes)
    }

    /// Bytes of memory behind the decoder.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> usize {
        let ids = self.next_id.capacity() + self.last_id.capacity();
        self.value.capacity() + self.kind.capacity() + self.data.bytes.capacity() + ids
    }

    /// Passes over a byte order mark at the start of the stream, and over the LF of a CR in the last chunk.
    fn skip_start(&mut self, chunk: &[u8]) -> usize {
        let Some(&first) = chunk.first() else {
            return 0;
        };
        if std::mem::take(&mut self.after_cr) {
            return usize::from(first == b'\n');
        }
        let mut at = 0;
        while self.bom < BOM.len() && at < chunk.len() {
            if chunk[at] == BOM[self.bom] {
                self.bom += 1;
                at += 1;
                continue;
            }
            if self.bom > 0 {
                // Not a mark after all, but the start of a name that means nothing.
                self.line = Unfinished::Ignored;
            }
            self.bom = BOM.len();
        }
        at
    }

    /// Takes in a part of a line without its end.
    fn extend(&mut self, mut part: &[u8]) {
        while let Some(&first) = part.first() {
            match &mut self.line {
                Unfinished::Fresh => {
                    self.line = Unfinished::Name {
                        bytes: [0; NAME_LIMIT],
                        length: 0,
                    };
                }
                Unfinished::Name { bytes, length } => {
                    part = &part[1..];
                    if first == b':' {
                        let field = Field::named(&bytes[..*length]);
                        self.begin_value(field);
                    } else if let Some(byte) = bytes.get_mut(*length) {
                        *byte = first;
                        *length += 1;
                    } else {
                        self.line = Unfinished::Ignored;
                    }
                }
                Unfinished::Value { field, begun } => {
                    let field = *field;
                    if !std::mem::replace(begun, true) && first == b' ' {
                        part = &part[1..];
                    }
                    if matches!(field, Field::Data) {
                        self.data.push(part, self.limit);
                    } else {
                        let room = VALUE_LIMIT + 1 - self.value.len();
                        self.value.extend_from_slice(&part[..part.len().min(room)]);
                    }
                    return;
                }
                Unfinished::Ignored => return,
            }
        }
    }

    /// Ends a line that was taken in part by part. Gives the time of a `retry`.
    fn end_line(&mut self) -> Option<u64> {
        if let Unfinished::Name { bytes, length } = self.line {
            // No colon: the whole line is the name, and the value is empty.
            self.begin_value(Field::named(&bytes[..length]));
        }
        let line = std::mem::replace(&mut self.line, Unfinished::Fresh);
        let Unfinished::Value { field, .. } = line else {
            return None;
        };
        let value = std::mem::take(&mut self.value);
        let retry = self.set(field, &value);
        self.value = value;
        self.value.clear();
        retry
    }

    fn begin_value(&mut self, field: Option<Field>) {
        self.line = match field {
            Some(field) => {
                if matches!(field, Field::Data) {
                    self.data.begin_line(self.limit);
                }
                Unfinished::Value {
                    field,
                    begun: false,
                }
            }
            None => Unfinished::Ignored,
        };
    }

    /// Takes in a field other than `data`. Gives the time of a `retry`.
    fn set(&mut self, field: Field, value: &[u8]) -> Option<u64> {
        match field {
            Field::Data => {}
            Field::Kind => {
                self.kind.clear();
                self.kind
                    .extend_from_slice(&value[..value.len().min(KIND_LIMIT)]);
            }
            Field::Id => {
                if value.len() <= VALUE_LIMIT && memchr(0, value).is_none() {
                    self.next_id.clear();
                    self.next_id.push_str(&String::from_utf8_lossy(value));
                    self.id_is_new = true;
                }
            }
            Field::Retry if value.len() <= VALUE_LIMIT => return milliseconds(value),
            Field::Retry => {}
        }
        None
    }

    /// Takes in a whole line of data.
    fn keep(&mut self, line: Option<&[u8]>) {
        if let Some(line) = line {
            self.data.begin_line(self.limit);
            self.data.push(line, self.limit);
        }
    }

    /// Does what a blank line asks for. All the data is either `held` or in `self.data`.
    fn dispatch<E>(
        &mut self,
        held: Option<&[u8]>,
        take: &mut impl FnMut(Item<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        if std::mem::take(&mut self.id_is_new) {
            std::mem::swap(&mut self.last_id, &mut self.next_id);
        }
        let id = non_empty(&self.last_id);
        let (data, length) = match held {
            Some(data) => (data, data.len() as u64),
            None if self.data.present => (&self.data.bytes[..], self.data.length),
            None => {
                self.kind.clear();
                return Ok(());
            }
        };
        let taken = take(if length > self.limit as u64 {
            Item::TooLong {
                start: &data[..data.len().min(KEPT_START)],
                length,
                id,
            }
        } else {
            let kind = &self.kind[..];
            Item::Event(Event { kind, data, id })
        });
        self.kind.clear();
        self.data.clear();
        taken
    }
}

impl Field {
    fn named(name: &[u8]) -> Option<Self> {
        match name {
            b"data" => Some(Self::Data),
            b"event" => Some(Self::Kind),
            b"id" => Some(Self::Id),
            b"retry" => Some(Self::Retry),
            _ => None,
        }
    }
}

impl Data {
    const fn new() -> Self {
        Self {
            bytes: Vec::new(),
            length: 0,
            present: false,
        }
    }

    fn begin_line(&mut self, limit: usize) {
        if std::mem::replace(&mut self.present, true) {
            self.push(b"\n", limit);
        }
    }

    fn push(&mut self, part: &[u8], limit: usize) {
        self.length += part.len() as u64;
        if self.length <= limit as u64 {
            self.bytes.extend_from_slice(part);
            return;
        }
        let room = KEPT_START.saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&part[..part.len().min(room)]);
        self.bytes.truncate(KEPT_START);
        if self.bytes.capacity() > 4 * KEPT_START {
            self.bytes.shrink_to(2 * KEPT_START);
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.length = 0;
        self.present = false;
        // One large event must not hold its memory for the life of the connection.
        if self.bytes.capacity() > ROOMY {
            self.bytes.shrink_to(ROOMY / 4);
        }
    }
}

/// Where the line ends that begins here.
fn line_end(rest: &[u8]) -> Option<usize> {
    // Every other line or so is blank, which needs no search.
    match rest.first() {
        Some(b'\n' | b'\r') => Some(0),
        _ => memchr2(b'\n', b'\r', rest),
    }
}

/// The field of a whole line, if it means something, and its value.
fn split(line: &[u8]) -> Option<(Field, &[u8])> {
    let head = &line[..line.len().min(NAME_LIMIT + 1)];
    let colon = head.iter().position(|byte| *byte == b':');
    // A name without a colon that is longer than this is none of ours.
    let name = colon.unwrap_or(head.len());
    let field = Field::named(&head[..name])?;
    let value = match colon {
        Some(colon) => &line[colon + 1..],
        None => &[],
    };
    Some((field, value.strip_prefix(b" ").unwrap_or(value)))
}

/// Digits only, and no more than fit.
fn milliseconds(value: &[u8]) -> Option<u64> {
    if value.is_empty() {
        return None;
    }
    value.iter().try_fold(0_u64, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    })
}

fn non_empty(id: &str) -> Option<&str> {
    (!id.is_empty()).then_some(id)
}
