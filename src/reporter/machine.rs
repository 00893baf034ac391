//! One operation's progress as a state machine: calls go in, and what is to be sent comes out, each at its time.
//!
//! Owns the joining of figures, waiting updates, pace, attempts and life cycle. It must not know tasks, sinks or clocks:
//! time is an argument.

use std::collections::VecDeque;
use std::time::Instant;

use super::config::ReporterConfig;
use super::effort::Effort;
use super::error::ReporterError;
use super::figures::{Change, Figures, share_of};
use super::life_cycle::{Event, Kind, Milestones};
use super::pace::Pace;
use super::sink::SinkError;
use super::telemetry::{Outcome, ReporterCounts};
use super::waiting::{Entry, Waiting};

#[derive(Debug)]
pub(super) struct Machine {
    config: ReporterConfig,
    figures: Figures,
    /// A text that waits for a new value.
    text: Option<String>,
    waiting: Waiting,
    /// What the sink is busy with.
    flight: Option<Entry>,
    /// The value and the total of the update that was queued last.
    queued: Figures,
    /// The largest value that the sink was given.
    given: Option<f64>,
    pace: Pace,
    effort: Effort,
    milestones: Milestones,
    events: VecDeque<Event>,
    end: Option<Outcome>,
    /// The event of the end, told when the last update is through.
    ended: Option<Event>,
    /// Why the update that was tried last is not sent.
    lost: Option<SinkError>,
    counts: ReporterCounts,
    parked: Parked,
}

/// What the driver sleeps on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parked {
    /// It does not: it will ask by itself.
    No,
    Idle,
    /// Until something is due. A call never makes that earlier, but for the one that ends the operation.
    Timed,
}

/// What the driver should do next.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Send(Entry),
    Tell(Event),
    Sleep(Instant),
    Wait,
    Over,
}

/// What became of an attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    Sent { attempts: u32, merged: u64 },
    Again,
    GivenUp { attempts: u32, merged: u64 },
}

/// What a call has led to, for the one who called.
#[derive(Debug, Default)]
pub(super) struct Effect {
    /// Whether the driver has to look.
    pub(super) wake: bool,
    /// What is to be traced.
    pub(super) events: Vec<Event>,
}

impl Machine {
    /// `config` is checked.
    pub(super) fn new(config: ReporterConfig) -> Result<Self, ReporterError> {
        let pace = Pace::new(config.interval()?);
        Ok(Self {
            figures: Figures::default(),
            text: None,
            waiting: Waiting::new(pace.is_each(), config.min_change),
            config,
            flight: None,
            queued: Figures::default(),
            given: None,
            pace,
            effort: Effort::default(),
            milestones: Milestones::default(),
            events: VecDeque::new(),
            end: None,
            ended: None,
            lost: None,
            counts: ReporterCounts::default(),
            parked: Parked::No,
        })
    }

    /// Begins, where it was resumed with the figures of before. A value that the listener has not seen goes out at once.
    pub(super) fn start(&mut self, resumed: Option<Resumed>) -> Effect {
        let kind = Kind::Started {
            resumed: resumed.is_some(),
        };
        if let Some(resumed) = resumed {
            self.figures = resumed.figures;
            self.text = resumed.text;
            self.milestones = resumed.milestones;
            self.given = resumed.given;
            let total = resumed.figures.total();
            self.queued = Figures::of(resumed.given, total.filter(|_| resumed.given.is_some()));
            if resumed.figures.value() > resumed.given {
                self.put();
            }
        }
        let mut effect = Effect::default();
        self.happen(kind, &mut effect);
        effect
    }

    pub(super) fn set(&mut self, value: f64) -> Result<Effect, ReporterError> {
        self.change(|figures| figures.set(value))
    }

    pub(super) fn advance(&mut self, delta: f64) -> Result<Effect, ReporterError> {
        self.change(|figures| figures.advance(delta))
    }

    /// As `set`, but a smaller value is no error: it says nothing new.
    pub(super) fn raise(&mut self, value: f64) -> Result<Effect, ReporterError> {
        self.open()?;
        if self.figures.raise(value) == Change::Risen {
            self.put();
        }
        Ok(self.effect())
    }

    pub(super) fn set_total(&mut self, total: f64) -> Result<Effect, ReporterError> {
        self.open()?;
        let grown = self.figures.set_total(total)? == Change::Risen;
        let joined = grown && self.waiting.set_total(total);
        if joined {
            self.queued = Figures::of(self.queued.value(), Some(total));
        } else if grown && self.config.allow_equal && self.figures.value().is_some() {
            self.put();
        }
        Ok(self.effect())
    }

