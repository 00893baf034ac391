//! What is counted of a call that somebody watches, and what there is to tell of it.
//!
//! Owns the arrival stamps: the first update, the longest silence, the milestones. All of it is plain data that the slot
//! keeps under its lock, and only where somebody watches. It must not know who watches, nor locks.

use std::time::{Duration, Instant};

use crate::model::progress::{Update, UpdateKind};
use crate::model::status::TaskStatus;
use crate::sync::Arc;

/// Something that is told once, in the order in which it came about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum News {
    FirstUpdate {
        after: Duration,
    },
    Milestone {
        fraction: f64,
        after: Duration,
    },
    /// The call goes on as its next request.
    Leg(u32),
    Status(TaskStatus),
}

/// The numbers of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Numbers {
    pub(crate) received: u64,
    pub(crate) regressed: u64,
    pub(crate) rejected: u64,
    pub(crate) first_update: Option<Duration>,
    pub(crate) longest_silence: Duration,
    /// The highest milestone that was reached.
    pub(crate) milestone: Option<f64>,
    pub(crate) legs: u32,
}

#[derive(Debug)]
pub(crate) struct Tally {
    /// In rising order, each once.
    milestones: Arc<[f64]>,
    /// How many of them were reached.
    reached: usize,
    received: u64,
    regressed: u64,
    first_update: Option<Duration>,
    longest_silence: Duration,
    /// Since when there was nothing to hear, while the server is to be heard.
    quiet_since: Option<Instant>,
    /// What is still to be told; none where only the numbers are wanted.
    news: Option<Vec<News>>,
}

impl Tally {
    /// With `tells`, what happens is kept to be told; else only counted.
    pub(crate) const fn new(milestones: Arc<[f64]>, tells: bool) -> Self {
        Self {
            milestones,
            reached: 0,
            received: 0,
            regressed: 0,
            first_update: None,
            longest_silence: Duration::ZERO,
            quiet_since: None,
            news: if tells { Some(Vec::new()) } else { None },
        }
    }

    /// A request was written: from here on the server is to be heard.
    pub(super) const fn listen(&mut self, now: Instant) {
        self.quiet_since = Some(now);
    }

    /// Something of the server came, or the silence is nobody's fault from here on; `listen` goes on.
    pub(super) fn hear(&mut self, now: Instant) {
        self.longest_silence = self.longest_silence_at(now);
        self.quiet_since = None;
    }

    /// An update came; true where there is something new to tell.
    pub(super) fn update(&mut self, update: &Update, now: Instant, asking: bool) -> bool {
        let before = self.untold();
        self.received += 1;
        self.regressed += u64::from(update.regressed);
        self.hear(now);
        if !asking {
            self.listen(now);
        }
        if self.first_update.is_none() {
            let after = update.elapsed;
            self.first_update = Some(after);
            self.tell(News::FirstUpdate { after });
        }
        match update.kind {
            UpdateKind::Progress => self.pass_milestones(update),
            UpdateKind::Status(status) => self.tell(News::Status(status)),
        }
        self.untold() > before
    }

    /// Every milestone that lies between the last one and this update, once.
    fn pass_milestones(&mut self, update: &Update) {
        while let Some(fraction) = self.milestones.get(self.reached).copied()
            && update.fraction().is_some_and(|done| done >= fraction)
        {
            self.reached += 1;
            let after = update.elapsed;
            self.tell(News::Milestone { fraction, after });
        }
    }

    pub(super) fn tell(&mut self, news: News) {
        if let Some(untold) = &mut self.news {
            untold.push(news);
        }
    }

    fn untold(&self) -> usize {
        self.news.as_ref().map_or(0, Vec::len)
    }

    /// What is to be told, if there is anything.
    pub(super) fn take_news(&mut self) -> Option<Vec<News>> {
        let news = self.news.as_mut().filter(|news| !news.is_empty())?;
        Some(std::mem::take(news))
    }

    fn longest_silence_at(&self, now: Instant) -> Duration {
        let silence = self
            .quiet_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since));
        self.longest_silence.max(silence)
    }

    pub(super) fn numbers(&self, now: Instant) -> Numbers {
        Numbers {
            received: self.received,
            regressed: self.regressed,
            first_update: self.first_update,
            longest_silence: self.longest_silence_at(now),
            milestone: self
                .reached
                .checked_sub(1)
                .and_then(|last| self.milestones.get(last).copied()),
            ..Numbers::default()
        }
    }
}
