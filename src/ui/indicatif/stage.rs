//! Everything that has a line, and the one place where the lines are written.
//!
//! Owns the order: what has ended stands above what is at work, whole lines only, nothing while somebody else has the
//! screen. Updates only change a picture; drawing is throttled, and asked for by the painter. It must not know threads.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use super::entry::{Entry, LOG_EVERY, Share};
use super::line::Layout;
use super::sheet::Sheet;
use super::suspension::Suspension;
use crate::client::clock;
use crate::model::progress::Progress;
use crate::sync::{Arc, AtomicBool, Mutex, Ordering};
use crate::ui::mark::Mark;
use crate::ui::taskbar::Taskbar;

/// Between two drawings of what has changed.
const DRAW_EVERY: Duration = Duration::from_millis(100);
/// Between two drawings because of ends.
const END_EVERY: Duration = Duration::from_millis(25);
/// Between two drawings of what has not: spinners turn, times run.
const TURN_EVERY: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Lines that wait while somebody else has the screen; of more, the oldest go.
const WAITING: usize = 1_000;

/// Where lines go.
pub(super) enum Target {
    Screen { sheet: Sheet, colors: bool },
    Log(Box<dyn Write + Send>),
    Nowhere,
}

/// Lines, and where they go. The lock of `output` is taken before that of `entries`, and that before an entry's own.
pub(super) struct Stage {
    kind: Kind,
    /// The time, where it is not the clock's.
    hand: OnceLock<Mutex<Instant>>,
    /// What is at work.
    entries: Mutex<Vec<Arc<Entry>>>,
    /// Whether something has changed since the last drawing.
    changed: AtomicBool,
    suspension: Suspension,
    output: Mutex<Output>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Screen,
    Log,
    Nowhere,
}

struct Output {
    target: Target,
    taskbar: Option<Taskbar>,
    /// What is still to be left on the screen.
    above: VecDeque<Above>,
    lost: u64,
    /// How many want the screen for themselves.
    holds: usize,
    /// The longest name so far: columns never move back.
    longest: usize,
    drawn: Option<Instant>,
    /// How long the drawing is good for if nothing changes.
    good_for: Duration,
}

enum Above {
    Text(String),
    /// Laid out only when it is written, for the width of then.
    Ended(Arc<Entry>),
}

impl Stage {
    pub(super) fn new(target: Target, taskbar: Option<Taskbar>) -> Self {
        let kind = match target {
            Target::Screen { .. } => Kind::Screen,
            Target::Log(_) => Kind::Log,
            Target::Nowhere => Kind::Nowhere,
        };
        Self {
            kind,
            hand: OnceLock::new(),
            entries: Mutex::default(),
            changed: AtomicBool::new(false),
            suspension: Suspension::default(),
            output: Mutex::new(Output {
                target,
                taskbar,
                above: VecDeque::new(),
                lost: 0,
                holds: 0,
                longest: 0,
                drawn: None,
                good_for: LOOK_EVERY,
            }),
        }
    }

    pub(super) const fn kind(&self) -> Kind {
        self.kind
    }

    /// From now on the time is what [`set_time`](Self::set_time) says.
    pub(super) fn take_hand(&self, now: Instant) {
        let _ = self.hand.set(Mutex::new(now));
    }

    pub(super) fn is_by_hand(&self) -> bool {
        self.hand.get().is_some()
    }

