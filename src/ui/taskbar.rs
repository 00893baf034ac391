//! Progress in the taskbar, or in the tab of a terminal: OSC 9;4.
//!
//! Owns the escape sequence, which terminals know it, and that it is taken back. It must not know what is at work.
//!
//! The sequence is ConEmu's, "ConEmu specific OSC"; Windows Terminal describes it under "Progress bar sequences" too.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, IsTerminal as _, Write};

/// Progress of a whole program, shown by the terminal outside of its text: in the taskbar, the tab, the window's title.
///
/// It writes only when the whole percentage or the kind changes, and takes everything back when it is dropped. A writer that
/// fails is no error: there is nobody to tell.
///
/// ```
/// use mcp_progress::ui::Taskbar;
///
/// let mut written = Vec::new();
/// let mut taskbar = Taskbar::new(&mut written);
/// taskbar.set(0.421);
/// taskbar.set(0.429);
/// drop(taskbar);
/// assert_eq!(written, b"\x1b]9;4;1;42\x1b\\\x1b]9;4;0;0\x1b\\");
/// ```
pub struct Taskbar<W: Write = Box<dyn Write + Send>> {
    writer: W,
    shown: Shown,
}

/// What the terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    Share(u8),
    Failed(u8),
    Moving,
    Paused(u8),
}

impl Taskbar {
    /// On standard error, where that is a terminal that is known to show it: see
    /// [`taskbar_supported`](crate::ui::taskbar_supported).
    #[must_use]
    pub fn detect() -> Option<Self> {
        let shows = supported(io::stderr().is_terminal(), |name| std::env::var_os(name));
        shows.then(|| Self::new(Box::new(io::stderr()) as Box<dyn Write + Send>))
    }
}

impl<W: Write> Taskbar<W> {
    /// On this writer, without asking what stands behind it.
    pub const fn new(writer: W) -> Self {
        Self {
            writer,
            shown: Shown::Nothing,
        }
    }

    /// Shows the done part of the whole, from 0 to 1.
    pub fn set(&mut self, fraction: f64) {
        self.show(Shown::Share(percent(fraction)));
    }

    /// Shows that something goes on, and not how far it is.
    pub fn indeterminate(&mut self) {
        self.show(Shown::Moving);
    }

    /// Shows the done part as that of something that has failed; most terminals do so in red.
    pub fn fail(&mut self, fraction: f64) {
        self.show(Shown::Failed(percent(fraction)));
    }

    /// Shows the done part as that of something that stands still; most terminals do so in yellow.
    pub fn pause(&mut self, fraction: f64) {
        self.show(Shown::Paused(percent(fraction)));
    }

    /// Shows nothing any more.
    pub fn clear(&mut self) {
        self.show(Shown::Nothing);
    }

    fn show(&mut self, new: Shown) {
        if self.shown == new {
            return;
        }
        self.shown = new;
        let (state, percent) = match new {
            Shown::Nothing => (0, 0),
            Shown::Share(percent) => (1, percent),
            Shown::Failed(percent) => (2, percent),
            Shown::Moving => (3, 0),
            Shown::Paused(percent) => (4, percent),
        };
        let sequence = format!("\u{1b}]9;4;{state};{percent}\u{1b}\\");
        let _ = self.writer.write_all(sequence.as_bytes());
        let _ = self.writer.flush();
    }
}

impl<W: Write> Drop for Taskbar<W> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<W: Write> fmt::Debug for Taskbar<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Taskbar")
            .field("shown", &self.shown)
            .finish_non_exhaustive()
    }
}

/// Cut, not rounded: nothing is at 100 before it is done.
fn percent(fraction: f64) -> u8 {
    // Between 0 and 100, or nothing of a number that is none: the cast only cuts the fraction off.
    (crate::ui::figure::percent(fraction.clamp(0.0, 1.0) * 100.0)) as u8
}

/// Whether a stream shows OSC 9;4: whether it is a terminal, and one of those known to do so by what they put into the
/// environment, which `variable` looks up.
///
/// These are ConEmu, Windows Terminal, Ghostty, WezTerm from 2025 on, iTerm2 from 3.6.6 on, Konsole from 25.04 on, and those made with
/// VTE 0.79 or later. Others may show a notification for it instead, so they are not asked; nor is a multiplexer
/// (tmux, screen), which inherits the environment of the terminal around it.
#[must_use]
pub fn supported(terminal: bool, variable: impl Fn(&str) -> Option<OsString>) -> bool {
    let text = |name: &str| {
        let value = variable(name).unwrap_or_default();
        value.to_string_lossy().into_owned()
    };
    let number = |name: &str| text(name).parse::<u64>().unwrap_or_default();
    let term = text("TERM");
    let within = !text("TMUX").is_empty() || !text("STY").is_empty();
    if !terminal
        || within
        || term == "dumb"
        || term.starts_with("tmux")
        || term.starts_with("screen")
    {
        return false;
    }
    let version = version_of(&text("TERM_PROGRAM_VERSION"));
    let program = match text("TERM_PROGRAM").as_str() {
        "ghostty" => true,
        "WezTerm" => version >= [20_250_000, 0, 0],
        "iTerm.app" => version >= [3, 6, 6],
        _ => false,
    };
    program
        || !text("WT_SESSION").is_empty()
        || text("ConEmuANSI") == "ON"
        || number("VTE_VERSION") >= 7_900
        || number("KONSOLE_VERSION") >= 250_400
}

