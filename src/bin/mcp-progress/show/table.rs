//! Lists as tables.
//!
//! Owns how wide columns are, and what is done where they do not fit. It must not know what is listed.

use comfy_table::{ColumnConstraint, ContentArrangement, Table as Grid, Width};
use console::measure_text_width;

use crate::show::printable;

/// Between two columns.
const GAP: usize = 2;
/// The last column is text; in less than this it is not a column but a nuisance.
const NARROWEST: usize = 24;
/// Before the lines of an item that is not shown in columns.
const INDENT: usize = 2;

/// Rows of cells, the first of which is a name and the last of which is text.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(headings: &[&str]) -> Self {
        let headings = headings.iter().map(|heading| (*heading).to_owned());
        Self {
            rows: vec![headings.collect()],
        }
    }

    /// Adds a row. Each cell becomes one line without control characters.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells
            .into_iter()
            .map(|cell| printable::line(&cell).trim().to_owned());
        self.rows.push(cells.collect());
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// The table as text. In a terminal of some width it is fitted to that: text is wrapped, and where the columns would be
    /// too narrow for it the cells of a row stand one below the other. Without a width each row is one line, whatever
    /// is in it, for programs that read lines.
    pub(crate) fn text(&self, width: Option<usize>) -> String {
        let natural = self.natural();
        let Some(width) = width else {
            return self.rows(&natural);
        };
        match self.fitted(&natural, width) {
            Some(widths) => self.grid(&widths),
            None => self.stacked(width),
        }
    }

    /// How wide each column is where nothing is wrapped.
    fn natural(&self) -> Vec<usize> {
        self.widest(measure_text_width)
    }

    fn widest(&self, measure: impl Fn(&str) -> usize) -> Vec<usize> {
        let mut widths = vec![0; self.rows[0].len()];
        for row in &self.rows {
            for (widest, cell) in widths.iter_mut().zip(row) {
                *widest = measure(cell).max(*widest);
            }
        }
        widths
    }

    /// How wide each column is in `width`; None where that is too little. Names are never cut, nor are words.
    fn fitted(&self, natural: &[usize], width: usize) -> Option<Vec<usize>> {
        let last = natural.len() - 1;
        let room = width.checked_sub(GAP * last)?;
        if natural.iter().sum::<usize>() <= room {
            return Some(natural.to_vec());
        }
        let word = |cell: &str| cell.split(' ').map(measure_text_width).max().unwrap_or(0);
        let words = self.widest(word);
        let mut widths = natural.to_vec();
        for column in 1..last {
            let share = words[column].max(room / natural.len());
            widths[column] = natural[column].min(share);
        }
        let taken: usize = widths[..last].iter().sum();
        let left = room.checked_sub(taken)?;
        widths[last] = natural[last].min(left);
        let enough = natural[last].min(NARROWEST.max(words[last]));
        (widths[last] >= enough).then_some(widths)
    }

    /// A line for each row. By hand, since a grid wraps what is wider than any terminal.
    fn rows(&self, widths: &[usize]) -> String {
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::new();
            for (cell, width) in row.iter().zip(widths) {
                line.push_str(cell);
                let blanks = width + GAP - measure_text_width(cell).min(*width);
                line.extend(std::iter::repeat_n(' ', blanks));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.pop();
        text
    }

    fn grid(&self, widths: &[usize]) -> String {
        let mut grid = bare();
        for row in &self.rows {
            grid.add_row(row);
        }
        let last = widths.len() - 1;
        for (column, width) in grid.column_iter_mut().zip(widths) {
            let gap = if column.index == last { 0 } else { GAP };
            column.set_padding((0, narrow(gap)));
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(narrow(
                width + gap,
            ))));
        }
        grid.trim_fmt()
    }

    fn stacked(&self, width: usize) -> String {
        let mut lines = Vec::new();
        for row in &self.rows[1..] {
            let Some((name, cells)) = row.split_first() else {
                continue;
            };
            // Not broken, whatever the width: a name is there to be copied.
            lines.push(name.clone());
            let cells = cells.iter().filter(|cell| !cell.is_empty());
            lines.extend(cells.map(|cell| wrapped(cell, width, INDENT)));
        }
        lines.join("\n")
    }
}

