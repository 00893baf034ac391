//! One line for one call, or for a group.
//!
//! Owns what stands where, and what gives way first where the terminal is narrow: rate and rest, then the message, then the
//! bar; name and percentage stay. It must not know terminals.

use std::time::{Duration, Instant};

use super::columns::{cut, fit, width};
use super::words;
use crate::model::status::TaskStatus;
use crate::progress::group::GroupProgress;
use crate::ui::mark::Mark;
use crate::ui::view::CallView;

/// ASCII only: a bar is no reason to need a font.
const TURNS: [char; 4] = ['|', '/', '-', '\\'];

/// The longest of the words of [`Mark`] but one, so that the columns behind them line up.
const MARKS: usize = 10;

/// Less than this of a message says nothing.
const STUMP: usize = 6;

/// How lines are laid out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Columns that a line may take.
    pub(super) width: usize,
    /// Columns of the names.
    pub(super) names: usize,
    pub(super) colors: bool,
}

impl Layout {
    /// For a page of this width, on which the longest name takes `longest` columns.
    pub(super) fn new(width: usize, longest: usize, colors: bool) -> Self {
        let names = longest.min((width * 3 / 10).max(8)).min(width);
        Self {
            width,
            names,
            colors,
        }
    }

    /// For a log: nothing is cut but what is absurd, and names do not line up.
    pub(super) fn endless() -> Self {
        Self {
            width: 500,
            names: 0,
            colors: false,
        }
    }

    fn name(&self, name: &str) -> String {
        if self.names == 0 {
            cut(name, 80)
        } else {
            fit(name, self.names)
        }
    }

    const fn bar(&self) -> usize {
        match self.width {
            70.. => 24,
            50.. => 16,
            30.. => 8,
            _ => 0,
        }
    }

    const fn is_narrow(&self) -> bool {
        self.width < 60
    }

    fn painted(&self, text: String, color: Color) -> String {
        if self.colors && !text.is_empty() {
            format!("\u{1b}[{}m{text}\u{1b}[0m", color as u8)
        } else {
            text
        }
    }
}

/// The codes of the terminal's own colours, which fit its background.
#[derive(Clone, Copy, Debug)]
enum Color {
    Red = 31,
    Green = 32,
    Yellow = 33,
}

const fn color(mark: Mark) -> Color {
    match mark {
        Mark::Done => Color::Green,
        Mark::Cancelled | Mark::TimedOut => Color::Yellow,
        _ => Color::Red,
    }
}

/// A call at work: `count  [=====>     ]  40%  2/5  step 2     1.0/s  3s left`.
pub(super) fn live(view: &CallView, now: Instant, layout: &Layout) -> String {
    let name = layout.name(view.name());
    let elapsed = view.elapsed(now);
    let stalled = view.is_stalled(now);
    let head = match (view.fraction(), view.percentage()) {
        // There is no room for both, and this is what matters now.
        (Some(_), Some(percentage)) if stalled && layout.is_narrow() => {
            format!("{name} {percentage:>4}")
        }
        (Some(fraction), Some(percentage)) => measured(&name, fraction, &percentage, layout),
        _ => format!("{name} {} {:>5}", turn(elapsed), words::time(elapsed)),
    };
    let tail = match stalled {
        true => stall(view.silence(now), layout),
        false if layout.is_narrow() => String::new(),
        false => pace(view.rate(), view.remaining(now)),
    };
    let middle = [standing(view), message(view, layout)];
    let color = stalled.then_some(Color::Yellow);
    // The percentage says what the figures say; what a task does is not said twice.
    let spare = view.fraction().is_some() && view.status().is_none();
    joined(&head, &middle, tail, color, layout, spare)
}

/// A group at work: `total  [=====>     ]  40%  4/10 done       12s left`.
pub(super) fn group(name: &str, group: &GroupProgress, layout: &Layout) -> String {
    let name = layout.name(name);
    // Cut, not rounded: nothing is at 100 % before it is done.
    let percentage = format!(
        "{:.0}%",
        crate::ui::figure::percent(group.percent()).floor()
    );
    let head = measured(&name, group.fraction, &percentage, layout);
    let tail = if layout.is_narrow() {
        String::new()
    } else {
        pace(None, group.remaining)
    };
    joined(&head, &[shares(group)], tail, None, layout, false)
}

/// A call that is over: `count  done        1.2s  100%  5/5  step 5`.
pub(super) fn ended(view: &CallView, mark: Mark, now: Instant, layout: &Layout) -> String {
    let percentage = view.percentage().unwrap_or_default();
    let rest = [figures(view), message(view, layout)];
    over(
        view.name(),
        mark,
        view.elapsed(now),
        &percentage,
        &rest,
        layout,
    )
}

