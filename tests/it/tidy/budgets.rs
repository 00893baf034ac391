//! How large, how deep and how named: one noun per file, small enough to read at once.
//!
//! Owns the limits and the list of what may exceed them. Knows nothing of imports, which are `floors`.

use std::collections::BTreeMap;

use super::{
    source::{Kind, Token, closing, lines_of_code},
    tree::{File, Tree, root, rust_files},
};

/// Lines of code: what is expected, and what no reason excuses.
struct Limit {
    expected: usize,
    hard: usize,
}

const FILE: Limit = Limit {
    expected: 400,
    hard: 600,
};
const FUNCTION: Limit = Limit {
    expected: 60,
    hard: 100,
};

/// A file (`what` is `file`) or a function (`what` is `fn` and its name) that may be longer than expected.
struct Exception {
    path: &'static str,
    what: &'static str,
    limit: usize,
    reason: &'static str,
}

/// Add an entry here only with a reason that would convince a stranger; an entry that is no longer needed fails.
const EXCEPTIONS: &[Exception] = &[];

/// Names that say nothing of what a file holds.
const EMPTY_NAMES: &[&str] = &["common", "helper", "helpers", "misc", "util", "utils"];

/// Folders below `src`, and the files a folder is worth.
const DEPTH: usize = 2;
const FILES_OF_A_FOLDER: usize = 3;

/// Macros of unfinished code, anywhere; and those that print, which only a binary may do.
const UNFINISHED: &[&str] = &["dbg", "todo", "unimplemented"];
const PRINTING: &[&str] = &["eprint", "eprintln", "print", "println"];

fn sizes(tree: &Tree, exceptions: &[Exception]) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = vec![false; exceptions.len()];
    for file in &tree.files {
        let whole = (String::from("file"), 1, lines_of_code(&file.code));
        for (what, line, lines) in functions(&file.code).into_iter().chain([whole]) {
            let limit = if what == "file" { FILE } else { FUNCTION };
            if lines <= limit.expected {
                continue;
            }
            let excuse = exceptions
                .iter()
                .position(|entry| entry.path == file.path && entry.what == what);
            if let Some(entry) = excuse {
                used[entry] = true;
            }
            let allowed = excuse
                .map(|entry| &exceptions[entry])
                .filter(|entry| !entry.reason.is_empty())
                .map_or(limit.expected, |entry| entry.limit.min(limit.hard));
            if lines > allowed {
                found.push(format!(
                    "{}:{line}: `{what}` has {lines} lines of code, {allowed} are allowed",
                    file.path
                ));
            }
        }
    }
    for (entry, _) in exceptions.iter().zip(used).filter(|(_, used)| !used) {
        found.push(format!(
            "{}: `{}` needs no exception any more",
            entry.path, entry.what
        ));
    }
    found
}

/// Name, line and lines of code of each function that has a body.
fn functions(code: &[Token]) -> Vec<(String, usize, usize)> {
    let mut found = Vec::new();
    for (at, pair) in code.windows(2).enumerate() {
        if !pair[0].is("fn") || pair[1].kind != Kind::Word {
            continue;
        }
        if let Some(open) = body(code, at) {
            let lines = lines_of_code(&code[at..=closing(code, open)]);
            found.push((format!("fn {}", pair[1].text), pair[0].line, lines));
        }
    }
    found
}

/// The opening brace of the function that begins at `at`, none if it is only declared.
fn body(code: &[Token], at: usize) -> Option<usize> {
    let mut at = at;
    loop {
        let token = code.get(at)?;
        if token.is("{") {
            return Some(at);
        }
        if token.is(";") {
            return None;
        }
        at = if token.is("(") || token.is("[") {
            closing(code, at)
        } else {
            at
        } + 1;
    }
}

fn names<'a>(paths: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let empty = |path: &&str| {
        path.split('/')
            .any(|part| EMPTY_NAMES.contains(&part.trim_end_matches(".rs")))
    };
    paths
        .into_iter()
        .filter(empty)
        .map(|path| format!("{path}: the name says nothing of what it holds"))
        .collect()
}