/// `text`, broken at blanks into lines of at most `width`, each of them behind `indent` blanks.
pub(crate) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut grid = bare();
    grid.add_row([text]);
    if let Some(column) = grid.column_mut(0) {
        column.set_padding((narrow(indent), 0));
        let widest = measure_text_width(text) + indent;
        let width =
            ColumnConstraint::Absolute(Width::Fixed(narrow(widest.min(width.max(indent + 1)))));
        column.set_constraint(width);
    }
    grid.trim_fmt()
}

/// A grid without lines.
fn bare() -> Grid {
    let mut grid = Grid::new();
    grid.load_style(comfy_table::presets::NOTHING);
    grid.set_content_arrangement(ContentArrangement::Disabled);
    grid
}

fn narrow(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use console::measure_text_width;

    use super::{Table, wrapped};

    fn table() -> Table {
        let mut table = Table::new(&["NAME", "ARGUMENTS", "DESCRIPTION"]);
        let mut row = |cells: [&str; 3]| table.row(cells.map(str::to_owned));
        row(["echo", "message=STRING*", "Gives back what it gets"]);
        row([
            "long-running-operation",
            "duration:=NUMBER steps:=NUMBER",
            "Takes its time, and tells how far it is in as many steps as you like",
        ]);
        row(["none", "", "\u{1b}[31mred\u{1b}[0m\nsecond 漢字"]);
        table
    }

    #[test]
    fn without_a_terminal_a_row_is_a_line() {
        let text = table().text(None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(
            lines[0],
            "NAME                    ARGUMENTS                       DESCRIPTION"
        );
        assert_eq!(
            lines[1],
            "echo                    message=STRING*                 Gives back what it gets"
        );
        assert_eq!(
            lines[3],
            "none                                                    red second 漢字"
        );
        assert!(lines[2].ends_with("as you like"), "{text}");
        let mut long = table();
        long.row(["long", "", &"a word ".repeat(20_000)].map(str::to_owned));
        assert_eq!(long.text(None).lines().count(), 5);
    }

    #[test]
    fn a_terminal_is_never_overrun() {
        for width in 20..=140 {
            let text = table().text(Some(width));
            let widest = text.lines().map(measure_text_width).max();
            // No name is cut: the longest has 22 characters.
            assert!(widest <= Some(width.max(22)), "{width}:\n{text}");
            let words = |text: &str| text.split_whitespace().map(str::len).sum::<usize>();
            let headings = if text.starts_with("NAME") {
                words("NAME ARGUMENTS DESCRIPTION")
            } else {
                0
            };
            assert_eq!(
                words(&text) - headings,
                words(&table().text(None)) - words("NAME ARGUMENTS DESCRIPTION"),
                "{width}:\n{text}"
            );
        }
    }

    #[test]
    fn text_is_wrapped_in_its_column() {
        let text = table().text(Some(80));
        let lines: Vec<&str> = text.lines().collect();
        assert!(
            lines[0].starts_with("NAME ") && lines[0].ends_with("DESCRIPTION"),
            "{text}"
        );
        assert_eq!(lines[2].find("duration"), lines[3].find("steps"), "{text}");
    }

    #[test]
    fn what_does_not_fit_is_stacked() {
        let text = table().text(Some(40));
        let expected = "echo\n  message=STRING*\n  Gives back what it gets\nlong-running-operation\n  \
            duration:=NUMBER steps:=NUMBER\n  Takes its time, and tells how far it\n  is in as many steps as you like\nnone\n  \
            red second 漢字";
        assert_eq!(text, expected);
    }

    #[test]
    fn lines_are_broken_at_blanks() {
        assert_eq!(wrapped("one two three", 7, 0), "one two\nthree");
        assert_eq!(wrapped("one two", 80, 2), "  one two");
        assert_eq!(wrapped("abcdefgh", 4, 0), "abcd\nefgh");
    }

    #[test]
    fn nothing_is_nothing() {
        assert!(Table::new(&["NAME"]).is_empty() && !table().is_empty());
    }
}
