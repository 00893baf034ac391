//! JSON for people: one member a line.
//!
//! Owns blanks and line breaks only: digits, escapes and the order of members stay as they were written, which a parser
//! would not keep. It must not know what the JSON says.

/// The text of a JSON value, laid out.
pub(crate) fn pretty(json: &str) -> String {
    let mut out = String::with_capacity(json.len() * 2);
    let mut depth = 0_usize;
    let mut chars = json.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' => {
                out.push(char);
                while let Some(inside) = chars.next() {
                    out.push(inside);
                    match inside {
                        '"' => break,
                        '\\' => out.extend(chars.next()),
                        _ => {}
                    }
                }
            }
            '{' | '[' => {
                out.push(char);
                while chars.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut out, depth);
                out.push(char);
            }
            ',' => {
                out.push(char);
                line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            blank if blank.is_ascii_whitespace() => {}
            other => out.push(other),
        }
    }
    out
}

fn line(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n("  ", depth));
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn members_have_lines() {
        let json = r#"{"z":18446744073709551616,"a":[1.50,{} , [ ]],"s":"a:{\",\"}\\"}"#;
        let expected = "{\n  \"z\": 18446744073709551616,\n  \"a\": [\n    1.50,\n    {},\n    []\n  ],\n  \"s\": \"a:{\\\",\\\"}\\\\\"\n}";
        assert_eq!(pretty(json), expected);
        assert_eq!(pretty(expected), expected);
        assert_eq!(
            (pretty("1"), pretty("\"a b\"")),
            ("1".to_owned(), "\"a b\"".to_owned())
        );
    }
}
