//! Drawing: a line for each call, and the words of the selected one.

use crate::app::App;
use mcp_progress::ui::CallView;
use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Stylize as _};
use ratatui::text::Line;
use ratatui::widgets::{Gauge, Paragraph};
use std::time::Instant;

pub(crate) fn draw(frame: &mut Frame<'_>, app: &App, now: Instant) {
    let rows = Constraint::Length(app.rows.len() as u16);
    let heights = [Constraint::Length(1), rows, Constraint::Min(0)];
    let [head, table, words] = Layout::vertical(heights).areas(frame.area());
    let done = app
        .rows
        .iter()
        .filter(|row| row.view.borrow().mark().is_some());
    let title = format!("{} of {} calls over", done.count(), app.rows.len());
    frame.render_widget(Line::from(title).bold(), head);
    let selected = app.selected.get();
    for (index, (row, area)) in app.rows.iter().zip(table.rows()).enumerate() {
        row_of(frame, &row.view.borrow(), area, index == selected, now);
    }
    let view = app.rows[selected].view.borrow();
    let message = view.message().unwrap_or("no words yet");
    let lines = vec![
        Line::from(format!("{}: {message}", view.name())),
        Line::from("up/down select  c cancel  q quit").dim(),
    ];
    frame.render_widget(Paragraph::new(lines), words);
}

fn row_of(frame: &mut Frame<'_>, view: &CallView, area: Rect, selected: bool, now: Instant) {
    let widths = [
        Constraint::Length(10),
        Constraint::Min(8),
        Constraint::Length(17),
    ];
    let [name, gauge, state] = Layout::horizontal(widths).spacing(1).areas(area);
    let mark = if selected { '>' } else { ' ' };
    frame.render_widget(Line::from(format!("{mark} {}", view.name())), name);
    // Without an honest total there is no share to draw, only the figure or the state of a task.
    let task = view.status().map(|status| status.to_string());
    let label = view.percentage().or_else(|| view.figures()).or(task);
    let full = Gauge::default()
        .ratio(view.fraction().unwrap_or(0.0))
        .label(label.unwrap_or_default());
    frame.render_widget(full.gauge_style((colour(view), Color::DarkGray)), gauge);
    frame.render_widget(Line::from(words(view, now)), state);
}

/// What there is to say of a call in a few words: how it ended, that it is silent, or how long it still takes.
fn words(view: &CallView, now: Instant) -> String {
    match (view.mark(), view.remaining(now)) {
        (Some(mark), _) => mark.to_string(),
        _ if view.is_stalled(now) => format!("silent for {} s", view.silence(now).as_secs()),
        (None, Some(rest)) => format!("{} s left", rest.as_secs_f64().ceil()),
        (None, None) => format!("{} s", view.elapsed(now).as_secs()),
    }
}

fn colour(view: &CallView) -> Color {
    match view.mark() {
        None => Color::Blue,
        Some(mark) if mark.is_success() => Color::Green,
        Some(_) => Color::Red,
    }
}

/// The lines of a frame, without their colours.
pub(crate) fn text(buffer: &Buffer) -> Vec<String> {
    let cells = buffer.content().chunks(usize::from(buffer.area.width));
    let lines = cells.map(|line| line.iter().map(|cell| cell.symbol()).collect::<String>());
    lines.map(|line| line.trim_end().to_owned()).collect()
}
