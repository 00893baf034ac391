//! The watch over one call, from its start to its end.
//!
//! Owns what its observers and its span are told, and that the end is told once, also where the call is dropped. It must not
//! know how updates are handed over.

use tracing::Span;

use super::closing::{CallClosed, CallOutcome};
use super::observer::{CallStarted, Observers};
use super::span;
use crate::client::clock;
use crate::error::Error;
use crate::model::progress::Update;
use crate::progress::slot::Outcome;
use crate::progress::tally::{News, Tally};
use crate::session::flight::Flight;
use crate::session::wire::Message;
use crate::sync::Arc;

/// A call that is about to be sent.
#[derive(Debug)]
pub(crate) struct Beginning {
    pub(super) span: Span,
    pub(super) observers: Observers,
    pub(super) milestones: Arc<[f64]>,
    tool: Option<Box<str>>,
}

impl Beginning {
    /// None where nobody watches.
    pub(super) fn of(
        message: &Message,
        observers: &Observers,
        milestones: &Arc<[f64]>,
    ) -> Option<Self> {
        let tool = message.name().filter(|_| message.method == "tools/call");
        let span = span::open(&message.method, tool);
        if span.is_disabled() && observers.is_empty() {
            return None;
        }
        Some(Self {
            span,
            observers: observers.clone(),
            milestones: milestones.clone(),
            tool: tool.map(Box::from),
        })
    }

    /// What the slot is to count.
    pub(crate) fn tally(&self) -> Tally {
        Tally::new(self.milestones.clone(), !self.observers.is_empty())
    }

    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    pub(crate) fn refused(&self, error: &Error) {
        span::record_refusal(&self.span, error);
    }

    /// The call is under way.
    pub(crate) fn watch(self, flight: &Arc<Flight>) -> Box<Watch> {
        let call = CallStarted {
            method: flight.method.clone(),
            tool: self.tool,
            token: flight.tracked.then(|| flight.slot.token().clone()),
            id: flight.id(),
        };
        span::record_start(&self.span, &call);
        self.observers.tell(|observer| observer.started(&call));
        Box::new(Watch {
            span: self.span,
            observers: self.observers,
            call,
            flight: flight.clone(),
            delivered: 0,
            merged: 0,
            open: true,
        })
    }
}

#[derive(Debug)]
pub(crate) struct Watch {
    span: Span,
    observers: Observers,
    call: CallStarted,
    flight: Arc<Flight>,
    delivered: u64,
    merged: u64,
    open: bool,
}

impl Watch {
    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// The call's own handler or handle is given this update.
    pub(crate) const fn hands_over(&mut self, update: &Update) {
        self.delivered += 1;
        self.merged += update.merged;
    }

    pub(crate) fn tell(&self, news: &[News]) {
        let call = &self.call;
        for news in news {
            self.observers.tell(|observer| match *news {
                News::FirstUpdate { after } => observer.first_update(call, after),
                News::Milestone { fraction, after } => observer.milestone(call, fraction, after),
                News::Leg(leg) => observer.leg(call, leg),
                News::Status(status) => observer.status(call, status),
            });
        }
    }

    pub(crate) fn ends(&mut self, outcome: &Outcome) {
        self.close(CallOutcome::of(&self.call.method, outcome));
    }

    pub(crate) fn leaves(&mut self) {
        self.close(CallOutcome::Left);
    }

    fn close(&mut self, outcome: CallOutcome) {
        if !std::mem::take(&mut self.open) {
            return;
        }
        let now = clock::now();
        let slot = &self.flight.slot;
        self.tell(&slot.take_news());
        let closed = CallClosed::new(
            outcome,
            now.saturating_duration_since(self.flight.started),
            (self.delivered, self.merged),
            &slot.numbers(now).unwrap_or_default(),
        );
        span::record_end(&self.span, &closed);
        self.observers
            .tell(|observer| observer.closed(&self.call, &closed));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if self.open {
            // On whatever thread this is, perhaps while a panic unwinds.
            let span = self.span.clone();
            span.in_scope(|| self.close(CallOutcome::Dropped));
        }
    }
}
