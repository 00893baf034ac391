//! The server of the comparison: MCP over standard input and output, 2025-11-25, as fast as one thread can be made to write it.
//!
//! Updates are formatted by hand into a buffer of 64 KiB that goes out in one write. Between two writes it looks for new requests, so
//! that a flood does not keep other calls waiting for longer than one buffer takes. It answers in the order in which it reads.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::Deserialize;
use serde_json::value::RawValue;

/// What goes out in one write: what a pipe takes by default.
const WRITE_SIZE: usize = 64 * 1024;
/// The length of an update with its newline, whatever the client's token is: the message takes what is left. There is no total, so
/// that every client's token leaves room for a message.
const UPDATE_SIZE: usize = 130;

#[derive(Deserialize)]
struct Request<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Cow<'a, str>,
    #[serde(borrow)]
    params: Option<Params<'a>>,
}

#[derive(Deserialize)]
struct Params<'a> {
    #[serde(borrow, default)]
    name: Cow<'a, str>,
    arguments: Option<Arguments>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Arguments {
    #[serde(default)]
    n: u64,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

/// What follows an update's message.
const TAIL: &[u8] = b"\"}}\n";

/// One call whose updates are on their way.
struct Job {
    id: String,
    /// An update up to its progress value; empty when the caller sent no token.
    head: Vec<u8>,
    /// What follows the progress value up to the message's text.
    middle: Vec<u8>,
    sent: u64,
    total: u64,
    /// How many updates it writes before the next job has its turn.
    turn: u64,
}

struct Server {
    output: File,
    out: Vec<u8>,
    jobs: VecDeque<Job>,
}

fn main() -> io::Result<()> {
    let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
    let output = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let mut server = Server {
        output,
        out: Vec::with_capacity(2 * WRITE_SIZE),
        jobs: VecDeque::new(),
    };
    let mut buffer = vec![0; WRITE_SIZE];
    let mut filled = 0;
    loop {
        if server.jobs.is_empty() || readable(&input)? {
            if filled == buffer.len() {
                buffer.resize(2 * filled, 0);
            }
            let read = input.read(&mut buffer[filled..])?;
            if read == 0 {
                return Ok(());
            }
            filled += read;
            if let Some(end) = memchr::memrchr(b'\n', &buffer[..filled]) {
                for line in buffer[..end].split(|byte| *byte == b'\n') {
                    server.handle(line);
                }
                buffer.copy_within(end + 1..filled, 0);
                filled -= end + 1;
            }
        }
        server.work();
        server.flush()?;
    }
}

fn readable(input: &File) -> io::Result<bool> {
    Ok(poll(
        &mut [PollFd::new(input.as_fd(), PollFlags::POLLIN)],
        PollTimeout::ZERO,
    )? > 0)
}

impl Server {
    fn handle(&mut self, line: &[u8]) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let Ok(request) = serde_json::from_slice::<Request<'_>>(line) else {
            self.fail("null", -32700, "not a request");
            return;
        };
        // Notifications: `initialized` and `cancelled` need no action, since `hang` holds nothing.
        let Some(id) = request.id else { return };
        match &*request.method {
            "tools/call" => self.call(id.get(), request.params.as_ref()),
            "initialize" => self.answer(id.get(), concat!(
                r#"{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"#,
                r#""serverInfo":{"name":"bench-server","version":"0"}}"#
            )),
            "tools/list" => self.answer(id.get(), concat!(
                r#"{"tools":[{"name":"flood","inputSchema":{"type":"object"}},{"name":"fan","inputSchema":{"type":"object"}},"#,
                r#"{"name":"one","inputSchema":{"type":"object"}},{"name":"echo","inputSchema":{"type":"object"}},"#,
                r#"{"name":"hang","inputSchema":{"type":"object"}}]}"#
            )),
            "ping" => self.answer(id.get(), "{}"),
            _ => self.fail(id.get(), -32601, "no such method"),
        }
    }

    fn call(&mut self, id: &str, params: Option<&Params<'_>>) {
        let name = params.map_or("", |params| &params.name);
        let n = params
            .and_then(|params| params.arguments.as_ref())
            .map_or(0, |arguments| arguments.n);
        let (total, turn) = match name {
            "echo" => (0, 1),
            "one" => (1, 1),
            "flood" => (n, u64::MAX),
            "fan" => (n, 1),
            "hang" => return,
            _ => return self.fail(id, -32602, "no such tool"),
        };
        let token = params
            .and_then(|params| params.meta.as_ref())
            .and_then(|meta| meta.token);
        let Some(token) = token.filter(|_| total > 0) else {
            return self.finish(id);
        };
        let head = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{},"progress":"#,
            token.get()
        );
        let middle = r#","message":""#;
        let mut job = Job {
            id: id.to_owned(),
            head: head.into(),
            middle: middle.into(),
            sent: 0,
            total,
            turn,
        };
        if job.longest() > UPDATE_SIZE {
            return self.fail(
                id,
                -32602,
                "a token that makes updates longer than those of other clients",
            );
        }
        if total == 1 {
            job.update(&mut self.out);
            self.finish(id);
        } else {
            self.jobs.push_back(job);
        }
    }

    /// Fills the buffer with the updates of all jobs in turn.
    fn work(&mut self) {
        while self.out.len() < WRITE_SIZE
            && let Some(mut job) = self.jobs.pop_front()
        {
            let end = job.total.min(job.sent.saturating_add(job.turn));
            while job.sent < end && self.out.len() < WRITE_SIZE {
                job.update(&mut self.out);
            }
            if job.sent == job.total {
                self.finish(&job.id);
            } else {
                self.jobs.push_back(job);
            }
        }
    }

    fn finish(&mut self, id: &str) {
        self.answer(
            id,
            r#"{"content":[{"type":"text","text":"done"}],"isError":false}"#,
        );
    }

    fn answer(&mut self, id: &str, result: &str) {
        for part in [
            r#"{"jsonrpc":"2.0","id":"#,
            id,
            r#","result":"#,
            result,
            "}\n",
        ] {
            self.out.extend_from_slice(part.as_bytes());
        }
    }

    fn fail(&mut self, id: &str, code: i32, message: &str) {
        let line = format!(
            r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}"#
        );
        self.out.extend_from_slice(line.as_bytes());
        self.out.push(b'\n');
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.out)?;
        self.out.clear();
        Ok(())
    }
}

