//! Signs of life of a call, and its grace after a cancel.
//!
//! Owns what the clocks of a call look at. It must not know the clocks.

use std::time::Instant;

use super::phase::Phase;
use super::slot::Slot;

impl Slot {
    /// Bytes came on a stream that is the call's own, whatever they say.
    #[cfg_attr(
        not(feature = "http"),
        allow(dead_code, reason = "only HTTP has streams of their own")
    )]
    pub(crate) fn stamp(&self, now: Instant) {
        let mut state = self.state.lock();
        // Race: the stream that brought the task may bring more when the call waits for it already.
        state.byte_at = state.byte_at.max(Some(now));
    }

    /// Something was heard of the task that the call has become, and until then its server wants to be left alone, so
    /// that silence means nothing.
    pub(crate) fn keep_quiet(&self, until: Instant) {
        self.state.lock().byte_at = Some(until);
    }

    /// Updates may be missing from here on; the next one says so.
    pub(crate) fn mark_gap(&self) {
        self.state.lock().gap = true;
    }

    /// The call was cancelled but may receive updates until `until`: the phase that it is in, or nothing where it is neither on
    /// the wire nor between two requests.
    pub(crate) fn begin_grace(&self, until: Instant) -> Option<Phase> {
        let phase;
        {
            let mut state = self.state.lock();
            if !matches!(state.phase, Phase::Sent | Phase::Between) {
                return None;
            }
            phase = state.phase;
            state.grace_until.get_or_insert(until);
        }
        self.wake();
        Some(phase)
    }

    /// When the grace of a cancelled call is over; nothing where it was not cancelled.
    pub(crate) fn grace_until(&self) -> Option<Instant> {
        self.state.lock().grace_until
    }

    /// The last update, or else the writing of the request; with `bytes`, also any byte on the call's own stream.
    ///
    /// Nothing before the request is written, and while somebody is asked on behalf of the call.
    pub(crate) fn last_sign(&self, bytes: bool) -> Option<Instant> {
        let state = self.state.lock();
        if state.asking > 0 {
            return None;
        }
        let byte_at = state.byte_at.filter(|_| bytes && state.sign_at.is_some());
        state.sign_at.max(byte_at)
    }

    /// Somebody is asked on behalf of the call: until that is over, silence is nobody's fault.
    pub(crate) fn begin_asking(&self, now: Instant) {
        let mut state = self.state.lock();
        state.asking += 1;
        if let Some(tally) = &mut state.tally {
            tally.hear(now);
        }
    }

    /// The answer is there: the idle clock starts anew.
    pub(crate) fn end_asking(&self, now: Instant) {
        let mut state = self.state.lock();
        state.asking = state.asking.saturating_sub(1);
        if state.sign_at.is_some() {
            state.sign_at = Some(now);
        }
        let asking = state.asking > 0;
        if let Some(tally) = state.tally.as_mut().filter(|_| !asking) {
            tally.listen(now);
        }
    }
}