    pub(super) fn message(&mut self, text: String) -> Result<Effect, ReporterError> {
        self.open()?;
        if let Err(text) = self.waiting.attach(text) {
            self.text = Some(text);
            if self.config.allow_equal && self.figures.value().is_some() {
                self.put();
            }
        }
        Ok(self.effect())
    }

    /// Rises to `value` with a text that goes out in any case: with a value that is a little larger, if need be.
    fn announce(&mut self, value: f64, text: String) -> Result<Effect, ReporterError> {
        self.open()?;
        let risen = self.figures.raise(value) == Change::Risen;
        self.put_text(risen, text);
        Ok(self.effect())
    }

    /// Begins a part of the whole at this fraction of the total. Without a total the values are fractions themselves.
    pub(super) fn enter(&mut self, fraction: f64, name: String) -> Result<Effect, ReporterError> {
        self.open()?;
        if self.figures.total().is_none() {
            if let Some(value) = self.figures.value().filter(|value| *value > 1.0) {
                let reason = format!("there is no total, and the value is at {value} already");
                return Err(ReporterError::BadPhase(reason));
            }
            self.set_total(1.0)?;
        }
        self.announce(self.at(fraction), name)
    }

    /// Rises to this fraction of the total.
    pub(super) fn reach(&mut self, fraction: f64) -> Result<Effect, ReporterError> {
        self.raise(self.at(fraction))
    }

    fn at(&self, fraction: f64) -> f64 {
        share_of(self.figures.total().unwrap_or(1.0), fraction)
    }

    /// Takes `more` beyond what is done for the total, unless there is one.
    pub(super) fn expect(&mut self, more: f64) -> Result<Effect, ReporterError> {
        self.open()?;
        if self.figures.total().is_some() {
            return Ok(Effect::default());
        }
        self.set_total(self.figures.value().unwrap_or(0.0) + more)
    }

    /// Ends the operation: what is held goes out at once, or when its interval ends, and then nothing more.
    pub(super) fn close(
        &mut self,
        outcome: Outcome,
        text: Option<String>,
    ) -> Result<Effect, ReporterError> {
        self.open()?;
        let said = text.clone();
        let text = text.or_else(|| self.text.take());
        let goal = self
            .figures
            .total()
            .filter(|_| outcome == Outcome::Completed);
        let risen = goal.is_some_and(|total| self.figures.raise(total) == Change::Risen);
        match text {
            Some(text) => self.put_text(risen, text),
            None if risen => self.put(),
            None => {}
        }
        // The last update has attempts of its own, and does not wait for another one's pause.
        self.effort.reset();
        let mut effect = self.effect();
        self.end = Some(outcome);
        let event = self.event(Kind::Ended(outcome, said));
        self.ended = Some(event.clone());
        effect.events.push(event);
        effect.wake = true;
        Ok(effect)
    }

    fn open(&self) -> Result<(), ReporterError> {
        match self.end {
            Some(_) => Err(ReporterError::Finished),
            None => Ok(()),
        }
    }

    fn change(
        &mut self,
        change: impl FnOnce(&mut Figures) -> Result<Change, ReporterError>,
    ) -> Result<Effect, ReporterError> {
        self.open()?;
        if change(&mut self.figures)? == Change::Risen || self.config.allow_equal {
            self.put();
        }
        Ok(self.effect())
    }

    /// Queues the figures as they are, with the text that waits.
    fn put(&mut self) {
        let Some(value) = self.figures.value() else {
            return;
        };
        let total = self.figures.total();
        let entry = Entry {
            value,
            total,
            message: self.text.take(),
            base: self.queued.value(),
            new_total: total != self.queued.total(),
            merged: 0,
        };
        self.queued = self.figures;
        self.counts.accepted += 1;
        self.counts.merged += u64::from(self.waiting.put(entry));
    }

    fn put_text(&mut self, risen: bool, text: String) {
        let text = if risen {
            text
        } else {
            // An update that waits can take the text along.
            match self.waiting.attach(text) {
                Ok(()) => return,
                Err(text) => text,
            }
        };
        let equal = self.config.allow_equal && self.figures.value().is_some();
        if risen || equal || self.figures.nudge().is_some() {
            self.text = Some(text);
            self.put();
        }
    }

    fn event(&self, kind: Kind) -> Event {
        Event {
            kind,
            value: self.figures.value(),
            total: self.figures.total(),
        }
    }

