//! One call's slot: the mailboxes of its subscribers, the last value, and the response once it is there.
//!
//! Owns the states of a call and who is woken when. It is shared by the reader, the call and its droppers, each of
//! which takes the one short lock. It must not know ids, tables, timers or transports.

use std::collections::VecDeque;
use std::sync::OnceLock;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use super::callback::CallbackCell;
use super::delivery::Delivery;
use super::end::StreamEnd;
use super::inbox::Inbox;
use super::mailbox::Overflow;
use super::phase::Phase;
use super::subscriber::{Subscriber, SubscriberKind};
use super::tally::{News, Tally};
use super::wakers::Wakers;
use crate::error::Error;
use crate::model::progress::{Progress, Update, UpdateKind};
use crate::model::token::ProgressToken;
use crate::sync::{Arc, AtomicBool, AtomicU64, Mutex, Ordering};

/// What a call ends with: the raw result, or the error that takes its place.
pub(crate) type Outcome = Result<Box<RawValue>, Error>;

#[derive(Debug)]
pub(crate) struct Slot {
    token: ProgressToken,
    /// How many legs are over, and all of them where the call is, so that a reader sees it without the lock.
    pub(super) past: AtomicU64,
    /// Mirrors `Settled`, so that a call at work on its backlog sees the response without the lock.
    settled: AtomicBool,
    /// Mirrors `Dead` in the same way.
    dead: AtomicBool,
    /// How many updates came too late, where somebody watches.
    pub(super) rejected: OnceLock<Arc<AtomicU64>>,
    pub(super) state: Mutex<State>,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) phase: Phase,
    /// Whether the slot is already on the reader's list of slots to wake.
    touched: bool,
    pub(super) next_key: u32,
    pub(super) seq: u64,
    /// Which request of the operation is under way, from 1.
    pub(super) leg: u32,
    pub(super) highest: f64,
    pub(super) sent_at: Option<Instant>,
    /// When the last update came, or else when the request was written.
    pub(super) sign_at: Option<Instant>,
    /// When the last byte came on a stream that is the call's own.
    pub(super) byte_at: Option<Instant>,
    /// Whether updates may have been lost since the last one.
    pub(super) gap: bool,
    pub(super) grace_until: Option<Instant>,
    pub(super) inbox: Inbox,
    pub(super) subscribers: Vec<Subscriber>,
    waker: Option<Waker>,
    /// How many handlers are asking somebody on behalf of this call.
    pub(super) asking: u32,
    /// Whether the outcome is only a response after which the call goes on.
    pub(super) interim: bool,
    pub(super) outcome: Option<Outcome>,
    pub(super) end: Option<StreamEnd>,
    /// None where nobody watches.
    pub(super) tally: Option<Box<Tally>>,
}

/// What a call finds when it looks.
#[derive(Debug)]
pub(crate) enum Next {
    /// The spare queue now holds updates for the call's own handler.
    Batch,
    Callback(Arc<CallbackCell>, Update),
    /// What is to be told to whoever watches.
    News(Vec<News>),
    /// A response after which the call goes on: with answers, or as a task.
    Interim(Box<RawValue>),
    Settled(Outcome),
    /// Nothing yet; the call is woken when there is.
    Nothing {
        /// The call was cancelled and ends then at the latest.
        grace_until: Option<Instant>,
    },
}

impl Slot {
    /// A slot that waits for a call, or one that has it.
    pub(crate) fn new(token: ProgressToken, phase: Phase, own: Option<Overflow>) -> Self {
        Self {
            token,
            past: AtomicU64::new(0),
            settled: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            rejected: OnceLock::new(),
            state: Mutex::new(State {
                phase,
                touched: false,
                next_key: 0,
                seq: 0,
                leg: 1,
                highest: f64::NEG_INFINITY,
                sent_at: None,
                sign_at: None,
                byte_at: None,
                gap: false,
                grace_until: None,
                inbox: Inbox::new(own),
                subscribers: Vec::new(),
                waker: None,
                asking: 0,
                interim: false,
                outcome: None,
                end: None,
                tally: None,
            }),
        }
    }

    pub(crate) const fn token(&self) -> &ProgressToken {
        &self.token
    }

