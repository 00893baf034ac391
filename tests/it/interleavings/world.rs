//! What does happen: a client, its calls as futures that the test polls and drops, and a server that the test plays.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::LocalBoxFuture;
use futures::stream::{FuturesUnordered, Stream};
use futures::task::noop_waker_ref;
use mcp_progress::transport::memory;
use mcp_progress::{
    Canceller, Client, Error, ErrorKind, Progress, ProgressToken, ProtocolVersion, Registration,
    Updates,
};
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};

use super::model::{Frame, IDLE, Outcome, TOTAL};
use super::{Form, token};

/// What a handler was given.
pub(super) type Seen = Vec<Progress>;

/// A call's future until it resolves or is dropped.
type Shared = Rc<RefCell<Option<LocalBoxFuture<'static, Result<Value, Error>>>>>;

/// One call, held by the pool that polls it and by the test that may drop it.
pub(super) struct Running {
    future: Shared,
    pub(super) seen: Rc<RefCell<Seen>>,
    pub(super) outcome: Rc<RefCell<Option<Outcome>>>,
    pub(super) canceller: Option<Canceller>,
}

pub(super) enum Member {
    Stream(Box<Updates>),
    /// The guard is held for its drop.
    Callback(#[expect(dead_code)] Registration, Arc<Mutex<Seen>>),
    Gone(Arc<Mutex<Seen>>),
}

pub(super) struct World {
    pub(super) client: Client,
    server: Option<DuplexStream>,
    begin: tokio::time::Instant,
    unread: Vec<u8>,
    /// All that the server received after the handshake.
    pub(super) received: Vec<Value>,
    pub(super) calls: Vec<Running>,
    pool: FuturesUnordered<Driven>,
    pub(super) members: Vec<Member>,
}

/// Resolves once its call has, or was dropped.
struct Driven {
    future: Shared,
    outcome: Rc<RefCell<Option<Outcome>>>,
}

impl Future for Driven {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut future = self.future.borrow_mut();
        let Some(inner) = future.as_mut() else {
            return Poll::Ready(());
        };
        let Poll::Ready(result) = inner.as_mut().poll(cx) else {
            return Poll::Pending;
        };
        *future = None;
        let before = self.outcome.borrow_mut().replace(classify(result));
        assert_eq!(before, None, "a call resolved twice");
        Poll::Ready(())
    }
}

fn classify(result: Result<Value, Error>) -> Outcome {
    let error = match result {
        Ok(result) => {
            assert_eq!(result, json!("result"));
            return Outcome::Result;
        }
        Err(error) => error,
    };
    let last = error.last_update().map(|update| update.progress);
    match (error.kind(), error.timeout_clock()) {
        (ErrorKind::Rpc, _) => Outcome::Rpc(last),
        (ErrorKind::Cancelled, _) => Outcome::Cancelled(last),
        (ErrorKind::Timeout, Some(clock)) => Outcome::TimedOut(clock, last),
        (ErrorKind::ConnectionLost, _) => Outcome::Lost,
        (ErrorKind::InvalidInput, _) => Outcome::Refused,
        _ => panic!("no call may end with {error}"),
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let (io, mut server) = memory(1 << 20);
        let connect = Client::connect(io).protocol(ProtocolVersion::V2025_11_25);
        let connect = connect.idle_timeout(IDLE).total_timeout(TOTAL);
        let client = shake_hands(&mut server, connect.into_future()).await;
        Self {
            client,
            server: Some(server),
            begin: clock(),
            unread: Vec::new(),
            received: Vec::new(),
            calls: Vec::new(),
            pool: FuturesUnordered::new(),
            members: Vec::new(),
        }
    }

    /// The paused clock.
    pub(super) fn now(&self) -> Duration {
        self.begin.elapsed()
    }

    /// Registers a call and queues its request; nothing is written before time passes.
    pub(super) fn start(&mut self, index: usize, form: Form) {
        let request = self
            .client
            .request::<Value>("vendor/work", json!({}))
            .progress_token(token(index));
        let seen = Rc::new(RefCell::new(Seen::new()));
        let sink = seen.clone();
        let mut canceller = None;
        let mut future: LocalBoxFuture<'static, _> = match form {
            Form::Stream => {
                let mut call = request.start();
                canceller = Some(call.canceller());
                Box::pin(async move {
                    while let Some(update) = call.next().await {
                        sink.borrow_mut().push(update);
                    }
                    call.await
                })
            }
            Form::Plain => {
                let call = request.start();
                canceller = Some(call.canceller());
                Box::pin(call.result())
            }
            Form::Callback => {
                let request = request.on_progress(move |update| sink.borrow_mut().push(update));
                Box::pin(request.send())
            }
            Form::AsyncCallback => Box::pin(
                request
                    .on_progress_async(move |update| {
                        let sink = sink.clone();
                        async move {
                            tokio::task::yield_now().await;
                            sink.borrow_mut().push(update);
                        }
                    })
                    .send(),
            ),
        };
        let outcome = Rc::new(RefCell::new(None));
        // The first poll registers the forms that have not done so; the pool polls again, with a waker.
        let first = future
            .as_mut()
            .poll(&mut Context::from_waker(noop_waker_ref()));
        let mut held = Some(future);
        if let Poll::Ready(result) = first {
            *outcome.borrow_mut() = Some(classify(result));
            held = None;
        }
        let future = Rc::new(RefCell::new(held));
        self.pool.push(Driven {
            future: future.clone(),
            outcome: outcome.clone(),
        });
        self.calls.push(Running {
            future,
            seen,
            outcome,
            canceller,
        });
    }

    pub(super) fn drop_call(&self, call: usize) {
        let future = self.calls[call].future.borrow_mut().take();
        drop(future);
    }

    /// Writes what the server has to say, and lets everything run for `time`.
    pub(super) async fn pass(&mut self, frames: &[Frame], ids: &[i64], time: Duration) {
        if let Some(server) = &mut self.server {
            for frame in frames {
                write(server, &message(*frame, ids));
            }
        }
        let mut sleep = std::pin::pin!(tokio::time::sleep(time));
        std::future::poll_fn(|cx| {
            self.poll_calls(cx);
            sleep.as_mut().poll(cx)
        })
        .await;
        // Timers of the same moment may be behind this one.
        for _ in 0..16 {
            tokio::task::yield_now().await;
            std::future::poll_fn(|cx| {
                self.poll_calls(cx);
                Poll::Ready(())
            })
            .await;
        }
        if let Some(server) = &mut self.server {
            read_lines(server, &mut self.unread, &mut self.received);
        }
    }

    fn poll_calls(&mut self, cx: &mut Context<'_>) {
        while let Poll::Ready(Some(())) = Pin::new(&mut self.pool).poll_next(cx) {}
    }

    pub(super) fn disconnect(&mut self) {
        self.server = None;
    }

    pub(super) async fn close(&mut self) {
        self.client.close().await;
        if let Some(server) = &mut self.server {
            read_lines(server, &mut self.unread, &mut self.received);
        }
    }

    pub(super) fn register(&mut self, index: usize) {
        let seen = Arc::new(Mutex::new(Seen::new()));
        let sink = seen.clone();
        let guard = self
            .client
            .progress()
            .register(&token(index), move |update| {
                sink.lock().expect("no callback panics").push(update)
            });
        self.members.push(Member::Callback(guard, seen));
    }

    pub(super) fn leave(&mut self, member: usize) {
        let member = &mut self.members[member];
        let seen = match member {
            Member::Callback(_, seen) | Member::Gone(seen) => seen.clone(),
            Member::Stream(_) => Arc::default(),
        };
        *member = Member::Gone(seen);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the paused clock, which the model reads too"
)]
fn clock() -> tokio::time::Instant {
    tokio::time::Instant::now()
}

