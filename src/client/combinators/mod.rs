//! What can be done to a stream of updates before a person sees it: the types behind [`UpdatesExt`](crate::UpdatesExt).
//!
//! Owns the streams and their timers. It must not know when which update goes on: that is `progress::combine`.

mod adapter;
mod estimate;
mod extension;
mod milestones;
mod min_change;
mod monotone;
mod stall;
mod throttle;

pub use crate::progress::combine::estimate::Estimated;
pub use crate::progress::combine::milestones::MilestoneEvent;
pub use crate::progress::combine::monotonic::Monotonic;
pub use crate::progress::combine::stall::StallEvent;
pub use estimate::WithEstimate;
pub use extension::UpdatesExt;
pub use milestones::Milestones;
pub use min_change::MinChange;
pub use monotone::Monotone;
pub use stall::Stalled;
pub use throttle::Throttle;
