//! The task that answers requests of the server.
//!
//! Owns the handlers and how many of them run at once. It must not know what the requests mean, and neither the reader
//! nor a call ever waits for it.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{AbortHandle, Abortable, BoxFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use tokio::runtime::Handle;

use crate::jsonrpc::{ErrorObject, Key};
use crate::session::calls::Session;
use crate::session::inbound::{Asked, ServerRequest, Work};
use crate::session::wire;
use crate::sync::Arc;

/// How many handlers run at once.
const AT_ONCE: usize = 16;

type Answer = Result<Value, ErrorObject>;
type Handler = Arc<dyn Fn(ServerRequest) -> BoxFuture<'static, Answer> + Send + Sync>;
type Running = Abortable<BoxFuture<'static, Done>>;

/// What the client does on requests of the server, by method.
#[derive(Clone, Default)]
pub(super) struct Handlers(HashMap<String, Handler>);

/// A handler that has come to its end, and whose request it served.
type Done = (u64, Key<'static>, Answer);

impl Handlers {
    pub(super) fn set<F, Fut>(&mut self, method: String, handler: F)
    where
        F: Fn(ServerRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request| handler(request).boxed());
        self.0.insert(method, handler);
    }

    /// Starts the task, if there is anything for it to do. It ends with the session, and keeps nothing else alive.
    pub(super) fn start(&self, runtime: &Handle, session: &Arc<Session>) {
        if self.0.is_empty() {
            return;
        }
        session.inbound.serve(self.0.keys().cloned().collect());
        let tasks = Tasks {
            session: session.clone(),
            handlers: self.clone(),
            running: FuturesUnordered::new(),
            stops: HashMap::new(),
        };
        runtime.spawn(tasks.run());
    }
}

struct Tasks {
    session: Arc<Session>,
    handlers: Handlers,
    running: FuturesUnordered<Running>,
    /// What stops each of those.
    stops: HashMap<u64, AbortHandle>,
}

enum Event {
    Work(Work),
    Done(Done),
    /// A handler that was stopped is gone.
    Stopped,
    Over,
}

impl Tasks {
    async fn run(mut self) {
        loop {
            match poll_fn(|cx| self.poll(cx)).await {
                Event::Work(Work::Serve(asked)) => self.begin(asked),
                Event::Work(Work::Cancel(order)) => {
                    if let Some(stop) = self.stops.remove(&order) {
                        stop.abort();
                    }
                }
                Event::Done(done) => self.answer(done),
                Event::Stopped => {}
                Event::Over => return,
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let room = self.running.len() < AT_ONCE;
        match self.session.inbound.poll_next(room, cx) {
            Poll::Ready(Some(work)) => return Poll::Ready(Event::Work(work)),
            Poll::Ready(None) => return Poll::Ready(Event::Over),
            Poll::Pending => {}
        }
        match self.running.poll_next_unpin(cx) {
            Poll::Ready(Some(Ok(done))) => Poll::Ready(Event::Done(done)),
            Poll::Ready(Some(Err(_))) => Poll::Ready(Event::Stopped),
            // With none at work, the inbound queue wakes this task.
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }

    fn begin(&mut self, asked: Asked) {
        let Asked { order, id, request } = asked;
        // Looked up when it came in, among these very methods.
        let Some(handler) = self.handlers.0.get(&request.method).cloned() else {
            return;
        };
        let serving = async move {
            // The handler's own call too: it may panic before it gives a future.
            let serving = AssertUnwindSafe(async move { handler(request).await });
            let answer = serving.catch_unwind().await;
            (
                order,
                id,
                answer.unwrap_or_else(|panic| Err(panicked(&*panic))),
            )
        };
        let (stop, stopped) = AbortHandle::new_pair();
        self.stops.insert(order, stop);
        self.running.push(Abortable::new(serving.boxed(), stopped));
    }

    fn answer(&mut self, (order, id, answer): Done) {
        self.stops.remove(&order);
        if !self.session.inbound.finish(order) {
            return;
        }
        let answer = answer.and_then(|result| match result {
            Value::Object(_) => Ok(result),
            // A result is an object in every revision ("Overview", "Responses").
            other => {
                tracing::warn!(result = %other, "a handler's result is no JSON object");
                let text = "the handler of this client gave no JSON object";
                Err(ErrorObject::new(ErrorObject::INTERNAL_ERROR, text))
            }
        });
        let frame = wire::reply(&id, answer.as_ref());
        self.session.outbox.push_answer(frame);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> ErrorObject {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!(panic = text, "a handler of the server's requests panicked");
    // What it said may be nobody else's business.
    ErrorObject::new(
        ErrorObject::INTERNAL_ERROR,
        "the handler of this client panicked",
    )
}

impl fmt::Debug for Handlers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