async fn shake_hands(
    server: &mut DuplexStream,
    mut connect: impl Future<Output = Result<Client, Error>> + Unpin,
) -> Client {
    let mut unread = Vec::new();
    let mut received = Vec::new();
    let client = loop {
        tokio::select! {
            client = &mut connect => break client.expect("the handshake is answered"),
            () = tokio::task::yield_now() => {}
        }
        read_lines(server, &mut unread, &mut received);
        for request in received
            .drain(..)
            .filter(|message: &Value| !message["id"].is_null())
        {
            let result = json!({
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "serverInfo": {"name": "s", "version": "0"},
            });
            write(
                server,
                &json!({"jsonrpc": "2.0", "id": request["id"], "result": result}),
            );
        }
    };
    // Until `notifications/initialized` has come, which is none of the test's business.
    while !received
        .iter()
        .any(|message| message["method"] == "notifications/initialized")
    {
        tokio::task::yield_now().await;
        read_lines(server, &mut unread, &mut received);
    }
    client
}

/// What a stream has for its reader now.
pub(super) fn drain(updates: &mut Updates) -> Vec<Progress> {
    let mut cx = Context::from_waker(noop_waker_ref());
    let mut seen = Vec::new();
    while let Poll::Ready(Some(update)) = Pin::new(&mut *updates).poll_next(&mut cx) {
        seen.push(update);
    }
    seen
}

fn message(frame: Frame, ids: &[i64]) -> Value {
    let token = |index| -> ProgressToken { token(index) };
    match frame {
        Frame::Update {
            token: index,
            value,
        } => json!({
            "jsonrpc": "2.0",
            "method": "notifications/progress",
            "params": {"progressToken": token(index), "progress": value},
        }),
        Frame::Response { call, is_error } if is_error => {
            json!({"jsonrpc": "2.0", "id": ids[call], "error": {"code": -1, "message": "no"}})
        }
        Frame::Response { call, .. } => {
            json!({"jsonrpc": "2.0", "id": ids[call], "result": "result"})
        }
    }
}

fn write(server: &mut DuplexStream, message: &Value) {
    let line = format!("{message}\n");
    let mut cx = Context::from_waker(noop_waker_ref());
    let written = Pin::new(server).poll_write(&mut cx, line.as_bytes());
    assert!(
        matches!(written, Poll::Ready(Ok(n)) if n == line.len()),
        "{written:?}"
    );
}

fn read_lines(server: &mut DuplexStream, unread: &mut Vec<u8>, received: &mut Vec<Value>) {
    let mut cx = Context::from_waker(noop_waker_ref());
    loop {
        let mut bytes = [0; 4096];
        let mut buffer = ReadBuf::new(&mut bytes);
        match Pin::new(&mut *server).poll_read(&mut cx, &mut buffer) {
            Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                unread.extend_from_slice(buffer.filled());
            }
            _ => break,
        }
    }
    while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
        let line: Vec<u8> = unread.drain(..=end).collect();
        received.push(serde_json::from_slice(&line).expect("the client writes JSON"));
    }
}
