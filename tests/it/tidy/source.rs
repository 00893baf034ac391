//! Reads Rust source just far enough for the rules: tokens with their lines, test-only items left out.
//!
//! Owns what counts as a word, a text literal and a comment. Knows none of the rules and nothing of this repository's layout.

use std::collections::BTreeSet;

/// What a token is; comments and white space never become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier, a keyword or a number.
    Word,
    /// A string, byte string, C string or character; its `text` is what stands between the quotes.
    Text,
    /// One punctuation character, or `::`.
    Mark,
    /// A lifetime or a loop label.
    Label,
}

/// One token and the lines (from 1) that it begins and ends on.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) line: usize,
    pub(super) last: usize,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Word | Kind::Mark) && self.text == text
    }
}

/// Splits source into tokens.
pub(super) fn lex(source: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        chars: source.chars().collect(),
        at: 0,
        line: 1,
        tokens: Vec::new(),
    };
    while let Some(next) = lexer.peek(0) {
        match next {
            _ if next.is_whitespace() => lexer.skip(1),
            '/' if lexer.peek(1) == Some('/') => lexer.line_comment(),
            '/' if lexer.peek(1) == Some('*') => lexer.block_comment(),
            '"' => lexer.text('"'),
            '\'' => lexer.quote(),
            _ if is_word(next) => lexer.word(),
            ':' if lexer.peek(1) == Some(':') => lexer.mark(2),
            _ => lexer.mark(1),
        }
    }
    lexer.tokens
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    tokens: Vec<Token>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// The only place that moves on, so the line count cannot drift.
    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            if self.peek(0) == Some('\n') {
                self.line += 1;
            }
            self.at += 1;
        }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(c) = self.peek(0).filter(|&c| wanted(c)) {
            taken.push(c);
            self.skip(1);
        }
        taken
    }

    fn push(&mut self, kind: Kind, text: String, line: usize) {
        self.tokens.push(Token {
            kind,
            text,
            line,
            last: self.line,
        });
    }

    fn mark(&mut self, length: usize) {
        let text = (0..length).filter_map(|ahead| self.peek(ahead)).collect();
        self.skip(length);
        self.push(Kind::Mark, text, self.line);
    }

    fn line_comment(&mut self) {
        self.take_while(|c| c != '\n');
    }

    fn block_comment(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.peek(0) {
            match (c, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.skip(1);
                    continue;
                }
            }
            self.skip(2);
            if depth == 0 {
                return;
            }
        }
    }

    /// A literal with escapes, up to `end`; stands on its opening quote.
    fn text(&mut self, end: char) {
        let line = self.line;
        self.skip(1);
        let mut text = String::new();
        while let Some(c) = self.peek(0).filter(|&c| c != end) {
            let length = if c == '\\' { 2 } else { 1 };
            text.extend((0..length).filter_map(|ahead| self.peek(ahead)));
            self.skip(length);
        }
        self.skip(1);
        self.push(Kind::Text, text, line);
    }

    /// `r"…"`, `br##"…"##`; stands behind the prefix, on the first `#` or the quote.
    fn raw_text(&mut self) {
        let line = self.line;
        let hashes = self.take_while(|c| c == '#').len();
        self.skip(1);
        let mut text = String::new();
        while let Some(c) = self.peek(0) {
            if c == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                break;
            }
            text.push(c);
            self.skip(1);
        }
        self.skip(1 + hashes);
        self.push(Kind::Text, text, line);
    }

    /// A character, or else a lifetime.
    fn quote(&mut self) {
        if self.peek(1) == Some('\\') || self.peek(2) == Some('\'') {
            return self.text('\'');
        }
        self.skip(1);
        let name = self.take_while(is_word);
        self.push(Kind::Label, name, self.line);
    }

    /// A word, unless it turns out to be the prefix of a literal or of a raw identifier.
    fn word(&mut self) {
        let word = self.take_while(is_word);
        let hashes = (0..)
            .take_while(|&ahead| self.peek(ahead) == Some('#'))
            .count();
        match (word.as_str(), self.peek(0), self.peek(hashes)) {
            ("r" | "br" | "cr", _, Some('"')) => self.raw_text(),
            ("b" | "c", Some('"'), _) => self.text('"'),
            ("b", Some('\''), _) => self.text('\''),
            ("r", Some('#'), Some(c)) if is_word(c) => {
                self.skip(hashes);
                self.word();
            }
            _ => self.push(Kind::Word, word, self.line),
        }
    }
}

/// The number of distinct lines that hold at least one token.
pub(super) fn lines_of_code(tokens: &[Token]) -> usize {
    tokens
        .iter()
        .flat_map(|token| token.line..=token.last)
        .collect::<BTreeSet<_>>()
        .len()
}

/// Where the bracket that opens at `open` closes (or the end, in source that does not compile).
pub(super) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if ["(", "[", "{"].iter().any(|mark| token.is(mark)) {
            depth += 1;
        } else if [")", "]", "}"].iter().any(|mark| token.is(mark)) {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return at;
            }
        }
    }
    tokens.len().saturating_sub(1)
}

