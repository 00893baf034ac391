//! What has a line: a call, or a group.
//!
//! Owns its picture behind a short lock, and when a log is told of it. It must not know who draws.

use std::time::{Duration, Instant};

use super::line::{self, Layout};
use crate::model::progress::Progress;
use crate::model::status::TaskStatus;
use crate::progress::group::GroupProgress;
use crate::sync::Mutex;
use crate::ui::group::handle::ProgressGroup;
use crate::ui::mark::Mark;
use crate::ui::view::CallView;

/// A log is told of what is at work at most once in this time.
pub(super) const LOG_EVERY: Duration = Duration::from_secs(1);

/// But at once of what a server says in other words than before, so often beyond that: each of its messages is shown as long as
/// they are no flood.
const MESSAGES: f64 = 20.0;

/// A line of its own.
#[derive(Debug)]
pub(super) struct Entry(Mutex<State>);

#[derive(Debug)]
struct State {
    subject: Subject,
    told: Told,
}

#[derive(Debug)]
enum Subject {
    Call(Box<CallView>),
    Group {
        name: String,
        group: ProgressGroup,
        ended: Option<(Mark, GroupProgress)>,
    },
}

/// What a log knows of it.
#[derive(Debug, Default)]
struct Told {
    at: Option<Instant>,
    /// Whether there is something that it does not know.
    news: bool,
    stall: bool,
    /// The last one, also where updates came after it.
    status: Option<TaskStatus>,
    message: Option<String>,
    group: Option<GroupProgress>,
    /// How many lines there have been lately: one less with each time in which one is due.
    lines: f64,
}

impl Told {
    /// How many lines there have been lately, at `now`.
    fn lately(&self, now: Instant) -> f64 {
        let since = self.at.map(|at| now.saturating_duration_since(at));
        let faded = since.unwrap_or_default().as_secs_f64() / LOG_EVERY.as_secs_f64();
        (self.lines - faded).max(0.0)
    }
}

/// What a taskbar wants to know.
#[derive(Clone, Copy, Debug)]
pub(super) enum Share {
    /// Of a call: its fraction, if it has one, and whether it has stalled.
    Call(Option<f64>, bool),
    Group(f64),
}

impl Entry {
    pub(super) fn call(view: CallView) -> Self {
        Self::new(Subject::Call(Box::new(view)))
    }

    pub(super) fn group(name: String, group: ProgressGroup) -> Self {
        Self::new(Subject::Group {
            name,
            group,
            ended: None,
        })
    }

    fn new(subject: Subject) -> Self {
        Self(Mutex::new(State {
            subject,
            told: Told::default(),
        }))
    }

    /// Takes an update of the call in.
    pub(super) fn update(&self, update: &Progress, now: Instant) {
        let mut state = self.0.lock();
        if let Subject::Call(view) = &mut state.subject {
            view.update(update, now);
            state.told.news = true;
        }
    }

    /// Ends it; false where it had ended before.
    pub(super) fn settle(&self, mark: Mark, now: Instant) -> bool {
        match &mut self.0.lock().subject {
            Subject::Call(view) => {
                let first = view.mark().is_none();
                view.settle(mark, now);
                first
            }
            Subject::Group { group, ended, .. } => {
                let first = ended.is_none();
                ended.get_or_insert_with(|| (mark, group.snapshot()));
                first
            }
        }
    }

    pub(super) fn is_group(&self) -> bool {
        matches!(self.0.lock().subject, Subject::Group { .. })
    }

    /// How many columns its name takes.
    pub(super) fn name_width(&self) -> usize {
        super::columns::width(match &self.0.lock().subject {
            Subject::Call(view) => view.name(),
            Subject::Group { name, .. } => name,
        })
    }

    pub(super) fn share(&self, now: Instant) -> Share {
        match &self.0.lock().subject {
            Subject::Call(view) => Share::Call(view.fraction(), view.is_stalled(now)),
            Subject::Group { group, .. } => Share::Group(group.snapshot().fraction),
        }
    }

    /// Its line on a screen.
    pub(super) fn line(&self, now: Instant, layout: &Layout) -> String {
        match &self.0.lock().subject {
            Subject::Call(view) => match view.mark() {
                Some(mark) => line::ended(view, mark, now, layout),
                None => line::live(view, now, layout),
            },
            Subject::Group { name, group, ended } => match ended {
                Some((mark, last)) => line::group_ended(name, *mark, last, layout),
                None => line::group(name, &group.snapshot(), layout),
            },
        }
    }

    /// Its line in a log, where it is time for one: at first, when its status or its message changes, when it stalls, and otherwise
    /// once in a while if there is something new.
    pub(super) fn log_line(&self, now: Instant) -> Option<String> {
        let State { subject, told } = &mut *self.0.lock();
        let due = told
            .at
            .is_none_or(|at| now.saturating_duration_since(at) >= LOG_EVERY);
        let line = match subject {
            Subject::Call(view) => {
                let stall = view.is_stalled(now);
                let stalls = stall && !told.stall;
                let status = view.status().or(told.status);
                let stands = status == told.status && view.message() == told.message.as_deref();
                if view.mark().is_some()
                    || !(stalls || told.news && (due || !stands && told.lately(now) < MESSAGES))
                {
                    return None;
                }
                told.stall = stall;
                told.status = status;
                told.message = view.message().map(str::to_owned);
                line::logged(view, now)
            }
            Subject::Group { name, group, ended } => {
                if !due || ended.is_some() {
                    return None;
                }
                let snapshot = group.snapshot();
                let known = told.group.as_ref();
                let shares = |group: &GroupProgress| (group.members, group.finished, group.left);
                // Each step of each member would be a line; a member's end is worth one.
                if known.map_or(snapshot.members == 0, |known| {
                    shares(known) == shares(&snapshot)
                }) {
                    return None;
                }
                let line = line::group_logged(name, &snapshot);
                told.group = Some(snapshot);
                line
            }
        };
        told.lines = told.lately(now) + 1.0;
        told.at = Some(now);
        told.news = false;
        Some(line)
    }
}