/// A group that is over.
pub(super) fn group_ended(
    name: &str,
    mark: Mark,
    group: &GroupProgress,
    layout: &Layout,
) -> String {
    let percentage = format!(
        "{:.0}%",
        crate::ui::figure::percent(group.percent()).floor()
    );
    over(
        name,
        mark,
        group.elapsed,
        &percentage,
        &[shares(group)],
        layout,
    )
}

/// A call at work, in a log: `count    1.2s   40%  2/5  step 2`.
pub(super) fn logged(view: &CallView, now: Instant) -> String {
    let layout = Layout::endless();
    let percentage = view.percentage().unwrap_or_else(|| "-".to_owned());
    let stall = view
        .is_stalled(now)
        .then(|| stall(view.silence(now), &layout));
    let parts = [
        standing(view),
        stall.unwrap_or_default(),
        message(view, &layout),
    ];
    let head = format!(
        "{}  {:>6}  {percentage:>4}",
        layout.name(view.name()),
        words::exact_time(view.elapsed(now)),
    );
    joined(&head, &parts, String::new(), None, &layout, false)
}

/// A group at work, in a log.
pub(super) fn group_logged(name: &str, group: &GroupProgress) -> String {
    let layout = Layout::endless();
    let head = format!(
        "{}  {:>6}  {:>3.0}%",
        layout.name(name),
        words::exact_time(group.elapsed),
        crate::ui::figure::percent(group.percent()).floor(),
    );
    joined(
        &head,
        &[shares(group), pace(None, group.remaining)],
        String::new(),
        None,
        &layout,
        false,
    )
}

fn over(
    name: &str,
    mark: Mark,
    elapsed: Duration,
    percentage: &str,
    rest: &[String],
    layout: &Layout,
) -> String {
    let name = layout.name(name);
    let word = mark.as_str();
    let time = words::exact_time(elapsed);
    let spare = !percentage.is_empty();
    let mut line = if layout.is_narrow() {
        let head = format!("{name} {word} {percentage}");
        let figures = rest.first().filter(|_| !spare || rest.len() == 1);
        let message = rest.get(1);
        let parts = [Some(&time), figures, message].map(|part| part.cloned().unwrap_or_default());
        joined(head.trim_end(), &parts, String::new(), None, layout, false)
    } else {
        let head = format!("{name} {word:<MARKS$} {time:>6} {percentage:>5}");
        joined(head.trim_end(), rest, String::new(), None, layout, spare)
    };
    if layout.colors && line.starts_with(&format!("{name} {word}")) {
        let at = name.len() + 1;
        line.replace_range(
            at..at + word.len(),
            &layout.painted(word.to_owned(), color(mark)),
        );
    }
    line
}

fn measured(name: &str, fraction: f64, percentage: &str, layout: &Layout) -> String {
    let columns = layout.bar();
    if columns == 0 {
        return format!("{name} {percentage:>4}");
    }
    // Between 0 and the number of columns, so the cast only cuts the fraction off.
    let filled = (fraction.clamp(0.0, 1.0) * columns as f64) as usize;
    let tip = if filled < columns { ">" } else { "" };
    let bar = format!("{}{tip}", "=".repeat(filled));
    format!("{name} [{bar:<columns$}] {percentage:>4}")
}

fn turn(elapsed: Duration) -> char {
    let turns = elapsed.as_millis() / 200 % TURNS.len() as u128;
    TURNS[usize::try_from(turns).unwrap_or_default()]
}

fn stall(silence: Duration, layout: &Layout) -> String {
    let silence = words::time(silence);
    if layout.is_narrow() {
        format!("stalled {silence}")
    } else {
        format!("no update for {silence}")
    }
}

fn pace(rate: Option<f64>, remaining: Option<Duration>) -> String {
    let rate = rate.and_then(words::rate);
    let rest = remaining.map(|rest| format!("{} left", words::rest(rest)));
    [rate, rest]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ")
}

/// How far a call is: what its task does, or the figures.
fn standing(view: &CallView) -> String {
    match view.status() {
        Some(TaskStatus::InputRequired) => "waits for an answer".to_owned(),
        Some(status) => status.as_str().to_owned(),
        None => figures(view),
    }
}

/// No more of it than a line has room for, since it may be megabytes, and a line is made several times in a second.
fn message(view: &CallView, layout: &Layout) -> String {
    cut(view.message().unwrap_or_default(), layout.width)
}

