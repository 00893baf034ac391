//! The models, and what they have in common.

mod calls;
mod operations;
mod slots;
mod subscribers;

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Instant;

use futures::task::noop_waker_ref;

use crate::error::{Error, ErrorKind};
use crate::model::progress::{ProgressParams, Update};
use crate::model::token::ProgressToken;
use crate::progress::mailbox::Overflow;
use crate::progress::registry::ProgressRegistry;
use crate::progress::slot::{Next, Outcome, Slot};
use crate::session::calls::{NewCall, Session};
use crate::session::flight::{Flight, Follow, Kind};
use crate::session::read::Read;
use crate::session::wire::Message;
use crate::sync::Arc;

/// Runs `f` in every order of its threads' steps.
fn check(f: impl Fn() + Send + Sync + 'static) {
    loom::model(f);
}

/// As `check`, with at most this many switches away from a thread that could go on: for models with many steps.
fn check_bounded(switches: usize, f: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(switches);
    builder.check(f);
}

/// One moment for all: time decides nothing here.
fn now() -> Instant {
    static NOW: OnceLock<Instant> = OnceLock::new();
    *NOW.get_or_init(Instant::now)
}

fn token() -> ProgressToken {
    ProgressToken::from("t")
}

fn update(progress: u32) -> Update {
    let params = format!(r#"{{"progressToken":"t","progress":{progress}}}"#);
    let params: ProgressParams<'_> = serde_json::from_str(&params).expect("well-formed");
    params.to_update()
}

fn session() -> Arc<Session> {
    Arc::new(Session::new(ProgressRegistry::new()))
}

/// Registers a call for the token, whose handle takes updates.
fn register(session: &Session) -> Result<Arc<Flight>, Error> {
    register_following(session, Follow::default())
}

/// The same for a call that goes on after some responses.
fn register_following(session: &Session, follow: Follow) -> Result<Arc<Flight>, Error> {
    let call = NewCall {
        message: Message::new("m", &()).expect("no params"),
        token: Some(token()),
        own: Some(Overflow::default()),
        kind: Kind::Call,
        reissues: 0,
        follow,
    };
    session.register(call, now())
}

/// What the writer takes now, as lines.
fn written(session: &Session) -> Vec<String> {
    let mut buffer = Vec::new();
    let mut cx = Context::from_waker(noop_waker_ref());
    let _ = session.outbox.poll_take(&mut buffer, now, &mut cx);
    let text = String::from_utf8(buffer).expect("JSON is text");
    text.lines().map(str::to_owned).collect()
}

/// One read of the reader.
fn receive(session: &Session, frames: &[String]) {
    let mut read = Read::new(now());
    for frame in frames {
        session
            .dispatch(frame.as_bytes(), &mut read)
            .expect("nothing ends the connection");
    }
    read.finish();
}

fn progress(value: u32) -> String {
    format!(
        r#"{{"method":"notifications/progress","params":{{"progressToken":"t","progress":{value}}}}}"#
    )
}

fn response(id: i64) -> String {
    format!(r#"{{"id":{id},"result":"done"}}"#)
}

fn lost() -> Error {
    Error::new(ErrorKind::ConnectionLost, "gone")
}

/// What a call's future sees until it has its outcome, by value; callbacks run.
async fn drive(slot: &Slot) -> (Vec<f64>, Outcome) {
    let mut seen = Vec::new();
    let mut spare = VecDeque::new();
    let outcome = std::future::poll_fn(|cx| {
        loop {
            match slot.poll_call(&mut spare, cx, false) {
                Next::Batch => seen.extend(spare.drain(..).map(|update| update.progress)),
                Next::Callback(cell, update) => cell.invoke(update.of(slot.token().clone())),
                Next::Settled(outcome) => return Poll::Ready(outcome),
                Next::News(news) => panic!("nobody watches {news:?}"),
                Next::Interim(response) => panic!("nobody goes on from {response}"),
                Next::Nothing { .. } => return Poll::Pending,
            }
        }
    })
    .await;
    (seen, outcome)
}

/// The outcome, if it is there.
fn outcome_now(slot: &Slot) -> Option<Outcome> {
    let mut cx = Context::from_waker(noop_waker_ref());
    let driven = std::pin::pin!(drive(slot));
    match driven.poll(&mut cx) {
        Poll::Ready((_, outcome)) => Some(outcome),
        Poll::Pending => None,
    }
}

/// Nothing of any call is left.
fn assert_empty(session: &Session) {
    let stats = session.stats();
    assert_eq!((stats.live_calls, stats.registrations), (0, 0));
}