    pub(super) fn set_time(&self, now: Instant) {
        if let Some(hand) = self.hand.get() {
            *hand.lock() = now;
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.hand.get().map_or_else(clock::now, |hand| *hand.lock())
    }

    /// Whether somebody has to come and draw.
    pub(super) fn is_busy(&self) -> bool {
        !self.entries.lock().is_empty()
    }

    /// A new line, below the others; groups stand below calls.
    pub(super) fn add(&self, entry: &Arc<Entry>) {
        let group = entry.is_group();
        let mut entries = self.entries.lock();
        let at = if group {
            entries.len()
        } else {
            entries.iter().take_while(|other| !other.is_group()).count()
        };
        entries.insert(at, entry.clone());
        drop(entries);
        self.changed.store(true, Ordering::Release);
    }

    /// Takes an update in. True where the painter should know of it.
    pub(super) fn update(&self, entry: &Entry, update: &Progress) -> bool {
        let now = self.now();
        entry.update(update, now);
        if self.kind == Kind::Log
            && let Some(line) = entry.log_line(now)
        {
            self.print(line);
        }
        !self.changed.swap(true, Ordering::AcqRel)
    }

    /// Ends a line: with a mark it stays on the screen, above those at work. True where the painter should know of it.
    pub(super) fn settle(&self, entry: &Arc<Entry>, mark: Option<Mark>) -> bool {
        let now = self.now();
        if !entry.settle(mark.unwrap_or(Mark::Cancelled), now) {
            return false;
        }
        let mut output = self.output.lock();
        // Under the lock of the output: of two that end in one moment, the one that finds nothing left draws after the other has
        // put down its end. Else nobody would come for that.
        let mut entries = self.entries.lock();
        entries.retain(|other| !Arc::ptr_eq(other, entry));
        let last = entries.is_empty();
        drop(entries);
        if mark.is_some() {
            output.keep(Above::Ended(entry.clone()));
        }
        let room = output.above.len() < WAITING;
        let fresh = output
            .drawn
            .is_some_and(|drawn| now.saturating_duration_since(drawn) < END_EVERY);
        if fresh && room && !last && !self.is_by_hand() {
            // Many end at once: together they are one drawing. The painter is there as long as one of them is at work.
            return !self.changed.swap(true, Ordering::AcqRel);
        }
        self.draw(&mut output, now);
        false
    }

    /// Writes lines above those at work.
    pub(super) fn print(&self, text: String) {
        let mut output = self.output.lock();
        output.keep(Above::Text(text));
        self.draw(&mut output, self.now());
    }

    /// Takes everything off the screen until [`release`](Self::release).
    pub(super) fn hold(&self) {
        let mut output = self.output.lock();
        if output.holds == 0 {
            output.flush(self.now());
        }
        output.holds += 1;
    }

    pub(super) fn release(&self) {
        let mut output = self.output.lock();
        output.holds = output.holds.saturating_sub(1);
        self.draw(&mut output, self.now());
    }

    /// The `MultiProgress` that the lines stand in, where it is somebody else's.
    pub(super) fn foreign(&self) -> Option<::indicatif::MultiProgress> {
        match &self.output.lock().target {
            Target::Screen { sheet, .. } => sheet.foreign(),
            _ => None,
        }
    }

    pub(super) const fn suspension(&self) -> &Suspension {
        &self.suspension
    }

    /// Draws if it is time to, and says when it will be.
    pub(super) fn turn(&self, now: Instant) -> Instant {
        let mut output = self.output.lock();
        let wait = if self.changed.load(Ordering::Acquire) {
            DRAW_EVERY
        } else {
            output.good_for
        };
        match output.drawn.map(|drawn| drawn + wait) {
            Some(due) if due > now => due,
            _ => {
                self.draw(&mut output, now);
                now + output.good_for.min(LOOK_EVERY)
            }
        }
    }

    /// Draws now.
    pub(super) fn paint(&self, now: Instant) {
        self.draw(&mut self.output.lock(), now);
    }

    fn draw(&self, output: &mut Output, now: Instant) {
        if output.holds > 0 {
            output.drawn = Some(now);
            return;
        }
        // Before the pictures are looked at: what changes from here on is drawn the next time.
        self.changed.store(false, Ordering::Release);
        let entries = self.entries.lock().clone();
        match self.kind {
            Kind::Screen => output.draw(&entries, now),
            Kind::Log => output.log(&entries, now),
            Kind::Nowhere => output.flush(now),
        }
        output.drawn = Some(now);
    }
}

impl Output {
    fn keep(&mut self, line: Above) {
        if self.above.len() >= WAITING {
            self.above.pop_front();
            self.lost += 1;
        }
        self.above.push_back(line);
    }

    /// What is to be left on the screen, as text.
    fn take_above(&mut self, now: Instant, layout: &Layout) -> Vec<String> {
        let lost = std::mem::take(&mut self.lost);
        let note = (lost > 0).then(|| format!("({lost} lines were left out)"));
        let lines = self.above.drain(..).map(|line| match line {
            Above::Text(text) => text,
            Above::Ended(entry) => entry.line(now, layout),
        });
        note.into_iter().chain(lines).collect()
    }

    /// Writes what waits, without looking at what is at work.
    fn flush(&mut self, now: Instant) {
        match self.target {
            Target::Screen { .. } => self.draw(&[], now),
            Target::Log(_) => self.log(&[], now),
            // Not a line of it is lost for want of bars.
            Target::Nowhere => {
                let mut text = String::new();
                for line in self.above.drain(..) {
                    if let Above::Text(line) = line {
                        text += &line;
                        text.push('\n');
                    }
                }
                if !text.is_empty() {
                    let _ = io::stderr().write_all(text.as_bytes());
                }
            }
        }
    }

    fn draw(&mut self, entries: &[Arc<Entry>], now: Instant) {
        let Target::Screen { sheet, colors } = &self.target else {
            return;
        };
        let ((width, height), colors) = (sheet.size(), *colors);
        let ended = self.above.iter().filter_map(|line| match line {
            Above::Ended(entry) => Some(entry),
            Above::Text(_) => None,
        });
        let names = entries.iter().chain(ended).map(|entry| entry.name_width());
        self.longest = names.fold(self.longest, usize::max);
        let layout = Layout::new(width, self.longest, colors);
        let above = self.take_above(now, &layout);
        let lines = lines(entries, now, &layout, height - 1);
        if let Target::Screen { sheet, .. } = &mut self.target {
            sheet.show(&above, &lines);
        }
        let shares: Vec<Share> = entries.iter().map(|entry| entry.share(now)).collect();
        if let Some(taskbar) = &mut self.taskbar {
            tell(taskbar, &shares);
        }
        let turning = |share: &Share| !matches!(share, Share::Call(Some(_), _));
        self.good_for = if shares.iter().any(turning) {
            TURN_EVERY
        } else {
            LOOK_EVERY
        };
    }

