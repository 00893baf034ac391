//! The one place where the reporter reads the clock.
//!
//! Owns the runtime's time, so that a paused clock rules here too. It must not know what the time is for.

use std::time::Instant;

#[expect(
    clippy::disallowed_methods,
    reason = "the driver's one reading of the clock; the state machines take it as an argument"
)]
pub(super) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