    /// Gives a waiting slot its call; false where it has or had one.
    pub(crate) fn claim(&self, own: Option<Overflow>) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Free {
            return false;
        }
        state.phase = Phase::Queued;
        state.inbox.open(own);
        // Updates that came before the call are no sign of life of it: the idle clock starts when it is written.
        state.sign_at = None;
        true
    }

    /// The request leaves the outbox now; false where the call is already over and it must not be written.
    pub(crate) fn mark_sent(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.phase != Phase::Queued {
            return false;
        }
        state.phase = Phase::Sent;
        state.sent_at.get_or_insert(now);
        state.sign_at = Some(now);
        if let Some(tally) = &mut state.tally {
            tally.listen(now);
        }
        true
    }

    /// Puts an update into every mailbox.
    pub(crate) fn deliver(&self, mut update: Update, now: Instant) -> Delivery {
        let mut state = self.state.lock();
        if state.phase.is_over() {
            drop(state);
            self.reject();
            return Delivery::Late;
        }
        state.seq += 1;
        state.sign_at = Some(now);
        update.seq = state.seq;
        update.leg = state.leg;
        update.elapsed = state
            .sent_at
            .map_or(Duration::ZERO, |sent| now.saturating_duration_since(sent));
        update.gap = std::mem::take(&mut state.gap);
        if update.kind == UpdateKind::Progress {
            update.regressed = update.progress < state.highest;
            state.highest = state.highest.max(update.progress);
        } else if let Some(newest) = state.inbox.newest() {
            // Its figures are those of the last update of kind progress, handed from status to status.
            (update.progress, update.total) = (newest.progress, newest.total);
        }
        let regressed = update.regressed;
        let mut crowded = false;
        let asking = state.asking > 0;
        let tally = state.tally.as_mut();
        let news = tally.is_some_and(|tally| tally.update(&update, now, asking));
        for subscriber in &mut state.subscribers {
            subscriber.mailbox.push(update.clone());
            crowded |= subscriber.mailbox.is_crowded();
        }
        let put = state.inbox.put(update);
        crowded |= put.crowded;
        let anyone = put.waits || news || !state.subscribers.is_empty();
        let touched = anyone && !std::mem::replace(&mut state.touched, anyone);
        drop(state);
        drop(put.replaced);
        Delivery::Delivered {
            touched,
            regressed,
            crowded,
        }
    }

    /// Ends the call with an outcome; false, and `outcome` dropped, where it is over already.
    ///
    /// Whoever calls this wakes the slot afterwards. What is queued stays and is handed over first.
    pub(crate) fn settle(&self, outcome: Outcome, end: StreamEnd, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.phase.is_over() {
            // Dropped after the guard, since parameters outlive locals: L2 holds.
            return false;
        }
        let before = self.settle_in(&mut state, outcome, end, now);
        drop(state);
        drop(before);
        true
    }

    /// Gives what is to be dropped after the lock.
    pub(super) fn settle_in(
        &self,
        state: &mut State,
        outcome: Outcome,
        end: StreamEnd,
        now: Instant,
    ) -> Option<Outcome> {
        if let Some(tally) = &mut state.tally {
            tally.hear(now);
        }
        state.phase = Phase::Settled;
        // Race: a call that goes on may be settled before it has seen the response that it goes on from.
        state.interim = false;
        let before = state.outcome.replace(outcome);
        state.end = Some(end);
        self.past.store(u64::MAX, Ordering::Release);
        self.settled.store(true, Ordering::Release);
        before
    }

    /// Ends the call from this side: what is queued for it and its callbacks is discarded. Other streams keep what
    /// they hold, then end. `outcome` is for a call that is still awaited.
    ///
    /// The phase it was in, or nothing where it was over already.
    pub(crate) fn kill(&self, end: StreamEnd, outcome: Option<Outcome>) -> Option<Phase> {
        let (phase, removed);
        {
            let mut state = self.state.lock();
            if state.phase.is_over() {
                return None;
            }
            phase = std::mem::replace(&mut state.phase, Phase::Dead);
            self.past.store(u64::MAX, Ordering::Release);
            self.dead.store(true, Ordering::Release);
            state.end = Some(end);
            state.interim = false;
            let before = std::mem::replace(&mut state.outcome, outcome);
            let callbacks = state.take_callbacks();
            removed = (state.inbox.close(), callbacks, before);
        }
        drop(removed);
        self.wake();
        Some(phase)
    }

    /// As `kill`, for a slot that still waits for its call; false where it has one.
    pub(crate) fn kill_waiting(&self, end: StreamEnd) -> bool {
        {
            let mut state = self.state.lock();
            if state.phase != Phase::Free {
                return false;
            }
            state.phase = Phase::Dead;
            state.end = Some(end);
        }
        self.wake();
        true
    }

    /// The call has taken its outcome or is dropped: it needs nothing of the slot any more.
    pub(crate) fn forget_call(&self) {
        let removed;
        {
            let mut state = self.state.lock();
            let callbacks = state.take_callbacks();
            removed = (
                state.inbox.close(),
                state.waker.take(),
                state.outcome.take(),
                callbacks,
            );
        }
        drop(removed);
    }

    /// The call wants no updates for itself any more: those that wait are dropped, others are not kept.
    pub(crate) fn stop_own(&self) {
        let removed = self.state.lock().inbox.close();
        drop(removed);
    }

    /// Wakes the call and the streams that have something to see. Called without any lock.
    pub(crate) fn wake(&self) {
        let mut wakers = Wakers::default();
        self.take_wakers(&mut wakers);
        wakers.wake();
    }

    fn take_wakers(&self, wakers: &mut Wakers) {
        let mut state = self.state.lock();
        state.touched = false;
        let over = state.phase.is_over();
        wakers.extend(state.waker.take());
        for subscriber in &mut state.subscribers {
            if let SubscriberKind::Stream(waker) = &mut subscriber.kind
                && (over || !subscriber.mailbox.is_empty())
            {
                wakers.extend(waker.take());
            }
        }
    }

    /// The next thing for the call, in promise 2's order: updates up to the response, then the response.
    ///
    /// `spare` must be empty. With `merge` set, what waits is first merged into its newest update.
    pub(crate) fn poll_call(
        &self,
        spare: &mut VecDeque<Update>,
        cx: &Context<'_>,
        merge: bool,
    ) -> Next {
        // Cloned before and dropped after the lock (L2).
        let mut waker = Some(cx.waker().clone());
        let next = {
            let mut state = self.state.lock();
            let next = state.next(spare, merge);
            if matches!(next, Next::Nothing { .. }) {
                std::mem::swap(&mut state.waker, &mut waker);
            }
            next
        };
        drop(waker);
        next
    }

    pub(crate) fn is_vacant(&self) -> bool {
        self.state.lock().is_vacant()
    }

    pub(crate) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    pub(crate) fn last(&self) -> Option<Progress> {
        let last = self.state.lock().inbox.newest().cloned();
        last.map(|last| last.of(self.token.clone()))
    }

    /// Whether the call was ended from this side, so that its backlog is void.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Acquire)
    }

    /// Whether the response is there.
    pub(crate) fn is_settled(&self) -> bool {
        self.settled.load(Ordering::Acquire)
    }

    /// Appends what waits in the call's own mailbox to `batch`.
    pub(crate) fn take_rest(&self, batch: &mut VecDeque<Update>) {
        let mut rest = VecDeque::new();
        self.state.lock().inbox.swap(&mut rest, false);
        batch.append(&mut rest);
    }

    /// The outcome of a call that was ended from this side while its handler was at work.
    pub(crate) fn poll_interrupted(&self, cx: &Context<'_>) -> Next {
        let mut waker = Some(cx.waker().clone());
        let next = {
            let mut state = self.state.lock();
            let dead = state.phase == Phase::Dead;
            if let Some(news) = state.take_news() {
                return Next::News(news);
            }
            let interim = state.interim;
            match state.outcome.take_if(|_| dead || interim) {
                Some(outcome) => state.given(outcome),
                None => {
                    std::mem::swap(&mut state.waker, &mut waker);
                    Next::Nothing {
                        grace_until: state.grace_until,
                    }
                }
            }
        };
        drop(waker);
        next
    }
}