/// The first three numbers of a version.
fn version_of(text: &str) -> [u64; 3] {
    let mut numbers = text
        .split(|char: char| !char.is_ascii_digit())
        .map(|number| number.parse().unwrap_or_default());
    std::array::from_fn(|_| numbers.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{Taskbar, supported};

    fn written(act: impl FnOnce(&mut Taskbar<&mut Vec<u8>>)) -> Vec<String> {
        let mut bytes = Vec::new();
        act(&mut Taskbar::new(&mut bytes));
        let text = String::from_utf8(bytes).expect("ASCII");
        let parts = text.split("\u{1b}]9;4;").skip(1);
        parts
            .map(|part| part.strip_suffix("\u{1b}\\").expect("ended").to_owned())
            .collect()
    }

    #[test]
    fn only_changes_of_whole_percents_are_written() {
        let found = written(|taskbar| {
            for fraction in [0.0, 0.004, 0.29, 0.2999, 0.999_999, 1.0] {
                taskbar.set(fraction);
            }
        });
        assert_eq!(found, ["1;0", "1;29", "1;99", "1;100", "0;0"]);
    }

    #[test]
    fn each_state_has_its_number() {
        let found = written(|taskbar| {
            taskbar.indeterminate();
            taskbar.indeterminate();
            taskbar.set(0.5);
            taskbar.pause(0.5);
            taskbar.fail(0.5);
            taskbar.clear();
            taskbar.clear();
        });
        assert_eq!(found, ["3;0", "1;50", "4;50", "2;50", "0;0"]);
    }

    #[test]
    fn what_showed_nothing_takes_nothing_back() {
        assert!(written(|_| ()).is_empty());
        let absurd = written(|taskbar| {
            for fraction in [-1.0, f64::NAN, 7.0, f64::INFINITY] {
                taskbar.set(fraction);
            }
        });
        assert_eq!(absurd, ["1;0", "1;100", "0;0"]);
    }

    fn shows(set: &[(&str, &str)]) -> bool {
        supported(true, |name| {
            let found = set.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).into())
        })
    }

    #[test]
    fn terminals_that_are_known_to_show_it() {
        let known: [&[(&str, &str)]; 7] = [
            &[("WT_SESSION", "a-b-c")],
            &[("ConEmuANSI", "ON")],
            &[
                ("TERM_PROGRAM", "ghostty"),
                ("TERM_PROGRAM_VERSION", "1.2.0"),
            ],
            &[
                ("TERM_PROGRAM", "WezTerm"),
                ("TERM_PROGRAM_VERSION", "20250209-182623-44866cc1"),
            ],
            &[
                ("TERM_PROGRAM", "iTerm.app"),
                ("TERM_PROGRAM_VERSION", "3.6.6"),
            ],
            &[("TERM", "xterm-256color"), ("VTE_VERSION", "8000")],
            &[("KONSOLE_VERSION", "250401")],
        ];
        for environment in known {
            assert!(shows(environment), "{environment:?}");
            let in_tmux = [environment, &[("TMUX", "/tmp/x,1,0")]].concat();
            assert!(!shows(&in_tmux), "{in_tmux:?}");
        }
    }

    #[test]
    fn others_are_left_alone() {
        let others: [&[(&str, &str)]; 8] = [
            &[],
            &[("TERM", "xterm-256color")],
            &[("ConEmuANSI", "OFF")],
            &[
                ("TERM_PROGRAM", "iTerm.app"),
                ("TERM_PROGRAM_VERSION", "3.5.11"),
            ],
            &[
                ("TERM_PROGRAM", "WezTerm"),
                ("TERM_PROGRAM_VERSION", "20240203-110809-5046fc22"),
            ],
            &[("TERM_PROGRAM", "Apple_Terminal")],
            &[("VTE_VERSION", "7603")],
            &[("TERM", "dumb"), ("WT_SESSION", "x")],
        ];
        for environment in others {
            assert!(!shows(environment), "{environment:?}");
        }
        assert!(!supported(false, |name| (name == "WT_SESSION").then(|| "x".into())));
    }
}
