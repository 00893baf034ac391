//! Text of a server, made fit for a terminal.
//!
//! Owns taking out what would move the cursor, change colours or set a title. It knows no streams.

/// `text` on one line.
pub(crate) fn line(text: &str) -> String {
    clean(text, |control| control == '\t')
        .split(['\n', '\r'])
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `text` with its lines and tabs.
pub(crate) fn block(text: &str) -> String {
    clean(text, |control| matches!(control, '\t' | '\n'))
        .replace("\r\n", "\n")
        .replace('\r', "\n")
}

/// Line ends are kept, for the caller to treat.
fn clean(text: &str, keep: impl Fn(char) -> bool) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\u{1b}' => match chars.next() {
                // Parameters, then one final character.
                Some('[') => {
                    while chars
                        .next()
                        .is_some_and(|next| !('@'..='~').contains(&next))
                    {}
                }
                // A title or a link: up to a bell, or to an escape and a backslash.
                Some(']') => {
                    while let Some(next) = chars.next() {
                        if next == '\u{7}'
                            || (next == '\u{1b}' && chars.next_if_eq(&'\\').is_some())
                        {
                            break;
                        }
                    }
                }
                // A choice of characters: intermediate ones, then one final character.
                Some(' '..='/') => {
                    while chars.next().is_some_and(|next| (' '..='/').contains(&next)) {}
                }
                _ => {}
            },
            '\n' | '\r' => kept.push(char),
            control if control.is_control() && !keep(control) => {}
            other => kept.push(other),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::{block, line};

    #[test]
    fn sequences_go_with_all_their_parts() {
        assert_eq!(line("\u{1b}[1;31mred\u{1b}[0m"), "red");
        assert_eq!(line("a\u{1b}[2Jb\u{1b}(Bc\u{1b}"), "abc");
        assert_eq!(line("a\u{1b}]0;title\u{7}b\u{1b}]8;;x\u{1b}\\c"), "abc");
        assert_eq!(line("a\u{8}\u{9b}b\tc é"), "ab\tc é");
    }

    #[test]
    fn line_ends() {
        assert_eq!(line("one\r\ntwo\rthree\n"), "one two three");
        assert_eq!(
            block("one\r\ntwo\rthree\n\nfour"),
            "one\ntwo\nthree\n\nfour"
        );
    }
}