    fn happen(&mut self, kind: Kind, effect: &mut Effect) {
        let event = self.event(kind);
        if self.config.life_cycle {
            self.events.push_back(event.clone());
        }
        effect.events.push(event);
        effect.wake |= self.parked != Parked::No;
    }

    /// What the calls so far mean for the driver and for the log.
    fn effect(&mut self) -> Effect {
        let mut effect = Effect::default();
        if let Some(fraction) = self.figures.fraction() {
            for percent in self.milestones.pass(fraction) {
                self.happen(Kind::Milestone(percent), &mut effect);
            }
        }
        effect.wake |= self.parked == Parked::Idle && self.due().is_some();
        effect
    }

    /// When the next update goes out, some time or none for at once; none at all where nothing is to go out.
    fn due(&self) -> Option<Option<Instant>> {
        let front = self.waiting.front()?;
        if self.end.is_none() && !front.is_worth(self.config.min_change) {
            return None;
        }
        let unpaced = self.end.is_some() && !self.config.paced_end;
        let opens_at = self.pace.opens_at().filter(|_| !unpaced);
        Some(opens_at.max(self.effort.again_at()))
    }

    /// What the driver does next. It asks again when that is done, when the time has come, or when it is woken.
    pub(super) fn step(&mut self, now: Instant) -> Step {
        self.parked = Parked::No;
        if self.end.is_none()
            && let Some(event) = self.events.pop_front()
        {
            return Step::Tell(event);
        }
        match self.due() {
            Some(Some(due)) if due > now => {
                self.parked = Parked::Timed;
                Step::Sleep(due)
            }
            Some(_) => self.send(),
            None if self.end.is_some() => self.wind_up(),
            None => {
                self.parked = Parked::Idle;
                Step::Wait
            }
        }
    }

    fn send(&mut self) -> Step {
        let Some(entry) = self.waiting.take() else {
            return Step::Wait;
        };
        self.effort.begin();
        self.counts.retries += u64::from(self.effort.attempts() > 1);
        self.given = Some(entry.value);
        self.flight = Some(entry.clone());
        Step::Send(entry)
    }

    fn wind_up(&mut self) -> Step {
        let ended = |machine: &mut Self| machine.ended.take().filter(|_| machine.config.life_cycle);
        match self.events.pop_front().or_else(|| ended(self)) {
            Some(event) => Step::Tell(event),
            None => Step::Over,
        }
    }

    /// The sink is done with what it was given. `random`, from 0 to 1, is the length of the pause before the next attempt.
    pub(super) fn settle(
        &mut self,
        result: Result<(), SinkError>,
        random: f64,
        now: Instant,
    ) -> Option<Settled> {
        let entry = self.flight.take()?;
        // The end sets the count back while the sink is busy.
        let (attempts, merged) = (self.effort.attempts().max(1), entry.merged);
        let Err(error) = result else {
            self.pace.sent(now);
            self.effort.reset();
            self.lost = None;
            self.counts.emitted += 1;
            return Some(Settled::Sent { attempts, merged });
        };
        let (limit, delay) = (self.config.attempts, &self.config.retry_delay);
        // Race: the end came while the sink was busy. The attempts of the last update are counted from there, so that
        // none were made yet where this one was not it.
        if !error.is_permanent() && self.effort.retry(limit, delay, random, now) {
            self.counts.merged += u64::from(self.waiting.put_back(entry));
            return Some(Settled::Again);
        }
        self.effort.reset();
        self.lost = Some(error);
        self.counts.given_up += 1;
        // A text must not be lost with its value, where another value will come.
        if self.end.is_none() && self.text.is_none() {
            self.text = entry.message;
        }
        Some(Settled::GivenUp { attempts, merged })
    }

    /// How the operation ended, with its counts and, where its last update was given up, why.
    pub(super) fn summary(&self) -> (Outcome, ReporterCounts, Option<SinkError>) {
        let outcome = self.end.unwrap_or(Outcome::Cancelled);
        (outcome, self.counts, self.lost.clone())
    }

    pub(super) const fn counts(&self) -> ReporterCounts {
        self.counts
    }

    pub(super) const fn figures(&self) -> Figures {
        self.figures
    }

    /// What another machine needs to go on from here.
    pub(super) fn freeze(&self) -> Resumed {
        let held = self.waiting.front().and_then(|entry| entry.message.clone());
        Resumed {
            figures: self.figures,
            text: self.text.clone().or(held),
            given: self.given,
            milestones: self.milestones,
        }
    }
}

/// The state that survives a restart.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Resumed {
    pub(super) figures: Figures,
    pub(super) text: Option<String>,
    pub(super) given: Option<f64>,
    pub(super) milestones: Milestones,
}
