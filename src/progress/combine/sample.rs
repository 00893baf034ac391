//! Updates for the tests of the machines.
//!
//! Owns their making. It must not know any machine.

use std::time::{Duration, Instant};

use crate::model::progress::{Progress, UpdateKind};
use crate::model::status::TaskStatus;
use crate::model::token::ProgressToken;

/// An update without a total.
pub(crate) fn progress(progress: f64) -> Progress {
    Progress {
        kind: UpdateKind::Progress,
        token: ProgressToken::from("sample"),
        progress,
        total: None,
        message: None,
        seq: 0,
        merged: 0,
        elapsed: Duration::ZERO,
        regressed: false,
        retyped: false,
        by_stream: false,
        gap: false,
        leg: 1,
        truncated: false,
        extra: None,
    }
}

/// An update with a total.
pub(crate) fn of(value: f64, total: f64) -> Progress {
    Progress {
        total: Some(total),
        ..progress(value)
    }
}

/// The same update in another leg.
pub(crate) fn in_leg(leg: u32, update: Progress) -> Progress {
    Progress { leg, ..update }
}

/// The status of a task, whose figures repeat those of the update before it.
pub(crate) fn status(status: TaskStatus, figure: f64) -> Progress {
    Progress {
        kind: UpdateKind::Status(status),
        ..progress(figure)
    }
}

/// What `update` says, in short: `3`, `3 of 5 +2` where it stands for two more, `working`.
pub(crate) fn said(update: &Progress) -> String {
    let mut said = update.to_string();
    if update.merged > 0 {
        said += &format!(" +{}", update.merged);
    }
    said
}

/// Some moment from which a test counts; it never looks at the clock again.
#[expect(
    clippy::disallowed_methods,
    reason = "an instant has no other beginning"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}
