//! Owns the finding of events in a stream: where each ends, and what it carries. Must not know what
//! the data mean.

/// One event, or a block of comments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Event {
    /// How many bytes it takes in the stream, its blank line included.
    pub length: usize,
    /// Its data, lines joined; `None` if it has no field of that name.
    pub data: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// The waiting time it asks for, in milliseconds.
    pub retry: Option<u64>,
}

/// What came of a stream so far and is not yet a whole event.
#[derive(Debug, Default)]
pub struct Events {
    pending: Vec<u8>,
}

impl Events {
    /// Adds bytes, and takes out the events that are now complete, each with its bytes. Lines end
    /// with LF or CRLF, as those of all servers here do.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<(Event, Vec<u8>)> {
        self.pending.extend(bytes);
        let mut events = Vec::new();
        while let Some(length) = end_of_event(&self.pending) {
            let rest = self.pending.split_off(length);
            let bytes = std::mem::replace(&mut self.pending, rest);
            events.push((parse(&bytes), bytes));
        }
        events
    }

    /// The bytes of the event that has begun and not ended.
    #[must_use]
    pub fn rest(self) -> Vec<u8> {
        self.pending
    }
}

/// Where the first event of `bytes` ends: after its blank line.
fn end_of_event(bytes: &[u8]) -> Option<usize> {
    let mut start = 0;
    while let Some(at) = bytes[start..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[start..start + at];
        start += at + 1;
        if line.is_empty() || line == b"\r" {
            return Some(start);
        }
    }
    None
}

fn parse(bytes: &[u8]) -> Event {
    let mut event = Event {
        length: bytes.len(),
        ..Event::default()
    };
    for line in String::from_utf8_lossy(bytes).lines() {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "data" => {
                event.data = Some(match event.data.take() {
                    Some(before) => format!("{before}\n{value}"),
                    None => value.to_owned(),
                });
            }
            "id" => event.id = Some(value.to_owned()),
            "retry" => event.retry = value.parse().ok(),
            _ => {}
        }
    }
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    const STREAM: &str = "id: a_1\nretry: 150\ndata: \n\n: keepalive\n\nevent: message\r\ndata: {\"a\":1}\r\nid:7\r\n\r\ndata:x\ndata: y\n\ndata: half";

    #[test]
    fn events_are_found_wherever_the_bytes_are_cut() {
        let mut whole = Events::default();
        let expected = whole.feed(STREAM.as_bytes());
        assert_eq!(whole.rest(), b"data: half");
        let data: Vec<_> = expected.iter().map(|(e, _)| e.data.as_deref()).collect();
        assert_eq!(data, [Some(""), None, Some("{\"a\":1}"), Some("x\ny")]);
        let ids: Vec<_> = expected.iter().map(|(e, _)| e.id.as_deref()).collect();
        assert_eq!(ids, [Some("a_1"), None, Some("7"), None]);
        assert_eq!(expected[0].0.retry, Some(150));
        let joined: Vec<u8> = expected
            .iter()
            .flat_map(|(_, bytes)| bytes)
            .copied()
            .collect();
        assert_eq!(joined, &STREAM.as_bytes()[..joined.len()]);
        for cut in 0..STREAM.len() {
            let mut parts = Events::default();
            let mut found = parts.feed(&STREAM.as_bytes()[..cut]);
            found.extend(parts.feed(&STREAM.as_bytes()[cut..]));
            assert_eq!(found, expected, "cut at {cut}");
        }
    }

    #[test]
    fn lengths_are_those_of_the_bytes() {
        for (event, bytes) in Events::default().feed(STREAM.as_bytes()) {
            assert_eq!(event.length, bytes.len());
        }
    }
}
