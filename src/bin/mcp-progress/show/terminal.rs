//! The terminal as the bars see it: a little narrower than it is.
//!
//! Owns the one reason for that, and the switch that keeps bars off it while somebody is asked. On Ctrl-C the terminal itself writes `^C` where the cursor stands, which is behind a bar
//! that is filled up to the last column. The two characters would begin a new line, the bar would be looked for one
//! line too low when it is to be taken away, and stay.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use console::Term;
use indicatif::TermLike;

/// Room for `^C` twice.
const MARGIN: u16 = 4;

/// Standard error as a terminal.
#[derive(Debug)]
pub(crate) struct Narrow {
    term: Term,
    /// Whether nothing is to be drawn.
    covered: Arc<AtomicBool>,
}

impl Narrow {
    pub(crate) fn stderr(covered: &Arc<AtomicBool>) -> Self {
        Self {
            term: Term::buffered_stderr(),
            covered: covered.clone(),
        }
    }

    fn draw(&self, drawing: impl FnOnce(&Term) -> io::Result<()>) -> io::Result<()> {
        if self.covered.load(Ordering::Acquire) {
            return Ok(());
        }
        drawing(&self.term)
    }
}

impl TermLike for Narrow {
    fn width(&self) -> u16 {
        TermLike::width(&self.term).saturating_sub(MARGIN).max(1)
    }

    fn height(&self) -> u16 {
        TermLike::height(&self.term)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.draw(|term| term.move_cursor_left(n))
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.draw(|term| term.write_line(s))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.draw(|term| term.write_str(s))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw(|term| term.clear_line())
    }

    fn flush(&self) -> io::Result<()> {
        self.draw(|term| term.flush())
    }
}
