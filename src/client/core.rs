//! A call at work: what is handed over when, its clocks, and its end.
//!
//! Owns promise 2's order in each poll (updates up to the response, the response, cancel, total, idle). It must not know the types of results or handlers.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;
use tracing::Span;

use super::clock::{self, Timer};
use super::handle::Client;
use super::limits::{LifeSigns, Limits};
use super::operation::course::Course;
use super::telemetry::watch::Watch;
use super::turn::{self, Turn};
use crate::error::{Clock, Error, ErrorKind};
use crate::model::progress::{Progress, Update};
use crate::progress::end::StreamEnd;
use crate::progress::mailbox::merge_all;
use crate::progress::phase::Phase;
use crate::progress::slot::{Next, Outcome, Slot};
use crate::progress::tally::News;
use crate::session::calls::Session;
use crate::session::flight::Flight;
use crate::session::guard::CallGuard;
use crate::sync::Arc;

/// While a handler of the server's requests is at work, the idle clock is looked at so often.
const PAUSED: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(crate) struct Core {
    /// Keeps the connection alive.
    client: Client,
    /// Cancels on drop.
    guard: CallGuard,
    /// Tells of the call, where somebody watches. Below the guard: what it tells of a call that is dropped is the end.
    watch: Option<Box<Watch>>,
    limits: Limits,
    timer: Timer,
    batch: VecDeque<Update>,
    /// Updates handed over since the clocks were last looked at.
    handed: u32,
    grace_until: Option<Instant>,
    /// When this call first saw that its response is there.
    response_seen: Option<Instant>,
    /// What follows a response after which the call goes on.
    course: Course,
}

/// What a call has for its user next.
#[derive(Debug)]
pub(crate) enum Event {
    Update(Progress),
    Settled(Outcome),
}

impl Core {
    pub(crate) fn new(
        client: Client,
        session: Arc<Session>,
        flight: Arc<Flight>,
        limits: Limits,
    ) -> Self {
        Self {
            client,
            guard: CallGuard::new(session, flight),
            watch: None,
            limits,
            timer: Timer::default(),
            batch: VecDeque::new(),
            handed: 0,
            grace_until: None,
            response_seen: None,
            course: Course::default(),
        }
    }

    /// A call of a task that was created elsewhere.
    pub(crate) fn resumed(
        client: Client,
        session: Arc<Session>,
        flight: Arc<Flight>,
        limits: Limits,
    ) -> Self {
        let mut core = Self::new(client, session, flight, limits);
        core.go_on(RawValue::NULL.to_owned());
        core
    }

    pub(crate) fn watched(mut self, watch: Option<Box<Watch>>) -> Self {
        self.watch = watch;
        self
    }

    /// The span of the call, to be entered while it is at work; one that does nothing where nobody collects it.
    pub(crate) fn span(&self) -> Span {
        self.watch
            .as_ref()
            .map_or_else(Span::none, |watch| watch.span().clone())
    }

    pub(crate) const fn flight(&self) -> &Arc<Flight> {
        self.guard.flight()
    }

    pub(crate) const fn session(&self) -> &Arc<Session> {
        self.guard.session()
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.limits
    }

    fn slot(&self) -> &Slot {
        &self.flight().slot
    }

    /// The next update, or the outcome. Not to be polled after the outcome.
    pub(crate) fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Event> {
        let mut turn = Turn::default();
        loop {
            if let Some(outcome) = self.poll_backlog(cx) {
                return Poll::Ready(Event::Settled(outcome));
            }
            let merge = self.is_drained_out();
            if merge {
                self.guard.flight().slot.take_rest(&mut self.batch);
                merge_all(&mut self.batch);
            }
            if let Some(update) = self.batch.pop_front() {
                self.handed += 1;
                if let Some(watch) = &mut self.watch {
                    watch.hands_over(&update);
                }
                return Poll::Ready(Event::Update(update.of(self.slot().token().clone())));
            }
            match self
                .guard
                .flight()
                .slot
                .poll_call(&mut self.batch, cx, merge)
            {
                Next::Batch => {}
                Next::Callback(cell, update) => {
                    cell.invoke(update.of(self.slot().token().clone()));
                    self.handed += 1;
                    if turn.is_over() {
                        turn::give_way(cx);
                        return Poll::Pending;
                    }
                }
                Next::News(news) => self.tell(&news),
                Next::Interim(response) => self.go_on(response),
                Next::Settled(outcome) => return Poll::Ready(Event::Settled(self.finish(outcome))),
                Next::Nothing { grace_until } => {
                    if self.poll_course(cx) {
                        continue;
                    }
                    if let Some(error) = std::task::ready!(self.poll_clocks(cx, grace_until)) {
                        return Poll::Ready(Event::Settled(self.finish(Err(error))));
                    }
                    // Race: the response came between the look at the slot and the clock. It wins.
                }
            }
        }
    }

