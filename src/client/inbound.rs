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
use futures::future::{self, AbortHandle, Abortable, BoxFuture};
use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;
use tokio::runtime::Handle;

use super::clock;
use super::handlers::asks::Asks;
use super::handlers::context::RequestContext;
use super::handlers::offer::together;
use super::handlers::reports::Way;
use super::handlers::waiting::Waiting;
use crate::jsonrpc::{ErrorObject, Key};
use crate::model::ClientCapabilities;
use crate::session::calls::Session;
use crate::session::inbound::{Asked, ServerRequest, Work};
use crate::session::wire;
use crate::sync::Arc;

/// How many handlers run at once.
const AT_ONCE: usize = 16;

type Answer = Result<Value, ErrorObject>;
type Handler =
    Arc<dyn Fn(ServerRequest, RequestContext) -> BoxFuture<'static, Answer> + Send + Sync>;
type Running = Abortable<BoxFuture<'static, Done>>;

/// What the client does on requests of the server, by method, and how long it has been at it on one connection.
#[derive(Clone, Default)]
pub(crate) struct Handlers {
    methods: HashMap<String, Handler>,
    /// What typed handlers are made of.
    pub(super) asks: Asks,
    /// What the client offers altogether.
    pub(super) offered: Arc<ClientCapabilities>,
    waiting: Arc<Waiting>,
    /// Where handlers report their progress to; none before there is a connection.
    way: Option<Arc<dyn Way>>,
}

/// A handler that has come to its end, and whose request it served.
type Done = (u64, Key<'static>, Answer);

impl Handlers {
    pub(super) fn set<F, Fut>(&mut self, method: String, handler: F)
    where
        F: Fn(ServerRequest, RequestContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Answer> + Send + 'static,
    {
        let handler: Handler = Arc::new(move |request, context| handler(request, context).boxed());
        self.methods.insert(method, handler);
    }

    /// The same for a connection of its own: none of them has worked yet. `said` is what the user says that the client
    /// can do.
    pub(super) fn for_connection(&self, said: &ClientCapabilities, way: Arc<dyn Way>) -> Arc<Self> {
        Arc::new(Self {
            methods: self.methods.clone(),
            asks: self.asks.clone(),
            offered: Arc::new(together(said, &self.asks.offered)),
            waiting: Arc::default(),
            way: Some(way),
        })
    }

    /// Starts the task, if there is anything for it to do. It ends with the session, and keeps nothing else alive.
    pub(super) fn start(self: &Arc<Self>, runtime: &Handle, session: &Arc<Session>) {
        if self.methods.is_empty() {
            return;
        }
        session
            .inbound
            .serve(self.methods.keys().cloned().collect());
        let tasks = Tasks {
            session: session.clone(),
            handlers: self.clone(),
            running: FuturesUnordered::new(),
            stops: HashMap::new(),
        };
        runtime.spawn(tasks.run());
    }

    /// The times at which the handlers of this connection's task were at work; what [`answer`](Self::answer) runs is not
    /// among them.
    pub(crate) const fn waiting(&self) -> &Arc<Waiting> {
        &self.waiting
    }

    /// What the handler of this method gives. Dropping the future drops the handler.
    ///
    /// An error object stands for a method without a handler, for a handler that panics, and for one whose result is no
    /// JSON object.
    pub(crate) fn answer(&self, request: ServerRequest) -> BoxFuture<'static, Answer> {
        let Some(handler) = self.methods.get(&request.method).cloned() else {
            let text = format!("this client does not answer {}", request.method);
            let refused = ErrorObject::new(ErrorObject::METHOD_NOT_FOUND, text);
            return future::ready(Err(refused)).boxed();
        };
        let context = RequestContext::of(&request, &self.offered, self.way.as_ref());
        let reports = context.reports().cloned();
        // The handler's own call too: it may panic before it gives a future.
        let serving = AssertUnwindSafe(async move {
            let handling = async move { handler(request, context).await };
            match reports {
                Some(reports) => reports.beside(handling).await,
                None => handling.await,
            }
        });
        let answer = serving.catch_unwind();
        answer
            .map(|answer| checked(answer.unwrap_or_else(|panic| Err(panicked(&*panic)))))
            .boxed()
    }
}

struct Tasks {
    session: Arc<Session>,
    handlers: Arc<Handlers>,
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
        let pause = self.handlers.waiting.begin(clock::now());
        let answer = self.handlers.answer(request);
        let serving = async move {
            let answer = answer.await;
            drop(pause);
            (order, id, answer)
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
        let frame = wire::reply(&id, answer.as_ref());
        self.session.outbox.push_answer(frame);
    }
}

/// A result is an object in every revision ("Overview", "Responses").
fn checked(answer: Answer) -> Answer {
    match answer? {
        result @ Value::Object(_) => Ok(result),
        other => {
            tracing::warn!(result = %other, "a handler's result is no JSON object");
            let text = "the handler of this client gave no JSON object";
            Err(ErrorObject::new(ErrorObject::INTERNAL_ERROR, text))
        }
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
        f.debug_set().entries(self.methods.keys()).finish()
    }
}