fn folders(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for file in &tree.files {
        // The folder of a binary is named inside `src/bin`, which is Cargo's and counts for nothing.
        let inside = file
            .path
            .strip_prefix("src/bin/")
            .or_else(|| file.path.strip_prefix("src/"))
            .unwrap_or(&file.path);
        if inside.matches('/').count() > DEPTH {
            found.push(format!(
                "{}: more than {DEPTH} folders below src",
                file.path
            ));
        }
        if let Some((folder, _)) = inside.rsplit_once('/') {
            *count
                .entry(&file.path[..file.path.len() - inside.len() + folder.len()])
                .or_default() += 1;
        }
    }
    for (folder, files) in count
        .into_iter()
        .filter(|&(_, files)| files < FILES_OF_A_FOLDER)
    {
        found.push(format!(
            "{folder}: {files} files are no folder, {FILES_OF_A_FOLDER} would be"
        ));
    }
    found
}

fn openings(tree: &Tree) -> Vec<String> {
    let silent = tree
        .files
        .iter()
        .filter(|file| !file.text.starts_with("//!"));
    silent
        .map(|file| format!("{}: begins without `//!`", file.path))
        .collect()
}

fn macros(tree: &Tree) -> Vec<String> {
    let forbidden = |file: &File, name: &str| {
        UNFINISHED.contains(&name) || file.binary.is_empty() && PRINTING.contains(&name)
    };
    let mut found = Vec::new();
    for file in &tree.files {
        for pair in file.tokens.windows(2) {
            if pair[0].kind == Kind::Word && pair[1].is("!") && forbidden(file, &pair[0].text) {
                found.push(format!(
                    "{}:{}: `{}!` has no place here",
                    file.path, pair[0].line, pair[0].text
                ));
            }
        }
    }
    found
}