    fn go_on(&mut self, response: Box<RawValue>) {
        let (session, flight) = (self.guard.session(), self.guard.flight());
        self.course
            .go_on(&self.client, session, flight, self.limits, response);
    }

    /// Goes on with what follows a response; true where that has ended the call.
    fn poll_course(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(outcome) = self.course.poll(cx) else {
            return false;
        };
        self.session()
            .conclude(self.flight(), outcome, clock::now());
        true
    }

    /// What may end a call that never comes to the end of its backlog: a cancel discards it, and the clocks run on.
    fn poll_backlog(&mut self, cx: &mut Context<'_>) -> Option<Outcome> {
        if self.slot().is_dead() {
            self.batch.clear();
        } else if self.handed >= turn::HANDLERS {
            self.handed = 0;
            self.poll_course(cx);
            let grace_until = self.slot().grace_until();
            if let Poll::Ready(Some(error)) = self.poll_clocks(cx, grace_until) {
                return Some(self.finish(Err(error)));
            }
        }
        None
    }

    /// While a handler is at work: cancel and clocks, not updates.
    pub(crate) fn poll_interrupted(&mut self, cx: &mut Context<'_>) -> Poll<Outcome> {
        loop {
            match self.slot().poll_interrupted(cx) {
                Next::Settled(outcome) => return Poll::Ready(self.finish(outcome)),
                Next::News(news) => self.tell(&news),
                // The response is there: nothing is left to wait for but the handler.
                _ if self.slot().is_settled() => return Poll::Pending,
                Next::Interim(response) => self.go_on(response),
                Next::Nothing { grace_until } => {
                    if self.poll_course(cx) {
                        continue;
                    }
                    return match self.poll_clocks(cx, grace_until) {
                        Poll::Ready(Some(error)) => Poll::Ready(self.finish(Err(error))),
                        Poll::Ready(None) | Poll::Pending => Poll::Pending,
                    };
                }
                Next::Batch | Next::Callback(..) => return Poll::Pending,
            }
        }
    }

    /// Whether the response has been there for so long that the backlog is no longer handed over one by one.
    ///
    /// Counted from when this call first sees it, since a call that nobody polled could not hand over anything.
    fn is_drained_out(&mut self) -> bool {
        let Some(drain_for) = self.limits.drain_for else {
            return false;
        };
        if !self.slot().is_settled() {
            return false;
        }
        let now = clock::now();
        let seen = *self.response_seen.get_or_insert(now);
        now.saturating_duration_since(seen) >= drain_for
    }

    /// Ready with an error when a clock ran out, with nothing when the call is over already.
    fn poll_clocks(
        &mut self,
        cx: &mut Context<'_>,
        grace_until: Option<Instant>,
    ) -> Poll<Option<Error>> {
        let grace_is_new = grace_until != self.grace_until;
        self.grace_until = grace_until;
        if !self.timer.is_set() || grace_is_new {
            match self.next_deadline(clock::now()) {
                Some(deadline) => self.timer.set(deadline, self.client.runtime()),
                None => return Poll::Pending,
            }
        }
        while self.timer.poll(cx).is_ready() {
            let now = clock::now();
            if let Some((error, end)) = self.expired(now) {
                let error = if self.slot().phase() == Phase::Queued {
                    error.with_hint("the request was never written: it waited for a connection, or for the server to read")
                } else {
                    error
                };
                let error = error.with_context(self.flight().context(now));
                let reason = reason_of(&error);
                let ended = self.session().abandon(self.flight(), end, &reason, None);
                return Poll::Ready(ended.then_some(error));
            }
            // There was life since the timer was set: look again when that will have been too long ago.
            match self.next_deadline(now) {
                Some(deadline) => self.timer.set(deadline, self.client.runtime()),
                None => return Poll::Pending,
            }
        }
        Poll::Pending
    }

