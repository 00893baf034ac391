//! Owns how messages become server-sent events. Must not know what the messages say, nor when they are sent.
//! Source: the section on server-sent events of the HTML standard.

use std::fmt::Write as _;
use std::time::Duration;

/// How the events of one stream are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Format {
    /// Line ends of two bytes instead of one.
    pub(crate) crlf: bool,
    /// The number of the stream, if its events carry ids.
    pub(crate) stream: Option<u64>,
}

impl Format {
    fn end(self) -> &'static str {
        if self.crlf { "\r\n" } else { "\n" }
    }

    fn id(self, event: u64) -> Option<String> {
        self.stream.map(|stream| event_id(stream, event))
    }

    /// One message of JSON-RPC, which is the event of this number of its stream.
    pub(crate) fn message(self, out: &mut Vec<u8>, event: u64, line: &[u8]) {
        self.event(out, "message", self.id(event), line);
    }

    /// An event of another kind.
    pub(crate) fn named(self, name: &str, data: &str) -> Vec<u8> {
        let mut out = Vec::new();
        self.event(&mut out, name, None, data.as_bytes());
        out
    }

    fn event(self, out: &mut Vec<u8>, name: &str, id: Option<String>, data: &[u8]) {
        let end = self.end();
        let mut head = format!("event: {name}{end}");
        if let Some(id) = id {
            // Writing to a string cannot fail.
            let _ = write!(head, "id: {id}{end}");
        }
        out.extend_from_slice(head.as_bytes());
        // A bare carriage return would end the line; as a line of its own it comes back as a line feed.
        for part in data.split(|byte| *byte == b'\r') {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(part);
            out.extend_from_slice(end.as_bytes());
        }
        out.extend_from_slice(end.as_bytes());
    }

    /// What opens a stream: an event without data that tells the client where to resume, and how long to wait before.
    pub(crate) fn opening(self, prime: Option<u64>, retry: Option<Duration>) -> Vec<u8> {
        let end = self.end();
        let mut text = String::new();
        let id = prime.and_then(|event| self.id(event));
        if let Some(id) = &id {
            let _ = write!(text, "id: {id}{end}");
        }
        if let Some(retry) = retry {
            let _ = write!(text, "retry: {}{end}", retry.as_millis());
        }
        if id.is_some() {
            let _ = write!(text, "data: {end}");
        }
        if !text.is_empty() {
            text.push_str(end);
        }
        text.into_bytes()
    }

    /// A sign of life that is no event.
    pub(crate) fn comment(self) -> Vec<u8> {
        let end = self.end();
        format!(": keepalive{end}{end}").into_bytes()
    }
}

fn event_id(stream: u64, event: u64) -> String {
    format!("{stream}_{event}")
}

/// The numbers of the stream and of the event that an id was made of.
pub(crate) fn parse_id(id: &str) -> Option<(u64, u64)> {
    let (stream, event) = id.split_once('_')?;
    Some((stream.parse().ok()?, event.parse().ok()?))
}
