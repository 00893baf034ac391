//! The life-cycle events of one operation: started, 25, 50 and 75 %, and its end.
//!
//! Owns their names, severities and data, and which milestones are passed. It must not know where they go.

use serde_json::{Value, json};

use super::telemetry::Outcome;
use crate::model::{LoggingLevel, ProgressToken};

const MILESTONES: [u8; 3] = [25, 50, 75];

/// Which milestones an operation has passed, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Milestones(u8);

impl Milestones {
    pub(super) const fn of(bits: u8) -> Self {
        Self(bits)
    }

    pub(super) const fn bits(self) -> u8 {
        self.0
    }

    /// Those that `fraction` has newly passed. None is passed twice, also where the total has grown since.
    pub(super) fn pass(&mut self, fraction: f64) -> impl Iterator<Item = u8> + use<> {
        let before = self.0;
        for (bit, percent) in MILESTONES.iter().enumerate() {
            if fraction * 100.0 >= f64::from(*percent) {
                self.0 |= 1 << bit;
            }
        }
        let new = self.0 & !before;
        let passed = MILESTONES.into_iter().enumerate();
        passed.filter_map(move |(bit, percent)| (new & (1 << bit) != 0).then_some(percent))
    }
}

/// One event, with what was known when it happened.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Event {
    pub(super) kind: Kind,
    pub(super) value: Option<f64>,
    pub(super) total: Option<f64>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Started { resumed: bool },
    Milestone(u8),
    Ended(Outcome, Option<String>),
}

impl Event {
    fn name(&self) -> &'static str {
        match &self.kind {
            Kind::Started { resumed: false } => "started",
            Kind::Started { resumed: true } => "resumed",
            Kind::Milestone(_) => "milestone",
            Kind::Ended(outcome, _) => outcome.as_str(),
        }
    }

    pub(super) const fn level(&self) -> LoggingLevel {
        match &self.kind {
            Kind::Ended(Outcome::Failed, _) => LoggingLevel::Error,
            Kind::Ended(Outcome::Cancelled, _) => LoggingLevel::Notice,
            _ => LoggingLevel::Info,
        }
    }

    /// The data of `notifications/message`.
    pub(super) fn data(&self, token: &ProgressToken) -> Value {
        let mut data = json!({"event": self.name(), "progressToken": token});
        let mut set = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                data[name] = value;
            }
        };
        set("progress", self.value.map(Value::from));
        set("total", self.total.map(Value::from));
        match &self.kind {
            Kind::Milestone(percent) => set("percent", Some(json!(percent))),
            Kind::Ended(_, text) => set("message", text.clone().map(Value::from)),
            Kind::Started { .. } => {}
        }
        data
    }

    /// Says it through `tracing`.
    pub(super) fn trace(&self, token: &ProgressToken) {
        let (event, progress, total) = (self.name(), self.value, self.total);
        match &self.kind {
            Kind::Milestone(percent) => {
                tracing::info!(%token, event, percent, progress, total, "progress");
            }
            Kind::Ended(Outcome::Failed, text) => {
                tracing::error!(%token, event, progress, total, message_sent = text, "progress");
            }
            _ => tracing::info!(%token, event, progress, total, "progress"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_milestone_is_passed_once() {
        let mut milestones = Milestones::default();
        let mut pass = |fraction| milestones.pass(fraction).collect::<Vec<_>>();
        assert_eq!(pass(0.24), [0; 0]);
        assert_eq!(pass(0.25), [25]);
        assert_eq!(pass(0.1), [0; 0]);
        assert_eq!(pass(0.3), [0; 0]);
        assert_eq!(pass(0.9), [50, 75]);
        assert_eq!(pass(1.0), [0; 0]);
        assert_eq!(Milestones::of(milestones.bits()).pass(1.0).count(), 0);
    }

    #[test]
    fn data_say_what_is_known() {
        let event = |kind, total| Event {
            kind,
            value: Some(2.5),
            total,
        };
        let token = ProgressToken::from(7);
        assert_eq!(
            event(Kind::Milestone(50), Some(5.0)).data(&token),
            json!({"event": "milestone", "progressToken": 7, "percent": 50, "progress": 2.5, "total": 5.0})
        );
        let failed = event(
            Kind::Ended(Outcome::Failed, Some("no disk".to_owned())),
            None,
        );
        assert_eq!(
            failed.data(&token),
            json!({"event": "failed", "progressToken": 7, "progress": 2.5, "message": "no disk"})
        );
        assert_eq!(failed.level(), LoggingLevel::Error);
    }
}
