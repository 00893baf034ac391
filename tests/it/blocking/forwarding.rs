//! That the blocking client has what the async client has: names and arguments, read from the sources of both.
//!
//! Owns the list of what is different on purpose. A method that is added to one side only fails here.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Type and method to arguments, without white space and without `self`.
type Methods = BTreeMap<(String, String), String>;

/// Methods of which the blocking form has another name or other arguments, or which have none, and why.
const DIFFERENT: &[(&str, &str, &str)] = &[
    (
        "Request",
        "on_progress_async",
        "a future for each update, and nobody here has futures",
    ),
    ("Call", "next", "`Iterator::next`"),
    ("Pages", "next", "`Iterator::next`"),
    ("Listen", "next", "`Iterator::next`"),
    (
        "Connect",
        "on_elicitation",
        "a closure that may block in place of a future",
    ),
    (
        "Connect",
        "on_url_elicitation",
        "a closure that may block in place of a future",
    ),
    (
        "Connect",
        "on_sampling",
        "a closure that may block in place of a future",
    ),
    (
        "Connect",
        "on_sampling_with_tools",
        "a closure that may block in place of a future",
    ),
];

/// Types whose methods must be the same. The streams that need no connection are wrapped by `blocking::Iter` as they are.
const TYPES: &[&str] = &[
    "Call", "Client", "Connect", "Detached", "Listen", "Pages", "Request",
];

/// The public methods in this source, with those that the macros of `blocking/forward.rs` make: `fn` lines of a braced block inside of an
/// `impl`. It relies on rustfmt, which puts `impl` and its end at the beginning of a line.
fn methods(source: &str) -> Methods {
    let mut found = Methods::new();
    let mut block: Option<String> = None;
    let lines: Vec<&str> = source.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        if line.starts_with("impl") {
            block = implemented(&lines[at..]);
        } else if line.starts_with('}') {
            block = None;
        }
        let (Some(of), Some((name, rest))) = (&block, method(line)) else {
            continue;
        };
        let text = std::iter::once(rest).chain(lines[at + 1..].iter().copied());
        let arguments = arguments(&text.collect::<Vec<_>>().join(" "));
        found.insert((of.clone(), name.to_owned()), arguments);
    }
    found
}

/// The type that an inherent `impl` is for; none for one of a trait.
fn implemented(lines: &[&str]) -> Option<String> {
    let end = lines.iter().position(|line| line.ends_with('{'))?;
    let head = lines[..=end].join(" ");
    let head = head.strip_prefix("impl")?;
    if head.contains(" for ") {
        return None;
    }
    let head = head.trim_start();
    let after = if head.starts_with('<') {
        let close = closing(head, '<', '>')?;
        &head[close + 1..]
    } else {
        head
    };
    let path = after.split(['<', '{', ' ']).find(|part| !part.is_empty())?;
    path.rsplit("::").next().map(str::to_owned)
}

/// Name and the rest of the line, where a public method begins, or one that a macro makes.
fn method(line: &str) -> Option<(&str, &str)> {
    let line = line.trim_start();
    let made = line.strip_prefix("fn ").filter(|_| line.ends_with(';'));
    let public = ["pub fn ", "pub const fn ", "pub async fn "];
    let public = public.iter().find_map(|start| line.strip_prefix(start));
    let rest = public.or(made)?;
    let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_')?;
    Some((&rest[..end], &rest[end..]))
}

/// Where the bracket is closed that `text` begins with, the arrows of closures passed over.
fn closing(text: &str, open: char, close: char) -> Option<usize> {
    let (mut depth, mut before) = (0, ' ');
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close && before != '-' {
            depth -= 1;
            if depth == 0 {
                return Some(at);
            }
        }
        before = c;
    }
    None
}

