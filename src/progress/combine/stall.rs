//! Silence as an event.
//!
//! Owns when a stream has stalled and when that is over. It must not know why it is silent, nor timers.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::machine::Machine;
use crate::model::progress::Progress;

/// What [`stalled`](crate::UpdatesExt::stalled) yields.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum StallEvent {
    /// An update, as it came.
    Update(Progress),
    /// Nothing has come for too long. Once for each silence.
    #[non_exhaustive]
    Stalled {
        /// How long nothing has come so far.
        silence: Duration,
    },
    /// The silence that was told of is over. Once for each [`Stalled`](Self::Stalled).
    #[non_exhaustive]
    Resumed {
        /// How long it was.
        silence: Duration,
        /// Whether it is over because the stream has ended, without another update. Otherwise the update follows.
        ended: bool,
    },
}

/// Tells of silences.
#[derive(Debug)]
pub(crate) struct Listening {
    /// Zero where silence is no event.
    after: Duration,
    /// When something was last heard, at first when listening began.
    heard: Instant,
    stalled: bool,
    out: VecDeque<StallEvent>,
}

impl Listening {
    pub(crate) const fn new(after: Duration, now: Instant) -> Self {
        Self {
            after,
            heard: now,
            stalled: false,
            out: VecDeque::new(),
        }
    }

    fn resume(&mut self, now: Instant, ended: bool) {
        if std::mem::take(&mut self.stalled) {
            let silence = now.saturating_duration_since(self.heard);
            self.out.push_back(StallEvent::Resumed { silence, ended });
        }
    }
}

impl Machine for Listening {
    type Item = StallEvent;

    fn push(&mut self, update: Progress, now: Instant) {
        self.resume(now, false);
        self.heard = now;
        self.out.push_back(StallEvent::Update(update));
    }

    fn tick(&mut self, now: Instant) {
        if self.deadline().is_some_and(|deadline| now >= deadline) {
            self.stalled = true;
            let silence = now.saturating_duration_since(self.heard);
            self.out.push_back(StallEvent::Stalled { silence });
        }
    }

    fn finish(&mut self, now: Instant) {
        self.resume(now, true);
    }

    fn deadline(&self) -> Option<Instant> {
        if self.stalled || self.after.is_zero() {
            return None;
        }
        self.heard.checked_add(self.after)
    }

    fn pop(&mut self) -> Option<StallEvent> {
        self.out.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Listening, StallEvent};
    use crate::model::status::TaskStatus;
    use crate::progress::combine::machine::Machine;
    use crate::progress::combine::sample::{progress, said, start, status};

    enum Event {
        Update(f64),
        Status,
        Tick,
        End,
    }
    use Event::{End, Status, Tick, Update};

    fn told(event: &StallEvent) -> String {
        match event {
            StallEvent::Update(update) => said(update),
            StallEvent::Stalled { silence } => format!("stalled {}", silence.as_secs()),
            StallEvent::Resumed { silence, ended } => {
                let how = if *ended { "ended" } else { "resumed" };
                format!("{how} {}", silence.as_secs())
            }
        }
    }

    #[track_caller]
    fn play(after: Duration, events: &[(u64, Event, &[&str])]) {
        let begin = start();
        let mut machine = Listening::new(after, begin);
        for (row, (at, event, expected)) in events.iter().enumerate() {
            let now = begin + Duration::from_secs(*at);
            match event {
                Update(value) => machine.push(progress(*value), now),
                Status => machine.push(status(TaskStatus::Working, 0.0), now),
                Tick => machine.tick(now),
                End => machine.finish(now),
            }
            let went_on: Vec<_> = std::iter::from_fn(|| machine.pop())
                .map(|event| told(&event))
                .collect();
            assert_eq!(went_on, *expected, "row {row}, at {at} s");
        }
    }

    const TEN: Duration = Duration::from_secs(10);

    #[test]
    fn a_silence_is_told_once_and_so_is_its_end() {
        play(
            TEN,
            &[
                (9, Tick, &[]),
                // Also before the first update.
                (10, Tick, &["stalled 10"]),
                (11, Tick, &[]),
                (90, Tick, &[]),
                (95, Update(1.0), &["resumed 95", "1"]),
                (104, Tick, &[]),
                // It is there before the silence was noticed.
                (106, Update(2.0), &["2"]),
                (116, Tick, &["stalled 10"]),
                // A status is a sign of life.
                (120, Status, &["resumed 14", "working"]),
                (131, Tick, &["stalled 11"]),
                (140, End, &["ended 20"]),
            ],
        );
    }

    #[test]
    fn the_end_alone_is_no_event() {
        play(TEN, &[(1, Update(1.0), &["1"]), (50, End, &[])]);
    }

    #[test]
    fn no_time_and_all_time_are_never_too_long() {
        for after in [Duration::ZERO, Duration::MAX] {
            let mut machine = Listening::new(after, start());
            assert_eq!(machine.deadline(), None);
            machine.push(progress(1.0), start());
            assert_eq!(machine.deadline(), None);
            play(after, &[(1_000_000, Tick, &[]), (1_000_001, End, &[])]);
        }
    }

    #[test]
    fn the_deadline_moves_with_each_update_and_rests_in_a_silence() {
        let begin = start();
        let mut machine = Listening::new(TEN, begin);
        assert_eq!(machine.deadline(), Some(begin + TEN));
        machine.push(progress(1.0), begin + TEN / 2);
        assert_eq!(machine.deadline(), Some(begin + TEN / 2 + TEN));
        machine.tick(begin + 2 * TEN);
        assert_eq!(machine.deadline(), None);
        machine.push(progress(2.0), begin + 3 * TEN);
        assert_eq!(machine.deadline(), Some(begin + 4 * TEN));
    }
}
