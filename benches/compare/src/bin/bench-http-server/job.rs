//! Owns what a streamed call sends: its events, and when.

use crate::linger::Guest;

/// The length of an update's JSON, whatever the client's token is: the message takes what is left.
const UPDATE_SIZE: usize = 129;
/// What follows an update's message.
const TAIL: &[u8] = b"\"}}";
const EVENT: &[u8] = b"event: message\ndata: ";
const EVENT_END: &[u8] = b"\n\n";

/// One call whose events are on their way.
pub struct Job {
    /// The event with the result.
    result: Vec<u8>,
    /// An update up to its progress value.
    head: Vec<u8>,
    sent: u64,
    total: u64,
    /// How large a chunk may grow before the next begins; 0 for a chunk an event.
    pub chunk: usize,
    /// How much is written at once.
    pub write: usize,
    pub guest: Option<Guest>,
}

impl Job {
    /// `None` when the token is so long that updates would be longer than those of other clients.
    pub fn new(token: &str, result: &str, total: u64) -> Option<Self> {
        let head = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":"#
        );
        let longest = head.len() + total.to_string().len() + MIDDLE.len() + TAIL.len();
        (longest <= UPDATE_SIZE).then(|| Self {
            result: [EVENT, result.as_bytes(), EVENT_END].concat(),
            head: [EVENT, head.as_bytes()].concat(),
            sent: 0,
            total,
            chunk: 0,
            write: 64 * 1024,
            guest: None,
        })
    }

    /// Waits until the next event is due.
    pub async fn due(&mut self) {
        if let Some(guest) = &mut self.guest {
            guest
                .wait(u32::try_from(self.sent).unwrap_or(u32::MAX - 1) + 1)
                .await;
        }
    }

    /// Appends the next event; whether it was the last.
    pub fn event(&mut self, out: &mut Vec<u8>) -> bool {
        if self.sent == self.total {
            out.extend_from_slice(&self.result);
            return true;
        }
        self.update(out);
        false
    }

    fn update(&mut self, out: &mut Vec<u8>) {
        const PADDING: [u8; UPDATE_SIZE] = [b'x'; UPDATE_SIZE];

        self.sent += 1;
        let start = out.len() + EVENT.len();
        out.extend_from_slice(&self.head);
        digits(self.sent, out);
        out.extend_from_slice(MIDDLE);
        let padding = UPDATE_SIZE.saturating_sub(out.len() - start + TAIL.len());
        out.extend_from_slice(&PADDING[..padding]);
        out.extend_from_slice(TAIL);
        out.extend_from_slice(EVENT_END);
    }
}

/// What follows the progress value up to the message's text.
const MIDDLE: &[u8] = br#","message":""#;

fn digits(mut number: u64, out: &mut Vec<u8>) {
    let mut text = [0; 20];
    let mut first = text.len();
    loop {
        first -= 1;
        text[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&text[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn updates_have_their_size_and_are_json() {
        for token in ["7", "\"p-12\"", "\"p5f0c8b9e-200064\""] {
            let mut job = Job::new(token, "{}", 200_000).unwrap();
            job.sent = 9;
            let mut out = Vec::new();
            assert!(!job.event(&mut out));
            let data = out.strip_prefix(EVENT).unwrap();
            let data = data.strip_suffix(EVENT_END).unwrap();
            assert_eq!(data.len(), UPDATE_SIZE, "{token}");
            let update: serde_json::Value = serde_json::from_slice(data).unwrap();
            assert_eq!(update["params"]["progress"], 10);
        }
    }

    #[test]
    fn the_result_is_the_last_event() {
        let mut job = Job::new("1", r#"{"id":1}"#, 1).unwrap();
        let mut out = Vec::new();
        assert!(!job.event(&mut out));
        out.clear();
        assert!(job.event(&mut out));
        assert_eq!(out, b"event: message\ndata: {\"id\":1}\n\n");
    }
}