impl Job {
    /// How long the last update is without a message.
    fn longest(&self) -> usize {
        self.head.len() + self.total.to_string().len() + self.middle.len() + TAIL.len()
    }

    /// Appends the next update, its message as long as the line needs to be [`UPDATE_SIZE`] bytes.
    fn update(&mut self, out: &mut Vec<u8>) {
        const PADDING: [u8; UPDATE_SIZE] = [b'x'; UPDATE_SIZE];

        self.sent += 1;
        let start = out.len();
        out.extend_from_slice(&self.head);
        digits(self.sent, out);
        out.extend_from_slice(&self.middle);
        let padding = UPDATE_SIZE.saturating_sub(out.len() - start + TAIL.len());
        out.extend_from_slice(&PADDING[..padding]);
        out.extend_from_slice(TAIL);
    }
}

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
            let head = format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":"#
            );
            let middle = r#","message":""#.to_owned();
            let mut job = Job {
                id: "1".into(),
                head: head.into(),
                middle: middle.into(),
                sent: 9,
                total: 200_000,
                turn: 1,
            };
            let mut out = Vec::new();
            job.update(&mut out);
            assert!(job.longest() <= UPDATE_SIZE);
            assert_eq!(out.len(), UPDATE_SIZE, "{token}");
            let update: serde_json::Value = serde_json::from_slice(&out).unwrap();
            assert_eq!(update["params"]["progress"], 10);
        }
    }
}
