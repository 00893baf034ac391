//! Text measured and cut by the columns that it takes on a terminal.
//!
//! Owns the widths. It must not know what the text says.

use console::measure_text_width;

/// What stands at the end of text that was cut.
const CUT: &str = "..";

/// Bytes of a text for each of its columns, and so many more: what is beyond are marks without width, piled up, and nobody
/// can read them.
const BYTES: (usize, usize) = (4, 64);

/// How many columns `text`, which has no escape codes, takes at most.
///
/// Character by character: what terminals make of joined emoji differs, and one that does not join them must not wrap.
pub(super) fn width(text: &str) -> usize {
    columns_of(text).map(|(_, columns)| columns).sum()
}

/// Each character's end, and its columns.
fn columns_of(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut last = 0;
    text.char_indices().map(move |(at, char)| {
        last = match char {
            ' '..='~' => 1,
            // Asks for the emoji form of the character before, which is wide.
            '\u{fe0f}' if last == 1 => 1,
            _ => measure_text_width(char.encode_utf8(&mut [0; 4])),
        };
        (at + char.len_utf8(), last)
    })
}

/// The beginning of `text` for which so many columns are enough. It looks no further: a text may be as long as a server likes.
fn beginning(text: &str, columns: usize) -> &str {
    let bytes = BYTES.0.saturating_mul(columns).saturating_add(BYTES.1);
    let mut taken = 0;
    let end = columns_of(text)
        .take_while(|(end, more)| {
            taken += more;
            taken <= columns && *end <= bytes
        })
        .last();
    &text[..end.map_or(0, |(end, _)| end)]
}

/// `text` in at most so many columns; where something had to go, two dots stand for it.
pub(super) fn cut(text: &str, columns: usize) -> String {
    if beginning(text, columns).len() == text.len() {
        return text.to_owned();
    }
    let Some(room) = columns.checked_sub(CUT.len()) else {
        return ".".repeat(columns);
    };
    beginning(text, room).trim_end().to_owned() + CUT
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
        // Marks that take no column are no reason to let all of them through.
        for mark in ["\u{301}", "\u{200b}", "\u{200d}", "\u{fe0f}", "\u{e0041}"] {
            let cut = cut(&format!("a{}", mark.repeat(1000)), 10);
            assert!(cut.ends_with("..") && cut.len() < 150, "{cut:?}");
        }
    }

    #[test]
    fn columns_line_up() {
        assert_eq!(fit("ab", 4), "ab  ");
        assert_eq!(fit("漢字漢", 5), "漢.. ".replace(' ', "") + " ");
        assert_eq!(width(&fit("🎉🎉🎉", 5)), 5);
    }
}
