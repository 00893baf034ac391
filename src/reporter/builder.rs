//! Making a reporter: its options, and what it goes on from.
//!
//! Owns the choice between a reporter, one that does nothing, and an error. It must not know what is reported.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use tokio::runtime::Handle;

use super::config::{ReporterConfig, default_config};
use super::driver::ReporterDriver;
use super::error::ReporterError;
use super::figures::Figures;
use super::handle::ProgressReporter;
use super::life_cycle::Milestones;
use super::machine::{Machine, Resumed};
use super::shared::Shared;
use super::sink::ProgressSink;
use super::snapshot::Snapshot;
use super::telemetry::{ReporterTelemetry, Started, default_telemetry};
use crate::model::ProgressToken;
use crate::sync::Arc;

/// A reporter to be built. Begins with the process-wide defaults for options and telemetry.
#[must_use = "nothing is reported until this is built"]
pub struct ReporterBuilder {
    sink: Arc<dyn ProgressSink>,
    token: Option<ProgressToken>,
    noop: bool,
    config: ReporterConfig,
    telemetry: Option<Arc<dyn ReporterTelemetry>>,
    runtime: Option<Handle>,
    resumed: Option<Snapshot>,
}

impl ProgressReporter {
    /// A reporter with the process-wide defaults that sends to `sink` under the token that the request brought.
    ///
    /// # Errors
    ///
    /// [`MissingToken`](ReporterError::MissingToken) where it brought none, and
    /// [`NoRuntime`](ReporterError::NoRuntime) outside a tokio runtime.
    pub fn new(
        sink: impl ProgressSink,
        token: Option<ProgressToken>,
    ) -> Result<Self, ReporterError> {
        Self::builder(sink).token(token).build()
    }

    /// A reporter with options of its own.
    pub fn builder(sink: impl ProgressSink) -> ReporterBuilder {
        ReporterBuilder {
            sink: Arc::new(sink),
            token: None,
            noop: false,
            config: default_config(),
            telemetry: default_telemetry(),
            runtime: None,
            resumed: None,
        }
    }
}

impl ReporterBuilder {
    /// The token that the request brought, if it did.
    pub fn token(mut self, token: impl Into<Option<ProgressToken>>) -> Self {
        self.token = token.into();
        self
    }

    /// Without a token, builds a reporter that does nothing. Default: an error.
    pub const fn or_noop(mut self) -> Self {
        self.noop = true;
        self
    }

    /// All options at once.
    pub fn config(mut self, config: ReporterConfig) -> Self {
        self.config = config;
        self
    }

    /// See [`ReporterConfig::emit_hz`].
    pub fn emit_hz(mut self, hz: f64) -> Self {
        self.config = self.config.emit_hz(hz);
        self
    }

    /// See [`ReporterConfig::min_change`].
    pub fn min_change(mut self, fraction: f64) -> Self {
        self.config = self.config.min_change(fraction);
        self
    }

    /// See [`ReporterConfig::allow_equal`].
    pub fn allow_equal(mut self, allow: bool) -> Self {
        self.config = self.config.allow_equal(allow);
        self
    }

    /// See [`ReporterConfig::retry_delay`].
    pub fn retry_delay(mut self, range: RangeInclusive<Duration>) -> Self {
        self.config = self.config.retry_delay(range);
        self
    }

    /// See [`ReporterConfig::attempts`].
    pub fn attempts(mut self, attempts: u32) -> Self {
        self.config = self.config.attempts(attempts);
        self
    }

    /// See [`ReporterConfig::paced_end`].
    pub fn paced_end(mut self, paced: bool) -> Self {
        self.config = self.config.paced_end(paced);
        self
    }

    /// See [`ReporterConfig::life_cycle`].
    pub fn life_cycle(mut self, offer: bool) -> Self {
        self.config = self.config.life_cycle(offer);
        self
    }

