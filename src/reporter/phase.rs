//! Parts of an operation, each with its own share of the whole.
//!
//! Owns the mapping of a part's own figures into its share. It must not know how they are sent.

use std::fmt;
use std::ops::Range;

use super::amount::Amount;
use super::error::ReporterError;
use super::figures::Figures;
use super::handle::ProgressReporter;
use crate::sync::{Arc, Mutex};

/// A part of an operation that has a share of the whole. Leaving or dropping it takes the operation to the share's end.
///
/// Phases follow one another and may hold phases of their own, whose ranges are fractions of theirs. Of two that are open
/// at once, the one that is further shows. Calls after the operation has ended fail with
/// [`Finished`](ReporterError::Finished).
#[must_use = "a phase that is dropped is over"]
pub struct Phase {
    lane: Lane,
    /// Why it could not begin, or its total not be set; the next call says it.
    refused: Option<ReporterError>,
}

/// Where steps are counted: in the whole operation, or in a part of it.
#[derive(Clone)]
pub(super) struct Lane {
    reporter: ProgressReporter,
    part: Option<Arc<Part>>,
}

struct Part {
    /// Its share of the whole, as fractions.
    begin: f64,
    end: f64,
    own: Mutex<Figures>,
}

impl ProgressReporter {
    /// Begins a part of the operation that takes `share` of the whole, as fractions of the total. Its name goes out as a
    /// message, with the beginning of the share as the value, or a value a little larger where that was there already.
    ///
    /// Where the operation has no total, phases make it 1, so that values are fractions.
    ///
    /// A share that does not lie within 0 to 1, or an operation that has ended, is an error of the next call.
    pub fn phase(&self, name: impl Into<String>, share: Range<f64>) -> Phase {
        Phase::begin(self.clone(), name.into(), &share, (0.0, 1.0))
    }

    pub(super) fn lane(&self) -> Lane {
        Lane {
            reporter: self.clone(),
            part: None,
        }
    }
}

impl Phase {
    fn begin(
        reporter: ProgressReporter,
        name: String,
        share: &Range<f64>,
        (from, to): (f64, f64),
    ) -> Self {
        let valid = reporter.is_noop()
            || (0.0..=1.0).contains(&share.start) && (share.start..=1.0).contains(&share.end);
        let inside = |fraction: f64| from + (to - from) * fraction;
        let entered = if valid {
            reporter.apply(|machine| machine.enter(inside(share.start), name))
        } else {
            let reason = format!("its share {share:?} does not lie within 0 to 1");
            Err(ReporterError::BadPhase(reason))
        };
        // One that could not begin has no share, so that it moves nothing.
        let (begin, end) = if entered.is_ok() {
            (inside(share.start), inside(share.end))
        } else {
            (from, from)
        };
        let own = Mutex::new(Figures::default());
        let part = Some(Arc::new(Part { begin, end, own }));
        Self {
            lane: Lane { reporter, part },
            refused: entered.err(),
        }
    }

    /// Where this part ends, in its own figures. Default 1, so that values are fractions.
    pub fn total(mut self, total: impl Amount) -> Self {
        if let Err(error) = self.set_total(total) {
            self.refused.get_or_insert(error);
        }
        self
    }

    /// Sets a total that was not known before, or has grown. What is done keeps its place, though its share is smaller now.
    ///
    /// # Errors
    ///
    /// As [`ProgressReporter::total`].
    pub fn set_total(&self, total: impl Amount) -> Result<(), ReporterError> {
        self.check()?;
        self.lane.set_total(total.to_number())
    }

    /// This part has come to `value`.
    ///
    /// # Errors
    ///
    /// As [`ProgressReporter::set`], and what was wrong with the phase itself.
    pub fn set(&self, value: impl Amount) -> Result<(), ReporterError> {
        self.check()?;
        let value = value.to_number();
        self.lane.change(|own| own.set(value).map(drop))
    }

    /// This part has come `delta` further.
    ///
    /// # Errors
    ///
    /// As [`set`](Self::set).
    pub fn advance(&self, delta: impl Amount) -> Result<(), ReporterError> {
        self.check()?;
        self.lane.advance(delta.to_number())
    }

    /// As [`ProgressReporter::message`].
    ///
    /// # Errors
    ///
    /// [`Finished`](ReporterError::Finished), and what was wrong with the phase itself.
    pub fn message(&self, text: impl Into<String>) -> Result<(), ReporterError> {
        self.check()?;
        self.lane.reporter.message(text)
    }

    /// Begins a part of this part.
    pub fn phase(&self, name: impl Into<String>, share: Range<f64>) -> Self {
        let share_of = self
            .lane
            .part
            .as_ref()
            .map_or((0.0, 1.0), |part| (part.begin, part.end));
        let mut phase = Self::begin(self.lane.reporter.clone(), name.into(), &share, share_of);
        if let Some(refused) = &self.refused {
            phase.refused.get_or_insert_with(|| refused.clone());
        }
        phase
    }

    /// This part is over: the operation comes to the end of its share. Dropping does the same and says nothing.
    ///
    /// # Errors
    ///
    /// [`Finished`](ReporterError::Finished), and what was wrong with the phase itself.
    pub fn leave(self) -> Result<(), ReporterError> {
        self.check()?;
        self.lane.reach_end()
    }

    pub(super) fn lane(&self) -> Lane {
        self.lane.clone()
    }

    fn check(&self) -> Result<(), ReporterError> {
        self.refused.clone().map_or(Ok(()), Err)
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        // Refused where the operation has ended.
        let _ = self.lane.reach_end();
    }
}

impl Lane {
    pub(super) fn advance(&self, delta: f64) -> Result<(), ReporterError> {
        match &self.part {
            Some(_) => self.change(|own| own.advance(delta).map(drop)),
            None => self.reporter.apply(|machine| machine.advance(delta)),
        }
    }

    /// So much more is to come; nothing happens where the total is known.
    pub(super) fn expect(&self, more: f64) -> Result<(), ReporterError> {
        let Some(part) = &self.part else {
            return self.reporter.apply(|machine| machine.expect(more));
        };
        let own = *part.own.lock();
        match own.total() {
            Some(_) => Ok(()),
            None => self.set_total(own.value().unwrap_or(0.0) + more),
        }
    }

    fn set_total(&self, total: f64) -> Result<(), ReporterError> {
        self.change(|own| own.set_total(total).map(drop))
    }

    /// Changes the part's own figures, and the operation's to match.
    fn change(
        &self,
        change: impl FnOnce(&mut Figures) -> Result<(), ReporterError>,
    ) -> Result<(), ReporterError> {
        let Some(part) = self.part.as_ref().filter(|_| !self.reporter.is_noop()) else {
            return Ok(());
        };
        let own = {
            let mut own = part.own.lock();
            change(&mut own)?;
            *own
        };
        let Some(value) = own.value() else {
            return Ok(());
        };
        let total = own.total().unwrap_or(1.0);
        let done = if total > 0.0 {
            (value / total).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let fraction = part.begin + (part.end - part.begin) * done;
        // Race: two threads may come here in the wrong order. The smaller value then says nothing new.
        self.reporter.apply(|machine| machine.reach(fraction))
    }

    fn reach_end(&self) -> Result<(), ReporterError> {
        let Some(part) = &self.part else {
            return Ok(());
        };
        self.reporter.apply(|machine| machine.reach(part.end))
    }
}

impl fmt::Debug for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = self.lane.part.as_ref();
        f.debug_struct("Phase")
            .field("share", &part.map(|part| part.begin..part.end))
            .field("refused", &self.refused)
            .finish_non_exhaustive()
    }
}
