//! A command line in one string, split into words.
//!
//! Owns quotes and backslashes as a POSIX shell reads them. It knows no variables, patterns or operators: they stand
//! for themselves.

use std::fmt;

/// A program and its arguments; at least one word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words(pub(crate) Vec<String>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    OpenQuote(char),
    LoneBackslash,
    Empty,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OpenQuote(quote) => write!(f, "the quote {quote} is not closed"),
            Self::LoneBackslash => f.write_str("nothing follows the last backslash"),
            Self::Empty => f.write_str("the command is empty"),
        }
    }
}

/// Splits `text`.
pub(crate) fn parse(text: &str) -> Result<Words, String> {
    // On Windows a backslash outside quotes is what separates folders.
    split(text, !cfg!(windows)).map_err(|fault| fault.to_string())
}

fn split(text: &str, escapes: bool) -> Result<Words, Fault> {
    let mut words = Vec::new();
    // None between words: `''` is a word, though an empty one.
    let mut word: Option<String> = None;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or(Fault::OpenQuote(char))? {
                        end if end == char => break,
                        // Only before these is a backslash in double quotes more than itself.
                        '\\' if char == '"' => {
                            match chars.next_if(|next| "\\\"$`\n".contains(*next)) {
                                Some('\n') => {}
                                Some(escaped) => word.push(escaped),
                                None => word.push('\\'),
                            }
                        }
                        other => word.push(other),
                    }
                }
            }
            '\\' if escapes => match chars.next().ok_or(Fault::LoneBackslash)? {
                // A continued line.
                '\n' => {}
                escaped => word.get_or_insert_default().push(escaped),
            },
            blank if blank.is_ascii_whitespace() => words.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    if words.first().is_none_or(String::is_empty) {
        return Err(Fault::Empty);
    }
    Ok(Words(words))
}

#[cfg(test)]
mod tests {
    use super::{Fault, Words, split};

    fn words(text: &str) -> Vec<String> {
        let Words(words) = split(text, true).unwrap();
        words
    }

    #[test]
    fn blanks_separate_unless_quoted() {
        assert_eq!(words(" npx  -y\tserver\n"), ["npx", "-y", "server"]);
        assert_eq!(words("a 'b c' \"d  e\""), ["a", "b c", "d  e"]);
        assert_eq!(words("a --name='x y'z\" w\""), ["a", "--name=x yz w"]);
        assert_eq!(words("a '' \"\""), ["a", "", ""]);
    }

    #[test]
    fn backslashes() {
        assert_eq!(words(r"a b\ c \'d\'"), ["a", "b c", "'d'"]);
        assert_eq!(words(r"a 'b\c'"), ["a", r"b\c"]);
        assert_eq!(words(r#"a "b\c \" \\ \$x""#), ["a", r#"b\c " \ $x"#]);
        assert_eq!(words("a b\\\nc \"d\\\ne\""), ["a", "bc", "de"]);
        let Words(windows) = split(r#"C:\x\y.exe "a b\c""#, false).unwrap();
        assert_eq!(windows, [r"C:\x\y.exe", r"a b\c"]);
    }

    #[test]
    fn everything_else_stands_for_itself() {
        assert_eq!(
            words("a $HOME *.rs ~ | & ; # é"),
            ["a", "$HOME", "*.rs", "~", "|", "&", ";", "#", "é"]
        );
    }

    #[test]
    fn faults() {
        assert_eq!(split("a 'b", true), Err(Fault::OpenQuote('\'')));
        assert_eq!(split("a \"b\\\"", true), Err(Fault::OpenQuote('"')));
        assert_eq!(split("a \\", true), Err(Fault::LoneBackslash));
        assert_eq!(split("  ", true), Err(Fault::Empty));
        assert_eq!(split("''", true), Err(Fault::Empty));
    }
}