    /// Whom to tell of this reporter, instead of the process-wide one.
    pub fn telemetry(mut self, telemetry: Arc<dyn ReporterTelemetry>) -> Self {
        self.telemetry = Some(telemetry);
        self
    }

    /// The runtime to send on. Default the one that this is built in.
    pub fn runtime(mut self, runtime: Handle) -> Self {
        self.runtime = Some(runtime);
        self
    }

    /// Goes on from a snapshot: value, total, and a text that was not sent yet.
    ///
    /// Without [`token`](Self::token) under the token of the snapshot. Under the same token only what is larger than all
    /// that was sent before goes out; somebody who asks anew, under another one, gets the value at once.
    pub fn resume(mut self, snapshot: Snapshot) -> Self {
        self.resumed = Some(snapshot);
        self
    }

    /// Builds it, with a task of its own on the runtime.
    ///
    /// # Errors
    ///
    /// [`MissingToken`](ReporterError::MissingToken), [`BadConfig`](ReporterError::BadConfig),
    /// [`NotANumber`](ReporterError::NotANumber) for a snapshot with such figures, and
    /// [`NoRuntime`](ReporterError::NoRuntime).
    pub fn build(mut self) -> Result<ProgressReporter, ReporterError> {
        let runtime = self.runtime.take().map_or_else(Handle::try_current, Ok);
        let Some((reporter, driver)) = self.assemble(|| {
            runtime
                .as_ref()
                .map(drop)
                .map_err(|_| ReporterError::NoRuntime)
        })?
        else {
            return Ok(ProgressReporter::noop());
        };
        if let Ok(runtime) = runtime {
            drop(runtime.spawn(driver));
        }
        Ok(reporter)
    }

    /// Builds it without a task: nothing is sent unless the driver is polled.
    ///
    /// # Errors
    ///
    /// As [`build`](Self::build), but for the runtime.
    pub fn build_with_driver(self) -> Result<(ProgressReporter, ReporterDriver), ReporterError> {
        let built = self.assemble(|| Ok(()))?;
        Ok(built.unwrap_or_else(|| (ProgressReporter::noop(), ReporterDriver::idle())))
    }

    /// None where it is to do nothing. `ready` has the last word before anything is told.
    fn assemble(
        self,
        ready: impl FnOnce() -> Result<(), ReporterError>,
    ) -> Result<Option<(ProgressReporter, ReporterDriver)>, ReporterError> {
        let known = self.resumed.as_ref().map(|snapshot| &snapshot.token);
        let Some(token) = self.token.as_ref().or(known).cloned() else {
            return if self.noop {
                Ok(None)
            } else {
                Err(ReporterError::MissingToken)
            };
        };
        let mut machine = Machine::new(self.config.checked()?)?;
        let resumed = self.resumed.map(|snapshot| thaw(snapshot, &token));
        let resumed = resumed.transpose()?;
        ready()?;
        if let Some(telemetry) = &self.telemetry {
            telemetry.on_start(&Started {
                token: token.clone(),
                resumed: resumed.is_some(),
            });
        }
        let effect = machine.start(resumed);
        let shared = Arc::new(Shared::new(token, machine, self.telemetry));
        for event in &effect.events {
            shared.trace(event);
        }
        let driver = ReporterDriver::new(shared.clone(), self.sink);
        Ok(Some((ProgressReporter::of(shared), driver)))
    }
}

/// What a snapshot holds may have been through other hands.
fn thaw(snapshot: Snapshot, token: &ProgressToken) -> Result<Resumed, ReporterError> {
    let mut figures = Figures::default();
    if let Some(value) = snapshot.progress {
        figures.set(value)?;
    }
    if let Some(total) = snapshot.total {
        figures.set_total(total)?;
    }
    let given = snapshot.sent.filter(|_| snapshot.token == *token);
    Ok(Resumed {
        figures,
        text: snapshot.message,
        given,
        milestones: Milestones::of(snapshot.milestones),
    })
}

impl fmt::Debug for ReporterBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReporterBuilder")
            .field("token", &self.token)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