#[test]
fn src_keeps_its_budgets() {
    let tree = Tree::read().expect("src can be read");
    let mut found = sizes(&tree, EXCEPTIONS);
    for rule in [folders, openings, macros] {
        found.extend(rule(&tree));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn file_names_are_nouns() {
    let folders = ["src", "tests", "examples"]
        .map(|folder| rust_files(&root(), folder).expect("the folder can be read"));
    let found = names(folders.iter().flatten().map(|(path, _)| path.as_str()));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::{Exception, Tree, folders, functions, macros, names, openings, sizes};
    use crate::tidy::{expect, source::lex};

    fn function(name: &str, lines: usize) -> String {
        format!(
            "fn {name}() {{\n{}}}\n",
            "x();\n\n// why\n".repeat(lines - 2)
        )
    }

    fn file(lines: usize) -> String {
        "use x;\n".repeat(lines)
    }

    #[test]
    fn a_file_over_its_budget_fails() {
        expect(
            sizes(&Tree::of([("src/a.rs", file(400).as_str())]), &[]),
            &[],
        );
        let told = "src/a.rs:1: `file` has 401 lines of code, 400 are allowed";
        expect(
            sizes(&Tree::of([("src/a.rs", file(401).as_str())]), &[]),
            &[told],
        );
        let tests = file(400) + "#[cfg(test)]\nmod tests {\n" + &file(400) + "}\n";
        expect(sizes(&Tree::of([("src/a.rs", tests.as_str())]), &[]), &[]);
    }

    #[test]
    fn a_function_over_its_budget_fails() {
        expect(
            sizes(&Tree::of([("src/a.rs", function("f", 60).as_str())]), &[]),
            &[],
        );
        let two = function("f", 3) + &function("g", 61);
        expect(
            sizes(&Tree::of([("src/a.rs", two.as_str())]), &[]),
            &["src/a.rs:6: `fn g` has 61 lines of code, 60 are allowed"],
        );
    }

    #[test]
    fn exceptions_have_a_reason_a_ceiling_and_an_end() {
        let entry = |what, limit, reason| Exception {
            path: "src/a.rs",
            what,
            limit,
            reason,
        };
        let long = function("f", 90);
        let check = |source: &str, entry| sizes(&Tree::of([("src/a.rs", source)]), &[entry]);
        expect(check(&long, entry("fn f", 90, "a table")), &[]);
        expect(
            check(&long, entry("fn f", 80, "a table")),
            &["src/a.rs:1: `fn f` has 90 lines of code, 80 are allowed"],
        );
        expect(
            check(&long, entry("fn f", 90, "")),
            &["src/a.rs:1: `fn f` has 90 lines of code, 60 are allowed"],
        );
        let longer = function("f", 101);
        expect(
            check(&longer, entry("fn f", 500, "a table")),
            &["src/a.rs:1: `fn f` has 101 lines of code, 100 are allowed"],
        );
        let whole = file(601);
        expect(
            check(&whole, entry("file", 900, "x")),
            &["src/a.rs:1: `file` has 601 lines of code, 600 are allowed"],
        );
        expect(
            check(&function("f", 60), entry("fn f", 90, "x")),
            &["src/a.rs: `fn f` needs no exception any more"],
        );
    }

    #[test]
    fn functions_are_told_from_types_and_declarations() {
        let source = "trait T { fn a(x: [u8; 2]); fn b() -> fn(u8) { x } } const fn c<T>() where T: Fn([u8; 3]) {\n y }";
        let found: Vec<String> = functions(&lex(source))
            .into_iter()
            .map(|(name, _, lines)| format!("{name} {lines}"))
            .collect();
        assert_eq!(found, ["fn b 1", "fn c 2"]);
    }

    #[test]
    fn empty_names_fail() {
        let told = |path| format!("{path}: the name says nothing of what it holds");
        let found = names([
            "src/utils.rs",
            "tests/it/common/mod.rs",
            "src/commonplace.rs",
            "src/slot.rs",
        ]);
        expect(
            found,
            &[&told("src/utils.rs"), &told("tests/it/common/mod.rs")],
        );
    }

    #[test]
    fn folders_are_shallow_and_full() {
        let sources = [
            "src/lib.rs",
            "src/a/mod.rs",
            "src/a/x.rs",
            "src/a/y.rs",
            "src/b/mod.rs",
            "src/b/x.rs",
            "src/a/c/d/mod.rs",
            "src/a/c/d/x.rs",
            "src/a/c/d/y.rs",
            "src/bin/tool/main.rs",
            "src/bin/tool/e/x.rs",
            "src/bin/other.rs",
        ];
        let deep = |path| format!("src/a/c/d/{path}: more than 2 folders below src");
        let expected = [
            &deep("mod.rs"),
            &deep("x.rs"),
            &deep("y.rs"),
            "src/b: 2 files are no folder, 3 would be",
            "src/bin/tool: 1 files are no folder, 3 would be",
            "src/bin/tool/e: 1 files are no folder, 3 would be",
        ];
        expect(
            folders(&Tree::of(sources.map(|path| (path, "")))),
            &expected,
        );
    }

    #[test]
    fn a_file_says_first_what_it_owns() {
        let tree = Tree::of([
            ("src/a.rs", "//! Owns a.\n"),
            ("src/b.rs", "use x;\n//! Late.\n"),
            ("src/c.rs", ""),
        ]);
        expect(
            openings(&tree),
            &[
                "src/b.rs: begins without `//!`",
                "src/c.rs: begins without `//!`",
            ],
        );
    }

    #[test]
    fn the_library_neither_prints_nor_pretends() {
        let sources = [
            (
                "src/a.rs",
                "// todo!()\nfn f() { println!(\"dbg!\"); todo!(); print(); }",
            ),
            ("src/bin/tool/main.rs", "fn main() { println!(); dbg!(1); }"),
            (
                "src/c.rs",
                "#[cfg(test)] mod tests { fn f() { eprintln!(); unimplemented!() } }",
            ),
        ];
        let told = |at, name| format!("src/{at}: `{name}!` has no place here");
        let expected = [
            told("a.rs:2", "println"),
            told("a.rs:2", "todo"),
            told("bin/tool/main.rs:1", "dbg"),
            told("c.rs:1", "eprintln"),
            told("c.rs:1", "unimplemented"),
        ];
        expect(
            macros(&Tree::of(sources)),
            &expected.each_ref().map(String::as_str),
        );
    }
}
