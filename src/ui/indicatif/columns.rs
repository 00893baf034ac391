//! Text measured and cut by the columns that it takes on a terminal.
//!
//! Owns the widths. It must not know what the text says.

use console::measure_text_width;

/// What stands at the end of text that was cut.
const CUT: &str = "..";

/// How many columns `text`, which has no escape codes, takes at most.
///
/// Character by character: what terminals make of joined emoji differs, and one that does not join them must not wrap.
pub(super) fn width(text: &str) -> usize {
    let mut total = 0;
    let mut last = 0;
    for char in text.chars() {
        let columns = match char {
            ' '..='~' => 1,
            // Asks for the emoji form of the character before, which is wide.
            '\u{fe0f}' if last == 1 => 1,
            _ => measure_text_width(char.encode_utf8(&mut [0; 4])),
        };
        total += columns;
        last = columns;
    }
    total
}

/// `text` in at most so many columns; where something had to go, two dots stand for it.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(CUT.len()) else {
        return ".".repeat(columns);
    };
    let mut kept = String::new();
    for char in text.chars() {
        kept.push(char);
        if width(&kept) > room {
            kept.pop();
            break;
        }
        if kept.len() > 4 * room + 64 {
            // Marks without width, piled up: nobody can read them.
            break;
        }
    }
    kept.truncate(kept.trim_end().len());
    kept + CUT
}

/// `text` cut to so many columns, or filled up with spaces.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let mut fitted = cut(text, columns);
    let missing = columns.saturating_sub(width(&fitted));
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}

#[cfg(test)]
mod tests {
    use super::{cut, fit, width};

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(
            (width("abc"), width("漢字"), width("é"), width("🎉")),
            (3, 4, 1, 2)
        );
        assert_eq!((width("e\u{301}"), width("❤\u{fe0f}")), (1, 2));
        // Where the two are not joined.
        assert_eq!(width("👩\u{200d}🔧"), 4);
    }

    #[test]
    fn what_is_cut_says_so_and_never_splits_a_character() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdef", 5), "abc..");
        assert_eq!(cut("漢字漢字", 7), "漢字..");
        assert_eq!(cut("ab  cdef", 6), "ab..");
        assert_eq!(
            (cut("abc", 2), cut("abc", 1), cut("abc", 0)),
            ("..".into(), ".".into(), String::new())
        );
        assert!(cut(&"e\u{301}".repeat(1000), 10).chars().count() < 100);
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("漢字漢", 5), "漢.. ".replace(' ', "") + " ");
        assert_eq!(width(&fit("🎉🎉🎉", 5)), 5);
    }
}
