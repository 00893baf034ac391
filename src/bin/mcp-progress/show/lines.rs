//! JSON text for programs: one line, and on a terminal nothing but what is seen.
//!
//! Owns which characters of it may be written otherwise without its becoming another value. It must not know what it says.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The text on one line. A server may write its JSON over several lines, and where its results are passed on as they were
/// written these would end up in the middle of ours.
pub(crate) fn one_line(json: String) -> String {
    if !json.contains(['\n', '\r']) {
        return json;
    }
    // In a string line breaks are escaped, so these and the blanks after them mean nothing.
    let lines = json
        .split(['\n', '\r'])
        .map(|line| line.trim_start_matches([' ', '\t']));
    lines.collect()
}

/// The text with escapes in place of all that a terminal would obey. JSON has to escape but a part of it: not what begins a
/// control sequence in one character, nor what turns the direction of writing.
pub(crate) fn visible(json: &str) -> Cow<'_, str> {
    if !json.contains(is_obeyed) {
        return Cow::Borrowed(json);
    }
    let mut out = String::with_capacity(json.len() + 16);
    for char in json.chars() {
        if is_obeyed(char) {
            // All of them have four digits.
            let _ = write!(out, "\\u{:04x}", u32::from(char));
        } else {
            out.push(char);
        }
    }
    Cow::Owned(out)
}

fn is_obeyed(char: char) -> bool {
    let turns = matches!(char, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::{one_line, visible};

    #[test]
    fn line_breaks_go_and_the_value_stays() {
        let json = "{\r\n  \"a b\": [\n\t1.50,\n\n    \"  x\\n  y\"\n  ]\n}";
        let line = one_line(json.to_owned());
        assert_eq!(line, "{\"a b\": [1.50,\"  x\\n  y\"]}");
        assert_eq!(one_line(line.clone()), line);
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        let json = "{\"a\u{9b}31m\": \"\u{7f}\u{202e}\u{2028}\u{2066}é漢\"}";
        let seen = visible(json);
        assert_eq!(
            seen,
            "{\"a\\u009b31m\": \"\\u007f\\u202e\\u2028\\u2066é漢\"}"
        );
        let value = |json: &str| serde_json::from_str::<Value>(json).unwrap();
        assert_eq!(value(&seen), value(json));
        assert_eq!(visible("{\n\t\"a\": 1}"), "{\n\t\"a\": 1}");
    }
}