/// The tokens without items under `#[cfg(test)]`, and the names of the test modules that live in files of their own.
pub(super) fn without_tests(tokens: &[Token]) -> (Vec<Token>, Vec<String>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        match test_item(tokens, at) {
            Some((item, end)) => {
                if tokens[item].is("mod") && tokens[end].is(";") {
                    modules.extend(tokens.get(item + 1).map(|name| name.text.clone()));
                }
                at = end + 1;
            }
            None => {
                kept.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    (kept, modules)
}

/// If an attribute that limits an item to tests begins at `at`: where the item's keyword stands and where the item ends.
///
/// Only items are left out; a field, an arm or a statement under the same attribute stays, because its end cannot be told
/// without parsing more.
fn test_item(tokens: &[Token], at: usize) -> Option<(usize, usize)> {
    let mut end = attribute(tokens, at)?;
    let written: String = tokens[at + 2..end]
        .iter()
        .map(|token| token.text.as_str())
        .collect();
    if !only_in_tests(written.strip_prefix("cfg(")?.strip_suffix(')')?) {
        return None;
    }
    while let Some(next) = attribute(tokens, end + 1) {
        end = next;
    }
    let mut item = end + 1;
    while tokens
        .get(item)
        .is_some_and(|token| token.is("pub") || token.is("async") || token.is("unsafe"))
    {
        item += 1;
        if tokens.get(item).is_some_and(|token| token.is("(")) {
            item = closing(tokens, item) + 1;
        }
    }
    match tokens.get(item)?.text.as_str() {
        "const" if tokens.get(item + 1).is_some_and(|token| token.is("fn")) => {
            item_end(tokens, item, true)
        }
        "use" | "const" | "static" | "type" => item_end(tokens, item, false),
        "mod" | "fn" | "impl" | "struct" | "enum" | "trait" => item_end(tokens, item, true),
        _ => None,
    }
    .map(|end| (item, end))
}

/// The closing bracket of the outer attribute that begins at `at`.
fn attribute(tokens: &[Token], at: usize) -> Option<usize> {
    (tokens.get(at)?.is("#") && tokens.get(at + 1)?.is("[")).then(|| closing(tokens, at + 1))
}

/// The `;` outside brackets, or, where `braces` may end the item, its closing brace.
fn item_end(tokens: &[Token], from: usize, braces: bool) -> Option<usize> {
    let mut at = from;
    loop {
        let token = tokens.get(at)?;
        if token.is(";") {
            return Some(at);
        }
        if token.is("(") || token.is("[") || token.is("{") {
            let end = closing(tokens, at);
            if braces && token.is("{") {
                return Some(end);
            }
            at = end;
        }
        at += 1;
    }
}

/// Whether a `cfg` predicate, written without spaces, can hold in tests only.
fn only_in_tests(predicate: &str) -> bool {
    let Some(parts) = predicate
        .strip_prefix("all(")
        .and_then(|rest| rest.strip_suffix(')'))
    else {
        return predicate == "test";
    };
    let mut depth = 0usize;
    parts
        .split(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            c == ',' && depth == 0
        })
        .any(only_in_tests)
}

#[cfg(test)]
mod tests {
    use super::{Kind, lex, lines_of_code, without_tests};

    fn words(source: &str) -> Vec<String> {
        let (kept, _) = without_tests(&lex(source));
        kept.into_iter()
            .filter(|token| token.kind == Kind::Word)
            .map(|token| token.text)
            .collect()
    }

    #[test]
    fn comments_and_literals_hide_their_words() {
        let source = r##"
            a /* b /* c */ d */ // e
            "f \" g" r#"h " i"# b'\'' 'j' br"k" c"l" '\u{6d}' n r#o 'p: /// q
        "##;
        assert_eq!(words(source), ["a", "n", "o"]);
    }

    #[test]
    fn lines_count_only_where_code_stands() {
        assert_eq!(
            lines_of_code(&lex("a\n\n// b\n/* c\n d */ e\n\"f\ng\"\n")),
            4
        );
    }

    #[test]
    fn test_items_are_left_out_and_nothing_else() {
        let source = "a #[cfg(test)] #[allow(x)] pub(crate) mod t { use b; { } } c #[cfg(all(unix, test))] use d::{e}; f \
                      #[cfg(any(test, unix))] mod g { } #[cfg(not(test))] fn h() {} #[cfg(test)] field: u8, \
                      #[cfg(test)] const N: [u8; 2] = { x; [1, 2] }; #[cfg(test)] fn y() -> [u8; 2] { z } last";
        let kept = words(source).join(" ");
        assert_eq!(
            kept,
            "a c f cfg any test unix mod g cfg not test fn h cfg test field u8 last"
        );
    }

    #[test]
    fn test_modules_in_their_own_files_are_named() {
        let (_, modules) = without_tests(&lex(
            "#[cfg(test)] mod tests; mod other; #[cfg(test)] mod inline { }",
        ));
        assert_eq!(modules, ["tests"]);
    }
}
