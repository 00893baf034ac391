//! The file that `envFile` names: variables, one a line.
//!
//! Owns its form. It must not know whose variables they are.

/// Names and values, in order. Blank lines and lines that begin with `#` say nothing; quotes around a value go, and in
/// double quotes `\n`, `\"` and `\\` are what they are elsewhere.
///
/// # Errors
///
/// The first line that is no `NAME=VALUE`, with its number.
pub(crate) fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut variables = Vec::new();
    for (at, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let line = line.strip_prefix("export ").unwrap_or(line);
        let pair = line.split_once('=');
        let Some((name, value)) = pair.filter(|(name, _)| !name.trim().is_empty()) else {
            return Err(format!("line {at} is no NAME=VALUE"));
        };
        variables.push((name.trim().to_owned(), unquoted(value.trim())));
    }
    Ok(variables)
}

fn unquoted(value: &str) -> String {
    let inside = |quote| value.strip_prefix(quote)?.strip_suffix(quote);
    if let Some(inside) = inside('\'') {
        return inside.to_owned();
    }
    if let Some(inside) = inside('"') {
        return unescaped(inside);
    }
    // A remark behind a value is set off by a blank; without one `#` is a part of it.
    let end = value.find(" #").unwrap_or(value.len());
    value[..end].trim_end().to_owned()
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some(escaped @ ('"' | '\\')) => out.push(escaped),
                other => {
                    out.push('\\');
                    out.extend(other);
                }
            },
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn lines_are_variables() {
        let text = "\u{feff}# remark\n\nA=1\nexport B = two words # remark\r\nC='x # y'\nD=\"a\\n\\\"b\\\" \\d\"\nE=\nF=u#v=w\n";
        let pairs = [
            ("A", "1"),
            ("B", "two words"),
            ("C", "x # y"),
            ("D", "a\n\"b\" \\d"),
            ("E", ""),
            ("F", "u#v=w"),
        ];
        let expected = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(parse(text).as_deref(), Ok(&expected[..]));
    }

    #[test]
    fn other_lines_are_refused_by_number() {
        assert_eq!(parse("A=1\nB").unwrap_err(), "line 2 is no NAME=VALUE");
        assert!(parse("=x").is_err());
    }
}