    fn next_deadline(&self, now: Instant) -> Option<Instant> {
        let total = self
            .limits
            .total
            .and_then(|total| self.flight().started.checked_add(total));
        // Idle starts when the request leaves the outbox. Until then the timer only comes back to look.
        let idle = self.limits.idle.and_then(|idle| {
            let sign = self.last_sign().unwrap_or(now);
            let waiting = self.client.handlers().waiting();
            let deadline = sign.checked_add(idle)?;
            let deadline = deadline.checked_add(waiting.paused_since(sign, now))?;
            // While somebody is asked, the time does not come nearer.
            let soonest = if waiting.is_paused() {
                now.checked_add(PAUSED)?
            } else {
                deadline
            };
            Some(deadline.max(soonest))
        });
        [total, idle, self.grace_until].into_iter().flatten().min()
    }

    fn last_sign(&self) -> Option<Instant> {
        self.slot().last_sign(self.limits.life == LifeSigns::Bytes)
    }

    /// Gives the call up without telling the server.
    pub(crate) fn release(&mut self) {
        self.course.stop();
        self.guard.release();
        if let Some(watch) = &mut self.watch {
            watch.leaves();
        }
    }

    /// For how long nothing was heard, without the times at which a handler of the server's requests was at work. On a
    /// byte stream those name no call, so that they count for all.
    fn silence(&self, sign: Instant, now: Instant) -> Duration {
        let waiting = self.client.handlers().waiting();
        if waiting.is_paused() {
            return Duration::ZERO;
        }
        now.saturating_duration_since(sign)
            .saturating_sub(waiting.paused_since(sign, now))
    }

    fn expired(&self, now: Instant) -> Option<(Error, StreamEnd)> {
        if self.grace_until.is_some_and(|until| now >= until) {
            return Some((Error::cancelled(), StreamEnd::Cancelled));
        }
        let since = |start: Instant| now.saturating_duration_since(start);
        let timeout = |clock, limit| Some((Error::timeout(clock, limit), StreamEnd::TimedOut));
        match (self.limits.total, self.limits.idle, self.last_sign()) {
            (Some(total), _, _) if since(self.flight().started) >= total => {
                timeout(Clock::Total, total)
            }
            (_, Some(idle), Some(sign)) if self.silence(sign, now) >= idle => {
                timeout(Clock::Idle, idle)
            }
            _ => None,
        }
    }

    fn finish(&mut self, outcome: Outcome) -> Outcome {
        self.course.stop();
        self.guard.finish();
        let outcome = match outcome {
            // Servers answer a cancel with errors of many codes, or with none at all. The slot is asked, because the
            // answer may have come before this call was polled in its grace.
            Err(error)
                if matches!(error.kind(), ErrorKind::Rpc | ErrorKind::Task)
                    && self.slot().grace_until().is_some() =>
            {
                Err(Error::cancelled()
                    .with_context(self.flight().context(clock::now()))
                    .with_source(error))
            }
            outcome => outcome,
        };
        if let Some(watch) = &mut self.watch {
            watch.ends(&outcome);
        }
        outcome
    }

    fn tell(&self, news: &[News]) {
        if let Some(watch) = &self.watch {
            watch.tell(news);
        }
    }

    /// Whoever polls this call wants no updates any more.
    pub(crate) fn stop_own(&mut self) {
        self.batch.clear();
        self.slot().stop_own();
    }
}

fn reason_of(error: &Error) -> String {
    match error.timeout_clock() {
        Some(clock) => format!("the client's {clock} timeout ran out"),
        None => "cancelled by the client".to_owned(),
    }
}