impl State {
    pub(super) fn is_vacant(&self) -> bool {
        self.phase == Phase::Free && self.subscribers.is_empty()
    }

    fn take_callbacks(&mut self) -> Vec<Subscriber> {
        let callbacks = self.subscribers.extract_if(.., |s| s.is_callback());
        callbacks.collect()
    }

    /// What an outcome that was taken out is to the call.
    fn given(&mut self, outcome: Outcome) -> Next {
        match (std::mem::take(&mut self.interim), outcome) {
            (true, Ok(response)) => Next::Interim(response),
            (_, outcome) => Next::Settled(outcome),
        }
    }

    pub(super) fn take_news(&mut self) -> Option<Vec<News>> {
        self.tally.as_mut()?.take_news()
    }

    fn next(&mut self, spare: &mut VecDeque<Update>, merge: bool) -> Next {
        if let Some(news) = self.take_news() {
            return Next::News(news);
        }
        if self.inbox.swap(spare, merge) {
            return Next::Batch;
        }
        for subscriber in &mut self.subscribers {
            if let SubscriberKind::Callback(cell) = &subscriber.kind {
                if merge {
                    subscriber.mailbox.merge();
                }
                if let Some(update) = subscriber.mailbox.pop() {
                    return Next::Callback(cell.clone(), update);
                }
            }
        }
        match self.outcome.take() {
            Some(outcome) => self.given(outcome),
            None => Next::Nothing {
                grace_until: self.grace_until,
            },
        }
    }
}