fn figures(view: &CallView) -> String {
    view.figures().unwrap_or_default()
}

fn shares(group: &GroupProgress) -> String {
    let GroupProgress {
        members,
        finished,
        left,
        ..
    } = group;
    if *members == 0 && *left == 0 {
        return String::new();
    }
    let mut shares = format!("{finished}/{} done", members + left);
    if *left > 0 {
        shares += &format!(", {left} unfinished");
    }
    shares
}

/// The head, as much of the middle as there is room for, and the tail at the right edge.
fn joined(
    head: &str,
    middle: &[String],
    tail: String,
    tail_color: Option<Color>,
    layout: &Layout,
    spare: bool,
) -> String {
    let head = cut(head, layout.width);
    let free = layout.width - width(&head);
    let needed = if tail.is_empty() { 0 } else { width(&tail) + 4 };
    if needed > free {
        return cut(&format!("{head}  {tail}"), layout.width);
    }
    let room = if tail.is_empty() {
        free.saturating_sub(2)
    } else {
        free - needed
    };
    let middle = within(middle, room, spare);
    if tail.is_empty() {
        return if middle.is_empty() {
            head
        } else {
            format!("{head}  {middle}")
        };
    }
    let tail = match tail_color {
        Some(color) => layout.painted(tail, color),
        None => tail,
    };
    // The tail stands at the edge, so that it does not dance with the message.
    format!("{head}  {}  {tail}", fit(&middle, room))
}

/// As many parts as there is room for. Only the last may be cut, and not to a stump. Where not all of them fit, the first goes
/// if the rest says more.
fn within(parts: &[String], room: usize, spare: bool) -> String {
    let filled = parts.iter().filter(|part| !part.is_empty());
    let whole: usize = filled.map(|part| width(part) + 2).sum();
    if let ([_, rest @ ..], true) = (parts, spare && whole > room + 2)
        && rest.iter().any(|part| !part.is_empty())
    {
        return within(rest, room, false);
    }
    let mut line = String::new();
    let last = parts.len().saturating_sub(1);
    for (at, part) in parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
    {
        let gap = if line.is_empty() { "" } else { "  " };
        let left = room.saturating_sub(width(&line) + gap.len());
        if width(part) <= left {
            line = line + gap + part;
        } else if at == last && left >= STUMP {
            line = line + gap + &cut(part, left);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Layout, ended, live};
    use crate::progress::combine::sample::{of, start};
    use crate::ui::mark::Mark;
    use crate::ui::view::CallView;

    #[test]
    fn colours_are_on_what_matters_and_nowhere_else() {
        let now = start();
        let mut view = CallView::new("count", now);
        view.update(&of(2.0, 5.0), now);
        let colored = Layout::new(76, 5, true);
        let plain = Layout::new(76, 5, false);
        assert_eq!(live(&view, now, &colored), live(&view, now, &plain));
        let later = now + Duration::from_secs(12);
        let line = live(&view, later, &colored);
        assert!(
            line.ends_with("\u{1b}[33mno update for 12s\u{1b}[0m"),
            "{line:?}"
        );
        for (mark, code) in [(Mark::Done, 32), (Mark::Failed, 31), (Mark::TimedOut, 33)] {
            let line = ended(&view, mark, later, &colored);
            let word = format!("count \u{1b}[{code}m{mark}\u{1b}[0m ");
            assert!(line.starts_with(&word), "{line:?}");
            // Without them it says the same.
            let bare = line
                .replace(&format!("\u{1b}[{code}m"), "")
                .replace("\u{1b}[0m", "");
            assert_eq!(bare, ended(&view, mark, later, &plain));
        }
    }

    #[test]
    fn no_line_is_wider_than_it_may_be() {
        let now = start();
        let mut view = CallView::new("a tool with a 漢字 name", now);
        for (progress, total) in [(0.0, 1.0), (1e9, 3e9), (7.0, 7.0)] {
            view.update(&of(progress, total), now);
            for width in 0..120 {
                for colors in [false, true] {
                    let layout = Layout::new(width, 23, colors);
                    let later = now + Duration::from_secs(100_000);
                    let lines = [
                        live(&view, now, &layout),
                        live(&view, later, &layout),
                        ended(&view, Mark::Lost, later, &layout),
                    ];
                    for line in lines {
                        assert!(
                            console::measure_text_width(&line) <= width,
                            "{width}: {line:?}"
                        );
                    }
                }
            }
        }
    }
}
