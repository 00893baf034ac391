//! The terminal that bars are drawn on.
//!
//! Owns how lines end there. `indicatif` fills each line up to the last column and lets the terminal wrap it, so that all
//! bars are one paragraph: a terminal that is made wider or narrower flows it anew, and then the bars are looked for where they are not,
//! and what stands above them is wiped away. Here each line ends with a line break instead, and the last one with nothing,
//! so that the cursor stands behind it with some room to the edge: on Ctrl-C the terminal itself writes `^C` there, which would begin
//! a new line at the edge, and the bars would be looked for one line too low.
//!
//! A terminal that is gone is no error: there is nobody to tell.

use std::io;
use std::sync::Arc;

use ::indicatif::TermLike;

use crate::sync::{AtomicU64, Mutex, Ordering};

/// Columns at the right that stay free: `^C` twice.
const MARGIN: u16 = 4;

/// A terminal whose lines end with line breaks.
#[derive(Debug)]
pub(super) struct Terminal {
    inner: Box<dyn TermLike>,
    /// How many lines of the drawing will be drawn over by the next one.
    rows: AtomicU64,
    at: Mutex<Place>,
}

/// Where a drawing is. For each line `indicatif` writes the text, then what fills it up.
#[derive(Debug, Default)]
struct Place {
    /// Whether what comes next fills up a line.
    filling: bool,
    /// Whether the cursor stands behind a line whose break is still owed.
    owed: bool,
}

impl Terminal {
    pub(super) fn new(inner: Box<dyn TermLike>) -> Self {
        Self {
            inner,
            rows: AtomicU64::new(0),
            at: Mutex::default(),
        }
    }

    /// How many columns a line may take, and how many lines there are.
    pub(super) fn size(&self) -> (usize, usize) {
        let columns = self.inner.width().saturating_sub(MARGIN).max(1);
        (columns.into(), self.inner.height().max(2).into())
    }

    /// Says how many lines the next drawing ends with that will be drawn over.
    pub(super) fn expect(&self, rows: usize) {
        self.rows.store(rows as u64, Ordering::Release);
    }
}

/// The terminal as `indicatif` sees it.
#[derive(Clone, Debug)]
pub(super) struct Shared(pub(super) Arc<Terminal>);

impl Shared {
    fn inner(&self) -> &dyn TermLike {
        &*self.0.inner
    }
}

/// What a terminal answers is not looked at: see above.
fn forget(_: io::Result<()>) -> io::Result<()> {
    Ok(())
}

impl TermLike for Shared {
    fn width(&self) -> u16 {
        self.inner().width().max(1)
    }

    fn height(&self) -> u16 {
        self.inner().height().max(2)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        forget(self.inner().move_cursor_up(n))
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        forget(self.inner().move_cursor_down(n))
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        forget(self.inner().move_cursor_right(n))
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        forget(self.inner().move_cursor_left(n))
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        forget(self.inner().write_line(s))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        let mut at = self.0.at.lock();
        if at.filling {
            *at = Place {
                filling: false,
                owed: true,
            };
            return Ok(());
        }
        if at.owed {
            let _ = self.inner().write_str("\r\n");
        }
        *at = Place {
            filling: true,
            owed: false,
        };
        forget(self.inner().write_str(s))
    }

    fn clear_line(&self) -> io::Result<()> {
        // The line is drawn over, so it gets no break.
        *self.0.at.lock() = Place::default();
        forget(self.inner().clear_line())
    }

    fn flush(&self) -> io::Result<()> {
        let mut at = self.0.at.lock();
        at.filling = false;
        if at.owed && self.0.rows.load(Ordering::Acquire) == 0 {
            // Nothing of it will be drawn over: what comes next, from whomever, begins a new line.
            at.owed = false;
            let _ = self.inner().write_str("\r\n");
        }
        forget(self.inner().flush())
    }
}
