//! What is done to a stream of updates before a person sees it: thinned out, smoothed, watched, extrapolated.
//!
//! Owns one state machine for each combinator, over updates and a `now` that is passed in. It must not know streams,
//! timers or runtimes: the adapters in `client::combinators` drive the machines.

pub(crate) mod estimate;
pub(crate) mod machine;
pub(crate) mod milestones;
pub(crate) mod min_change;
pub(crate) mod monotonic;
pub(crate) mod owed;
pub(crate) mod pace;
#[cfg(test)]
pub(crate) mod sample;
pub(crate) mod stall;
pub(crate) mod throttle;
