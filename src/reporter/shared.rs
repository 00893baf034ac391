//! What the handles of a reporter and its driver share.
//!
//! Owns the lock around the machine, the waking of the driver, and the word that all is done. It must not know sinks.

use std::fmt;
use std::time::Instant;

use tokio::sync::{Notify, watch};

use super::clock;
use super::error::ReporterError;
use super::life_cycle::Event;
use super::machine::{Effect, Machine, Settled, Step};
use super::sink::{ProgressUpdate, SinkError};
use super::snapshot::Snapshot;
use super::telemetry::{Closed, Emission, Outcome, ReporterCounts, ReporterTelemetry};
use super::waiting::Entry;
use crate::model::ProgressToken;
use crate::sync::{Arc, Mutex};

/// How it ended for those who wait for the end.
pub(super) type Ended = Result<ReporterCounts, ReporterError>;

pub(super) struct Shared {
    pub(super) token: ProgressToken,
    machine: Mutex<Machine>,
    woken: Notify,
    done: watch::Sender<Option<Ended>>,
    telemetry: Option<Arc<dyn ReporterTelemetry>>,
    built: Instant,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let figures = self.machine.lock().figures();
        f.debug_struct("Shared")
            .field("token", &self.token)
            .field("progress", &figures.value())
            .field("total", &figures.total())
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(super) fn new(
        token: ProgressToken,
        machine: Machine,
        telemetry: Option<Arc<dyn ReporterTelemetry>>,
    ) -> Self {
        Self {
            token,
            machine: Mutex::new(machine),
            woken: Notify::new(),
            done: watch::Sender::new(None),
            telemetry,
            built: clock::now(),
        }
    }

    /// Runs one call of a user, then wakes and traces what it led to, with no lock held.
    pub(super) fn apply(
        &self,
        call: impl FnOnce(&mut Machine) -> Result<Effect, ReporterError>,
    ) -> Result<(), ReporterError> {
        let effect = call(&mut self.machine.lock())?;
        if effect.wake {
            self.woken.notify_one();
        }
        for event in &effect.events {
            self.trace(event);
        }
        Ok(())
    }

    pub(super) fn close(
        &self,
        outcome: Outcome,
        text: Option<String>,
    ) -> Result<(), ReporterError> {
        self.apply(|machine| machine.close(outcome, text))
    }

    pub(super) fn trace(&self, event: &Event) {
        event.trace(&self.token);
    }

    pub(super) fn counts(&self) -> ReporterCounts {
        self.machine.lock().counts()
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        let frozen = self.machine.lock().freeze();
        Snapshot {
            token: self.token.clone(),
            progress: frozen.figures.value(),
            total: frozen.figures.total(),
            message: frozen.text,
            sent: frozen.given,
            milestones: frozen.milestones.bits(),
        }
    }

    /// Waits until the driver is done, or gone.
    pub(super) async fn ended(&self) -> Ended {
        let mut done = self.done.subscribe();
        match done.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(ended)) => ended.clone(),
            // This holds the sender, so that the channel is open.
            Ok(None) | Err(_) => Err(gone()),
        }
    }
}

/// For the driver.
impl Shared {
    pub(super) fn step(&self, now: Instant) -> Step {
        self.machine.lock().step(now)
    }

    pub(super) async fn woken(&self) {
        self.woken.notified().await;
    }

    pub(super) fn update(&self, entry: Entry) -> ProgressUpdate {
        ProgressUpdate {
            token: self.token.clone(),
            progress: entry.value,
            total: entry.total,
            message: entry.message,
        }
    }

    /// Takes in what became of an attempt, and tells it.
    pub(super) fn settle(
        &self,
        update: &ProgressUpdate,
        result: Result<(), SinkError>,
        now: Instant,
    ) {
        let error = result.as_ref().err().cloned();
        let settled = self.machine.lock().settle(result, fastrand::f64(), now);
        let (attempts, merged) = match settled {
            Some(Settled::Sent { attempts, merged } | Settled::GivenUp { attempts, merged }) => {
                (attempts, merged)
            }
            Some(Settled::Again) | None => {
                tracing::debug!(token = %self.token, error = error.map(tracing::field::display), "an update is tried again");
                return;
            }
        };
        if let Some(error) = &error {
            tracing::warn!(token = %self.token, progress = update.progress, attempts, %error, "an update was given up");
        }
        if let Some(telemetry) = &self.telemetry {
            telemetry.on_emit(&Emission {
                update,
                attempts,
                merged,
                error: error.as_ref(),
            });
        }
    }

    /// The driver has nothing more to do.
    pub(super) fn over(&self, now: Instant) {
        let (outcome, counts, lost) = self.machine.lock().summary();
        if let Some(telemetry) = &self.telemetry {
            telemetry.on_close(&Closed {
                token: self.token.clone(),
                outcome,
                counts,
                elapsed: now.saturating_duration_since(self.built),
            });
        }
        self.tell_done(lost.map_or(Ok(counts), |error| {
            Err(ReporterError::Undelivered(error.to_string()))
        }));
    }

    /// The driver is dropped, with its runtime or by a panic of the sink; nothing happens where it was over before.
    pub(super) fn abandoned(&self) {
        self.tell_done(Err(gone()));
    }

    fn tell_done(&self, ended: Ended) {
        self.done.send_if_modified(|done| {
            let first = done.is_none();
            if first {
                *done = Some(ended);
            }
            first
        });
    }
}

fn gone() -> ReporterError {
    ReporterError::Undelivered("its driver is gone".to_owned())
}
