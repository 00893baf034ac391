//! Text of a server, made fit for a terminal.
//!
//! Owns taking out what would move the cursor, change colours, set a title or turn the direction of writing. It must not
//! know where the text is written.

use std::iter::Peekable;
use std::str::Chars;

/// `text` on one line, without anything that a terminal would obey.
///
/// Escape sequences go with all their parts, other control characters go alone. Line breaks and tabs become spaces. Whatever a
/// server says has to pass through here, or through [`printable_block`], before it is written to a terminal.
///
/// ```
/// use mcp_progress::ui::printable_line;
///
/// assert_eq!(printable_line("\u{1b}[31mred\u{1b}[0m\nsecond"), "red second");
/// ```
#[must_use]
pub fn printable_line(text: &str) -> String {
    clean(text)
        .replace('\t', " ")
        .split('\n')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `text` with its lines and tabs, but without anything else that a terminal would obey.
///
/// ```
/// use mcp_progress::ui::printable_block;
///
/// assert_eq!(printable_block("a\u{1b}]0;title\u{7}b\r\n\tc"), "ab\n\tc");
/// ```
#[must_use]
pub fn printable_block(text: &str) -> String {
    clean(text)
}

/// Whether nothing has to be taken out of `text` to show it on one line.
pub(crate) fn is_printable(text: &str) -> bool {
    !text.contains(|char: char| char.is_control() || is_break(char) || is_turn(char))
}

/// Line breaks that are no control characters.
const fn is_break(char: char) -> bool {
    matches!(char, '\u{2028}' | '\u{2029}')
}

/// What turns the direction of all that follows, so that text can pass for other text.
const fn is_turn(char: char) -> bool {
    matches!(char, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Every line end becomes a line feed.
fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => skip_sequence(&mut chars),
            '\r' => {
                chars.next_if_eq(&'\n');
                kept.push('\n');
            }
            '\n' | '\t' => kept.push(char),
            other if is_break(other) => kept.push('\n'),
            other if other.is_control() || is_turn(other) => {}
            other => kept.push(other),
        }
    }
    kept
}

/// Takes the rest of a sequence, after its escape character.
fn skip_sequence(chars: &mut Peekable<Chars<'_>>) {
    // A line end is in no sequence: one that is not finished must not hide the lines after it.
    let inside = |next: &char| !matches!(next, '\n' | '\r');
    match chars.next_if(inside) {
        // Parameters, then one final character.
        Some('[') => {
            while chars
                .next_if(inside)
                .is_some_and(|next| !('@'..='~').contains(&next))
            {}
        }
        // A title, a link, or a device's data: up to a bell, or to an escape and a backslash.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(next) = chars.next_if(inside) {
                if next == '\u{7}' || (next == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        // A choice of characters: intermediate ones, then one final character.
        Some(' '..='/') => {
            while chars
                .next_if(inside)
                .is_some_and(|next| (' '..='/').contains(&next))
            {}
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{is_printable, printable_block as block, printable_line as line};

    #[test]
    fn sequences_go_with_all_their_parts() {
        assert_eq!(line("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(line("a\u{1b}[2Jb\u{1b}(Bc\u{1b}"), "abc");
        assert_eq!(line("a\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c"), "abc");
        assert_eq!(line("a\u{1b}P1$q\u{1b}\\b\u{1b}_x\u{7}c"), "abc");
        assert_eq!(line("a\u{8}\u{9b}b\tc é"), "ab c é");
    }

    #[test]
    fn line_ends() {
        assert_eq!(line("one\r\ntwo\rthree\n"), "one two three");
        assert_eq!(
            block("one\r\ntwo\rthree\n\nfour\u{2028}five\tsix"),
            "one\ntwo\nthree\n\nfour\nfive\tsix"
        );
    }

    #[test]
    fn a_sequence_without_its_end_hides_one_line_at_most() {
        assert_eq!(block("a\u{1b}]0;title\nb"), "a\nb");
        assert_eq!(block("a\u{1b}[12\nb\u{1b}\nc"), "a\nb\nc");
    }

    #[test]
    fn text_does_not_turn_round() {
        assert_eq!(line("a\u{202e}b\u{2066}c"), "abc");
        // Right-to-left letters, and what joins emoji, are text.
        assert_eq!(line("שלום 👩\u{200d}🔧"), "שלום 👩\u{200d}🔧");
    }

    #[test]
    fn what_is_clean_stays_as_it_is() {
        let texts = [
            "",
            "plain",
            "é 漢字 🎉",
            "a\tb",
            "a\nb",
            "\u{1b}[0m",
            "\u{2028}",
            "\u{202e}",
        ];
        for text in texts {
            assert_eq!(is_printable(text), line(text) == text, "{text:?}");
        }
    }
}
