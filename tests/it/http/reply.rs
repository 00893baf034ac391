//! What the server by hand answers: exact bytes, in exact pieces, at exact moments.
//!
//! Owns the pieces and their writing. It must not know what they are about.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::sleep;

/// What a test opens when the server may go on.
#[derive(Clone, Debug)]
pub(crate) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets all pass, now and later.
    pub(crate) fn open(&self) {
        self.0.close();
    }

    pub(crate) async fn passed(&self) {
        let _ = self.0.acquire().await;
    }
}

#[derive(Clone, Debug)]
enum Step {
    Bytes(Vec<u8>),
    Wait(Duration),
    Gate(Gate),
    /// Nothing more, with the connection open.
    Hold,
    /// The connection is closed in the middle of the body.
    Cut,
}

/// How the pieces of a reply meet the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Pieces,
    /// Everything, head included, in one write.
    Glued,
    /// Byte by byte.
    Trickled,
}

/// A response.
#[derive(Clone, Debug)]
#[must_use]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    chunked: bool,
    /// The end of the connection is that of the body.
    closing: bool,
    before: Vec<Step>,
    steps: Vec<Step>,
    writing: Writing,
}

/// How a reply ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The connection can be used again.
    Kept,
    Cut,
    /// By the client.
    Left,
}

impl Reply {
    /// A response without a body.
    pub(crate) fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            chunked: false,
            closing: false,
            before: Vec::new(),
            steps: Vec::new(),
            writing: Writing::Pieces,
        }
    }

    pub(crate) fn with(status: u16, content_type: &str, body: impl AsRef<[u8]>) -> Self {
        let reply = Self::status(status).part(body);
        if content_type.is_empty() {
            return reply;
        }
        reply.header("content-type", content_type)
    }

    pub(crate) fn json(body: &Value) -> Self {
        Self::with(200, "application/json", body.to_string())
    }

    /// An event stream with nothing in it yet.
    pub(crate) fn sse() -> Self {
        Self::status(200)
            .header("content-type", "text/event-stream")
            .chunked()
    }

    pub(crate) fn chunked(mut self) -> Self {
        self.chunked = true;
        self
    }

    /// Says neither in pieces nor in all how long the body is.
    pub(crate) fn closing(mut self) -> Self {
        self.chunked = false;
        self.closing = true;
        self
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// A piece of the body, written by itself.
    pub(crate) fn part(self, bytes: impl AsRef<[u8]>) -> Self {
        self.step(Step::Bytes(bytes.as_ref().to_vec()))
    }

    pub(crate) fn event(self, message: &Value) -> Self {
        self.part(format!("event: message\ndata: {message}\n\n"))
    }

    pub(crate) fn event_id(self, id: &str, message: &Value) -> Self {
        self.part(format!("id: {id}\ndata: {message}\n\n"))
    }

    /// The event without data that comes first, so that there is an id, and says when to come back.
    pub(crate) fn priming(self, id: &str, retry: u64) -> Self {
        self.part(format!("id: {id}\nretry: {retry}\ndata: \n\n"))
    }

    pub(crate) fn wait(self, milliseconds: u64) -> Self {
        self.step(Step::Wait(Duration::from_millis(milliseconds)))
    }

    pub(crate) fn gate(self, gate: &Gate) -> Self {
        self.step(Step::Gate(gate.clone()))
    }

    /// The head waits too.
    pub(crate) fn behind(mut self, gate: &Gate) -> Self {
        self.before.push(Step::Gate(gate.clone()));
        self
    }

    pub(crate) fn hold(self) -> Self {
        self.step(Step::Hold)
    }

    pub(crate) fn cut(self) -> Self {
        self.step(Step::Cut)
    }

    /// The connection is closed instead of an answer.
    pub(crate) fn none() -> Self {
        let mut reply = Self::status(200);
        reply.before.push(Step::Cut);
        reply
    }

    /// No answer, and the connection stays open.
    pub(crate) fn silence() -> Self {
        let mut reply = Self::status(200);
        reply.before.push(Step::Hold);
        reply
    }

    pub(crate) fn glued(mut self) -> Self {
        self.writing = Writing::Glued;
        self
    }

    pub(crate) fn trickled(mut self) -> Self {
        self.writing = Writing::Trickled;
        self
    }

    fn step(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Whatever\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.chunked {
            head.push_str("transfer-encoding: chunked\r\n");
        } else if !self.closing {
            let length = self.steps.iter().map(|step| match step {
                Step::Bytes(bytes) => bytes.len(),
                _ => 0,
            });
            head.push_str(&format!("content-length: {}\r\n", length.sum::<usize>()));
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    pub(super) async fn write(&self, stream: &mut TcpStream) -> Ended {
        let mut pen = Pen {
            stream,
            writing: self.writing,
            held: Vec::new(),
        };
        for step in &self.before {
            if let Some(ended) = pen.step(step, false).await {
                return ended;
            }
        }
        if pen.put(&self.head()).await.is_err() {
            return Ended::Left;
        }
        for step in &self.steps {
            if let Some(ended) = pen.step(step, self.chunked).await {
                return ended;
            }
        }
        if self.chunked && pen.put(b"0\r\n\r\n").await.is_err() {
            return Ended::Left;
        }
        match pen.flush().await {
            Ok(()) if self.closing => Ended::Cut,
            Ok(()) => Ended::Kept,
            Err(_) => Ended::Left,
        }
    }
}

/// Writes to one connection.
struct Pen<'a> {
    stream: &'a mut TcpStream,
    writing: Writing,
    held: Vec<u8>,
}

impl Pen<'_> {
    async fn put(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match self.writing {
            Writing::Pieces => self.stream.write_all(bytes).await,
            Writing::Glued => {
                self.held.extend_from_slice(bytes);
                Ok(())
            }
            Writing::Trickled => {
                for byte in bytes {
                    self.stream.write_all(std::slice::from_ref(byte)).await?;
                    // So that the client reads between any two bytes.
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
        }
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        let held = std::mem::take(&mut self.held);
        self.stream.write_all(&held).await
    }

    /// Nothing where the reply goes on.
    async fn step(&mut self, step: &Step, chunked: bool) -> Option<Ended> {
        let bytes = match step {
            Step::Bytes(bytes) if chunked => {
                [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
            }
            Step::Bytes(bytes) => bytes.clone(),
            Step::Cut => {
                let _ = self.flush().await;
                return Some(Ended::Cut);
            }
            Step::Wait(_) | Step::Gate(_) | Step::Hold => {
                let _ = self.flush().await;
                return self.pause(step).await;
            }
        };
        self.put(&bytes).await.is_err().then_some(Ended::Left)
    }

    async fn pause(&self, step: &Step) -> Option<Ended> {
        let paused = async {
            match step {
                Step::Wait(time) => sleep(*time).await,
                Step::Gate(gate) => gate.passed().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            () = paused => None,
            () = left(self.stream) => Some(Ended::Left),
        }
    }
}

/// Waits until the client has closed the connection.
async fn left(stream: &TcpStream) {
    let mut byte = [0];
    while !matches!(stream.peek(&mut byte).await, Ok(0) | Err(_)) {
        // It writes ahead, which no HTTP/1.1 client of these tests does.
        sleep(Duration::from_millis(1)).await;
    }
}
