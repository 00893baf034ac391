//! JSON as editors write it: with comments, and a comma behind the last member.
//!
//! Owns what is taken out so that strict JSON is left. It must not know what the JSON is about.

use std::iter::Peekable;
use std::str::Chars;

use serde_json::Value;

/// Reads `text`. A mistake is told with the line and column that it has in `text`.
pub(crate) fn parse(text: &str) -> serde_json::Result<Value> {
    // A byte order mark is what some editors put before a text, and no part of it.
    serde_json::from_str(&strict(text.trim_start_matches('\u{feff}')))
}

/// Blanks instead of comments and last commas, so that all else stays where it is. What stands in a string stays.
fn strict(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    // Where the last comma stands in `out`, as long as nothing but blanks and comments has followed it.
    let mut comma = None;
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                comma = None;
                out.push(char);
                string(&mut chars, &mut out);
            }
            '/' if chars.next_if_eq(&'/').is_some() => {
                out.push_str("  ");
                while let Some(next) = chars.next_if(|next| *next != '\n') {
                    blank(next, &mut out);
                }
            }
            '/' if chars.next_if_eq(&'*').is_some() => {
                out.push_str("  ");
                remark(&mut chars, &mut out);
            }
            ',' => {
                comma = Some(out.len());
                out.push(char);
            }
            '}' | ']' => {
                if let Some(at) = comma.take() {
                    out.replace_range(at..=at, " ");
                }
                out.push(char);
            }
            other => {
                if !other.is_whitespace() {
                    comma = None;
                }
                out.push(other);
            }
        }
    }
    out
}

/// The rest of a string, its end included.
fn string(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(char) = chars.next() {
        out.push(char);
        match char {
            '"' => return,
            // Whatever is escaped ends nothing.
            '\\' => out.extend(chars.next()),
            _ => {}
        }
    }
}

/// The rest of a comment, up to its end or to that of the text.
fn remark(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    while let Some(char) = chars.next() {
        blank(char, out);
        if char == '*' && chars.next_if_eq(&'/').is_some() {
            out.push(' ');
            return;
        }
    }
}

/// Columns are counted in bytes, so a wide character leaves as many blanks.
fn blank(char: char, out: &mut String) {
    if char == '\n' {
        out.push(char);
    } else {
        out.extend(std::iter::repeat_n(' ', char.len_utf8()));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{parse, strict};

    #[test]
    fn comments_go() {
        let text = "// é one\n{ /* two\n lines */ \"a\": 1, // three\n \"b\": [2 /**/] }// end";
        assert_eq!(parse(text).unwrap(), json!({"a": 1, "b": [2]}));
        assert_eq!(strict(text).len(), text.len());
        assert_eq!(strict(text).lines().count(), text.lines().count());
    }

    #[test]
    fn strings_stay() {
        let text =
            r#"{"url": "https://x/*y*/", "a//b": "c\\", "quote": "\"// no, comment,]\" ,}"}"#;
        assert_eq!(strict(text), text);
        assert_eq!(parse(text).unwrap()["url"], "https://x/*y*/");
    }

    #[test]
    fn last_commas_go_and_others_do_not() {
        let text = "\u{feff}{\"a\": [1, 2, /* x */ ], \"b\": {\"c\": 1,\n},\n}";
        assert_eq!(parse(text).unwrap(), json!({"a": [1, 2], "b": {"c": 1}}));
        assert!(parse("[1,,]").is_err() && parse("[1,2").is_err() && parse("{\"a\" 1}").is_err());
        assert_eq!(strict("[\",\" ]"), "[\",\" ]");
    }

    #[test]
    fn mistakes_are_told_where_they_are() {
        let error = parse("{\n  // é\n  /* é */ \"a\": x\n}").unwrap_err();
        assert_eq!((error.line(), error.column()), (3, 17));
    }

    #[test]
    fn what_is_not_closed_is_no_panic() {
        for text in ["/*", "/* *", "\"a", "\"a\\", "//", "/", "{/"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