fn arguments(text: &str) -> String {
    let text = text.trim_start();
    let text = match closing(text, '<', '>') {
        Some(close) if text.starts_with('<') => &text[close + 1..],
        _ => text,
    };
    let close = closing(text, '(', ')').unwrap_or(0);
    let inside = text.get(1..close).unwrap_or_default();
    let mut arguments = String::new();
    for argument in inside.split_inclusive(',') {
        let bare = argument.trim().trim_end_matches(',');
        if !matches!(bare, "self" | "mut self" | "&self" | "&mut self") {
            arguments.extend(argument.chars().filter(|c| !c.is_whitespace()));
        }
    }
    arguments.trim_end_matches(',').to_owned()
}

fn sources(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(fs::read_to_string(&path).expect("it can be read"));
        }
    }
    found
}

fn all_methods(folder: &str) -> Methods {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let sources = sources(&folder);
    let mut all: Methods = sources.iter().flat_map(|source| methods(source)).collect();
    all.retain(|(of, _), _| TYPES.contains(&of.as_str()));
    all
}

fn missing(
    asynchronous: &Methods,
    blocking: &Methods,
    different: &[(&str, &str, &str)],
) -> Vec<String> {
    let is_different = |(of, name): &(String, String)| {
        let excused = |entry: &&(&str, &str, &str)| entry.0 == of && entry.1 == name;
        different.iter().find(excused)
    };
    let mut found = Vec::new();
    for (method, arguments) in asynchronous {
        let (of, name) = method;
        match blocking.get(method) {
            _ if is_different(method).is_some() => {}
            None => found.push(format!("`blocking::{of}` has no `{name}`")),
            Some(theirs) if theirs != arguments => {
                found.push(format!(
                    "`{of}::{name}` takes ({arguments}), and blocking ({theirs})"
                ));
            }
            Some(_) => {}
        }
    }
    for (of, name, _) in different {
        let method = ((*of).to_owned(), (*name).to_owned());
        let same = blocking
            .get(&method)
            .is_some_and(|theirs| Some(theirs) == asynchronous.get(&method));
        if same || !asynchronous.contains_key(&method) {
            found.push(format!("`{of}::{name}` needs no exception any more"));
        }
    }
    found
}

#[test]
fn nothing_of_the_async_client_is_missing() {
    let (asynchronous, blocking) = (all_methods("src/client"), all_methods("src/blocking"));
    for of in TYPES {
        let count = |methods: &Methods| methods.keys().filter(|(found, _)| found == of).count();
        assert!(
            count(&asynchronous) > 0 && count(&blocking) > 0,
            "{of} was not found"
        );
    }
    let setters = asynchronous
        .keys()
        .filter(|(of, _)| of == "Request")
        .count();
    assert!(
        setters > 15,
        "only {setters} methods of `Request` were found"
    );
    let found = missing(&asynchronous, &blocking, DIFFERENT);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The rule on made-up sources, so that it is seen to fail.
#[test]
fn a_method_that_is_missing_or_different_is_told() {
    let asynchronous = methods(
        "impl<T: Fn() -> u8, H> Request<T, H> {
    pub const fn same(mut self, limit: impl Into<Option<Duration>>) -> Self {
    }
    pub fn longer<'a, F: Fn() -> u8>(
        mut self,
        one: u8,
        two: &'a str,
    ) -> Self {
    }
    pub fn other(self, count: u32) -> Self {}
    pub(crate) fn hidden(self) {}
    fn private(self) {}
}
impl Iterator for Request {
    pub fn of_a_trait(&self) {}
}",
    );
    let names: Vec<_> = asynchronous.keys().map(|(_, name)| name.as_str()).collect();
    assert_eq!(names, ["longer", "other", "same"]);
    let blocking = methods(
        "impl Request {
    options! {
        fn same(limit: impl Into<Option<Duration>>);
        fn other(count: u64);
    }
}",
    );
    let found = missing(
        &asynchronous,
        &blocking,
        &[("Request", "same", "no reason")],
    );
    assert_eq!(
        found,
        [
            "`blocking::Request` has no `longer`",
            "`Request::other` takes (count:u32), and blocking (count:u64)",
            "`Request::same` needs no exception any more",
        ]
    );
    let longer = ("Request".to_owned(), "longer".to_owned());
    assert_eq!(asynchronous[&longer], "one:u8,two:&'astr");
}
