//! A request that a call makes for itself.
//!
//! Owns asking and waiting for the raw answer. It must not know what is asked.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::scene::Scene;
use crate::client::clock::{self, Timer};
use crate::error::{Clock, Error, ErrorKind, Result};
use crate::progress::end::StreamEnd;
use crate::progress::slot::{Next, Outcome};
use crate::session::calls::NewCall;
use crate::session::flight::{Follow, Kind};
use crate::session::guard::CallGuard;
use crate::session::wire::Message;

struct Inquiry {
    /// Cancels on drop.
    guard: CallGuard,
    limit: Option<Duration>,
    timer: Timer,
}

/// Queues the request now; the future gives the answer, and cancels it when dropped. `limit` is for all of it.
pub(super) fn inquire(
    scene: &Scene,
    method: &'static str,
    params: &Value,
    limit: Option<Duration>,
) -> BoxFuture<'static, Outcome> {
    let inquiry = begin(scene, method, params, limit);
    async move {
        let mut inquiry = inquiry?;
        poll_fn(|cx| inquiry.poll(cx)).await
    }
    .boxed()
}

fn begin(
    scene: &Scene,
    method: &'static str,
    params: &Value,
    limit: Option<Duration>,
) -> Result<Inquiry> {
    let mut message =
        Message::new(method, params).map_err(|text| Error::new(ErrorKind::InvalidInput, text))?;
    scene.client.telemetry().put_trace(&mut message);
    let call = NewCall {
        message,
        token: None,
        own: None,
        kind: Kind::Call,
        follow: Follow::default(),
        reissues: 0,
    };
    let now = clock::now();
    let flight = scene.session.register(call, now)?;
    let mut timer = Timer::default();
    if let Some(deadline) = limit.and_then(|limit| now.checked_add(limit)) {
        timer.set(deadline, scene.client.runtime());
    }
    Ok(Inquiry {
        guard: CallGuard::new(scene.session.clone(), flight),
        limit,
        timer,
    })
}

impl Inquiry {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        // Nobody is subscribed, so that nothing comes but the response.
        let mut none = VecDeque::new();
        let flight = self.guard.flight();
        if let Next::Settled(outcome) = flight.slot.poll_call(&mut none, cx, false) {
            self.guard.finish();
            return Poll::Ready(outcome);
        }
        let Some(limit) = self.limit.filter(|_| self.timer.poll(cx).is_ready()) else {
            return Poll::Pending;
        };
        let error = Error::timeout(Clock::Total, limit).with_context(flight.context(clock::now()));
        let reason = "the answer took too long";
        let session = self.guard.session();
        session.abandon(flight, StreamEnd::TimedOut, reason, None);
        self.guard.finish();
        Poll::Ready(Err(error))
    }
}
