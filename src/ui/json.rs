//! Updates as JSON, for programs and for web pages.
//!
//! Owns the members of an update's object, and their order. It must not know where it is written.

use std::time::Duration;

use serde::Serialize;

use super::figure::{Figure, percent};
use crate::model::progress::{Progress, UpdateKind};
use crate::model::token::ProgressToken;
use crate::progress::combine::estimate::Estimated;

/// An update as one JSON object, with the members that it has something to say in.
///
/// | member | what it holds |
/// |---|---|
/// | `event` | `progress`, or `status` for the status of a task |
/// | `token` | the progress token |
/// | `status` | what the task is doing, in place of the figures |
/// | `progress`, `total`, `message` | as the server sent them |
/// | `percent` | to four decimals, where there is an honest total ([`Progress::percent`]) |
/// | `leg` | from the second request of the call on ([`Progress::leg`]) |
/// | `seq`, `merged` | place of the update, and how many earlier ones it stands for, unless none |
/// | `gap` | `true` where updates before this one may be missing |
/// | `elapsed_ms` | milliseconds from the writing of the request to its arrival |
/// | `rate`, `remaining_ms` | per second, and in milliseconds, where they are known ([`of_estimate`](Self::of_estimate)) |
///
/// ```
/// # fn example(update: &mcp_progress::Progress) -> serde_json::Result<String> {
/// use mcp_progress::ui::json::ProgressEvent;
///
/// serde_json::to_string(&ProgressEvent::of(update))
/// # }
/// ```
#[derive(Clone, Debug, Serialize)]
pub struct ProgressEvent<'a> {
    event: &'static str,
    token: &'a ProgressToken,
    /// What the task is doing that the call has become: in place of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    percent: Option<Figure>,
    /// Which request of the call it belongs to, from the second on.
    #[serde(skip_serializing_if = "is_first")]
    leg: u32,
    seq: u64,
    #[serde(skip_serializing_if = "is_zero")]
    merged: u64,
    /// Whether updates before this one may be missing.
    #[serde(skip_serializing_if = "is_off")]
    gap: bool,
    elapsed_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Figure>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remaining_ms: Option<u64>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_off(flag: &bool) -> bool {
    !*flag
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference"
)]
fn is_first(leg: &u32) -> bool {
    *leg <= 1
}

impl<'a> ProgressEvent<'a> {
    /// `progress` or `status`: the member `event`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.event
    }

    /// The event of this update, without an estimate.
    #[must_use]
    pub fn of(update: &'a Progress) -> Self {
        let status = match update.kind {
            UpdateKind::Status(status) => Some(status.as_str()),
            _ => None,
        };
        let figures = status.is_none().then_some(update);
        Self {
            event: if status.is_some() {
                "status"
            } else {
                "progress"
            },
            token: &update.token,
            status,
            progress: figures.map(|update| Figure::new(update.progress)),
            total: figures.and_then(|update| update.total).map(Figure::new),
            message: update.message.as_deref(),
            percent: figures
                .and_then(Progress::percent)
                .map(percent)
                .map(Figure::new),
            leg: update.leg,
            seq: update.seq,
            merged: update.merged,
            gap: update.gap,
            elapsed_ms: milliseconds(update.elapsed),
            rate: None,
            remaining_ms: None,
        }
    }

    /// The event of an update with its estimate: see [`with_estimate`](crate::UpdatesExt::with_estimate).
    #[must_use]
    pub fn of_estimate(estimated: &'a Estimated) -> Self {
        Self {
            rate: estimated.rate.map(Figure::new),
            remaining_ms: estimated.remaining.map(milliseconds),
            ..Self::of(&estimated.update)
        }
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The update as one line of JSON, without its end: [`ProgressEvent`].
#[must_use]
pub fn line(update: &Progress) -> String {
    // The members are strings, numbers and flags, none of which can fail.
    serde_json::to_string(&ProgressEvent::of(update)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::{Estimated, ProgressEvent, line};
    use crate::model::status::TaskStatus;
    use crate::progress::combine::sample::{in_leg, of, progress, status};

    fn object(text: &str) -> Value {
        serde_json::from_str(text).expect("written by serde")
    }

    #[test]
    fn an_update_has_the_members_that_say_something() {
        let bare = object(&line(&progress(3.0)));
        let members: Vec<_> = bare.as_object().unwrap().keys().cloned().collect();
        assert_eq!(members, ["elapsed_ms", "event", "progress", "seq", "token"]);
        let full = object(&line(&in_leg(2, of(29.0, 100.0))));
        assert_eq!(
            (
                &full["progress"],
                &full["total"],
                &full["percent"],
                &full["leg"]
            ),
            (&json!(29), &json!(100), &json!(29), &json!(2))
        );
    }

    #[test]
    fn a_status_stands_in_place_of_the_figures() {
        let event = object(&line(&status(TaskStatus::Working, 2.0)));
        assert_eq!(
            (&event["event"], &event["status"]),
            (&json!("status"), &json!("working"))
        );
        assert!(event.get("progress").is_none());
    }

    #[test]
    fn an_estimate_adds_rate_and_rest() {
        let estimated = Estimated {
            update: of(1.0, 4.0),
            rate: Some(0.5),
            remaining: Some(Duration::from_secs(6)),
        };
        let event = serde_json::to_value(ProgressEvent::of_estimate(&estimated)).unwrap();
        assert_eq!(
            (&event["rate"], &event["remaining_ms"]),
            (&json!(0.5), &json!(6000))
        );
    }
}