    fn log(&mut self, entries: &[Arc<Entry>], now: Instant) {
        let mut lines = self.take_above(now, &Layout::endless());
        lines.extend(entries.iter().filter_map(|entry| entry.log_line(now)));
        self.good_for = LOG_EVERY;
        let Target::Log(writer) = &mut self.target else {
            return;
        };
        if !lines.is_empty() {
            let text = lines.join("\n") + "\n";
            // A log that is gone is no error: there is nobody to tell.
            let _ = writer.write_all(text.as_bytes());
            let _ = writer.flush();
        }
    }
}

/// As many lines as there is room for. Groups are always shown, and the last line but those says how many calls are not.
fn lines(entries: &[Arc<Entry>], now: Instant, layout: &Layout, room: usize) -> Vec<String> {
    let line = |entry: &Arc<Entry>| entry.line(now, layout);
    if entries.len() <= room {
        return entries.iter().map(line).collect();
    }
    let calls = entries.iter().take_while(|entry| !entry.is_group()).count();
    let groups = entries.len() - calls;
    let shown = room.saturating_sub(groups + 1);
    let rest = format!("... and {} more", calls - shown.min(calls));
    let mut lines: Vec<String> = entries.iter().take(shown.min(calls)).map(line).collect();
    lines.push(super::columns::cut(&rest, layout.width));
    lines.extend(entries[calls..].iter().map(line));
    lines.truncate(room.max(1));
    lines
}

/// The whole of it: that of the group if there is one, else the mean.
fn tell<W: Write>(taskbar: &mut Taskbar<W>, shares: &[Share]) {
    let group = shares.iter().find_map(|share| match share {
        Share::Group(fraction) => Some(*fraction),
        Share::Call(..) => None,
    });
    let known: Vec<f64> = shares
        .iter()
        .filter_map(|share| match share {
            Share::Call(fraction, _) => *fraction,
            Share::Group(_) => None,
        })
        .collect();
    let stalled = |share: &Share| matches!(share, Share::Call(_, true));
    let mean = (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64);
    match group.or(mean) {
        _ if shares.is_empty() => taskbar.clear(),
        Some(fraction) if group.is_none() && shares.iter().all(stalled) => taskbar.pause(fraction),
        Some(fraction) => taskbar.set(fraction),
        None => taskbar.indeterminate(),
    }
}

impl std::fmt::Debug for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stage")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Arc, Entry, Share, Stage, Target, tell};
    use crate::progress::combine::sample::{of, start};
    use crate::ui::taskbar::Taskbar;
    use crate::ui::view::CallView;

    fn told(shares: &[Share]) -> String {
        let mut written = Vec::new();
        let mut taskbar = Taskbar::new(&mut written);
        taskbar.set(0.01);
        tell(&mut taskbar, shares);
        drop(taskbar);
        let text = String::from_utf8(written).expect("ASCII");
        text.split("]9;4;")
            .nth(2)
            .expect("a second one")
            .replace("\u{1b}", "")
            .replace('\\', "")
    }

    #[test]
    fn a_taskbar_shows_the_whole() {
        let call = |fraction| Share::Call(fraction, false);
        assert_eq!(told(&[]), "0;0");
        assert_eq!(told(&[call(None), call(None)]), "3;0");
        assert_eq!(
            told(&[call(Some(0.5)), call(None), call(Some(1.0))]),
            "1;75"
        );
        assert_eq!(told(&[call(Some(0.5)), Share::Group(0.2)]), "1;20");
        assert_eq!(
            told(&[Share::Call(Some(0.5), true), call(Some(0.5))]),
            "1;50"
        );
        assert_eq!(told(&[Share::Call(Some(0.5), true)]), "4;50");
    }

    /// The painter sleeps for as long as nothing changes, and is told once of what does.
    #[test]
    fn nothing_new_is_looked_at_seldom() {
        let begin = start();
        let at = |millis| begin + Duration::from_millis(millis);
        let stage = Stage::new(Target::Log(Box::new(std::io::sink())), None);
        stage.take_hand(begin);
        let entry = Arc::new(Entry::call(CallView::new("count", begin)));
        stage.add(&entry);
        assert_eq!(stage.turn(at(0)), at(1_000));
        assert_eq!(stage.turn(at(500)), at(1_000));
        assert!(stage.update(&entry, &of(1.0, 3.0)));
        assert!(!stage.update(&entry, &of(2.0, 3.0)));
        assert_eq!(stage.turn(at(50)), at(100));
        assert_eq!(stage.turn(at(100)), at(1_100));
        assert_eq!(stage.turn(at(600)), at(1_100));
    }
}
