//! What the user may press.

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io;
use std::time::Duration;

pub(crate) enum Key {
    Quit,
    Cancel,
    Up,
    Down,
}

/// The next key that means something, if one is waiting; it never blocks, so the calls go on. None where there is no `user`.
pub(crate) fn next(user: bool) -> io::Result<Option<Key>> {
    while user && event::poll(Duration::ZERO)? {
        let Event::Key(key) = event::read()? else {
            continue;
        };
        let interrupts = key.modifiers.contains(KeyModifiers::CONTROL);
        let key = match key.code {
            // Windows tells of the release too.
            _ if key.kind != KeyEventKind::Press => continue,
            // In raw mode Ctrl-C is a key like any other.
            KeyCode::Char('c') if interrupts => Key::Quit,
            KeyCode::Char('q') | KeyCode::Esc => Key::Quit,
            KeyCode::Char('c') => Key::Cancel,
            KeyCode::Up | KeyCode::Char('k') => Key::Up,
            KeyCode::Down | KeyCode::Char('j') => Key::Down,
            _ => continue,
        };
        return Ok(Some(key));
    }
    Ok(None)
}
