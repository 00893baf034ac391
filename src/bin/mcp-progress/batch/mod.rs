//! `run`: many calls from a file, some at once, some after others.
//!
//! Owns the batch from its lines to its results. It must not know how one call is shown elsewhere.

pub(crate) mod attempt;
pub(crate) mod backoff;
pub(crate) mod display;
pub(crate) mod job;
pub(crate) mod line;
pub(crate) mod link;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod report;
pub(crate) mod tally;
