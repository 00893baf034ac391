//! The files of `src` as modules, and which file imports which.
//!
//! Owns the way from a path in the source to the file that it leads to. Knows no rule: `floors` and `budgets` judge what is found here.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use super::source::{Kind, Token, lex, without_tests};

/// The root of the package, with everything that the rules look at.
pub(super) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// One file of the library or of a binary.
#[derive(Debug)]
pub(super) struct File {
    /// Relative to the package, with `/` between folders.
    pub(super) path: String,
    pub(super) text: String,
    /// Empty for the library, else the name of the binary.
    pub(super) binary: String,
    /// The module that the file is, from its crate's root; empty for the root.
    pub(super) module: Vec<String>,
    /// Every token, tests included.
    pub(super) tokens: Vec<Token>,
    /// The tokens outside tests; none in a file that is a test module.
    pub(super) code: Vec<Token>,
}

/// A use of another file's item, by index into [`Tree::files`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) line: usize,
}

/// All files below `src`, in the order of their paths.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) files: Vec<File>,
    modules: BTreeMap<(String, Vec<String>), usize>,
}

impl Tree {
    /// This repository's own.
    pub(super) fn read() -> io::Result<Self> {
        let sources = rust_files(&root(), "src")?;
        Ok(Self::of(
            sources
                .iter()
                .map(|(path, text)| (path.as_str(), text.as_str())),
        ))
    }

    /// A tree of pairs of path and text.
    pub(super) fn of<'a>(sources: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut files = Vec::new();
        let mut tests: Vec<(String, Vec<String>)> = Vec::new();
        for (path, text) in sources {
            let (binary, module) = place(path);
            let tokens = lex(text);
            let (code, names) = without_tests(&tokens);
            for name in names {
                tests.push((
                    binary.clone(),
                    module.iter().cloned().chain([name]).collect(),
                ));
            }
            files.push(File {
                path: path.to_owned(),
                text: text.to_owned(),
                binary,
                module,
                tokens,
                code,
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        for file in &mut files {
            if tests
                .iter()
                .any(|(binary, module)| *binary == file.binary && file.module.starts_with(module))
            {
                file.code.clear();
            }
        }
        let modules = files
            .iter()
            .enumerate()
            .map(|(at, file)| ((file.binary.clone(), file.module.clone()), at))
            .collect();
        Self { files, modules }
    }

    /// Every import of one file by another, outside tests, in the order of the source.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut found = Vec::new();
        for (from, file) in self.files.iter().enumerate() {
            for mention in mentions(&file.code) {
                if let Some(to) = self.target(file, &mention).filter(|&to| to != from) {
                    found.push(Import {
                        from,
                        to,
                        line: mention.line,
                    });
                }
            }
        }
        found
    }

    fn target(&self, file: &File, mention: &Mention) -> Option<usize> {
        let mut base: Vec<String> = file.module.iter().chain(&mention.inline).cloned().collect();
        let mut rest = mention.segments.as_slice();
        let own = ["crate", "self", "super"].contains(&rest.first()?.as_str());
        while let Some((first, behind)) = rest.split_first() {
            match first.as_str() {
                "crate" => base.clear(),
                "self" => {}
                "super" => drop(base.pop()),
                _ => break,
            }
            rest = behind;
        }
        if !own {
            // A path without a keyword leads into this crate only through a child module.
            base.push(rest.first()?.clone());
            rest = &rest[1..];
            self.modules.get(&(file.binary.clone(), base.clone()))?;
        }
        base.extend_from_slice(rest);
        (0..=base.len())
            .rev()
            .find_map(|length| {
                self.modules
                    .get(&(file.binary.clone(), base[..length].to_vec()))
            })
            .copied()
    }
}

/// The files below `folder` of `root` whose names end in `.rs`, with their texts, sorted by path.
pub(super) fn rust_files(root: &Path, folder: &str) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if path.ends_with(".rs") {
                let text = fs::read_to_string(entry.path())?;
                found.push((path, text));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The crate and module that a file is.
fn place(path: &str) -> (String, Vec<String>) {
    let inside = path
        .strip_prefix("src/")
        .unwrap_or(path)
        .trim_end_matches(".rs");
    let mut parts: Vec<String> = inside.split('/').map(str::to_owned).collect();
    let mut binary = String::new();
    if parts[0] == "bin" && parts.len() > 1 {
        binary = parts[1].clone();
        parts.drain(..2);
    }
    let in_root = parts.len() == 1;
    if parts
        .last()
        .is_some_and(|last| last == "mod" || in_root && (last == "lib" || last == "main"))
    {
        parts.pop();
    }
    (binary, parts)
}

/// A path in the source, and the inline modules it stands in.
#[derive(Debug)]
struct Mention {
    segments: Vec<String>,
    inline: Vec<String>,
    line: usize,
}

/// Every path of the file: each leaf of each `use`, and each path with `::` in other code.
fn mentions(code: &[Token]) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut inline: Vec<(String, usize)> = Vec::new();
    let (mut depth, mut at) = (0usize, 0);
    while let Some(token) = code.get(at) {
        let next = |mark| code.get(at + 1).is_some_and(|token: &Token| token.is(mark));
        let names = || {
            inline
                .iter()
                .map(|(name, _)| name.clone())
                .collect::<Vec<_>>()
        };
        if token.is("{") {
            depth += 1;
        } else if token.is("}") {
            depth = depth.saturating_sub(1);
            inline.pop_if(|(_, opened)| *opened == depth);
        } else if token.is("mod") && code.get(at + 2).is_some_and(|token| token.is("{")) {
            inline.push((code[at + 1].text.clone(), depth));
            at += 1;
        } else if token.is("use") && !next("<") {
            let mut leaves = Vec::new();
            at = use_tree(code, at + 1, &[], &mut leaves);
            found.extend(leaves.into_iter().map(|(segments, line)| Mention {
                segments,
                inline: names(),
                line,
            }));
            continue;
        } else if token.is("pub") && next("(") {
            // `pub(in crate::x)` names a place, it imports nothing.
            at += code[at..]
                .iter()
                .position(|token| token.is(")"))
                .unwrap_or(1);
        } else if token.kind == Kind::Word && next("::") && begins_path(code, at) {
            let (segments, end) = path_from(code, at);
            found.push(Mention {
                segments,
                inline: names(),
                line: token.line,
            });
            at = end;
            continue;
        }
        at += 1;
    }
    found
}

/// Whether the word is a path's first segment, and not one behind `::` or a method behind a dot.
fn begins_path(code: &[Token], at: usize) -> bool {
    at.checked_sub(1)
        .is_none_or(|before| !code[before].is("::") && !code[before].is("."))
}

/// The segments of the path that begins at `at`, and where it ends.
fn path_from(code: &[Token], at: usize) -> (Vec<String>, usize) {
    let mut segments = vec![code[at].text.clone()];
    let mut end = at + 1;
    while code.get(end).is_some_and(|token| token.is("::"))
        && code
            .get(end + 1)
            .is_some_and(|token| token.kind == Kind::Word)
    {
        segments.push(code[end + 1].text.clone());
        end += 2;
    }
    (segments, end)
}

/// Collects the leaves of a use tree with their lines; returns the index behind it.
fn use_tree(
    code: &[Token],
    from: usize,
    prefix: &[String],
    leaves: &mut Vec<(Vec<String>, usize)>,
) -> usize {
    let mut path = prefix.to_vec();
    let mut at = from;
    let mut line = code.get(from).map_or(0, |token| token.line);
    while let Some(token) = code.get(at) {
        if token.is("{") {
            at += 1;
            while code.get(at).is_some_and(|token| !token.is("}")) {
                at = use_tree(code, at, &path, leaves);
                at += usize::from(code.get(at).is_some_and(|token| !token.is("}")));
            }
            return at + 1;
        }
        if token.is("as") {
            at += 2;
            continue;
        }
        if token.is(",") || token.is("}") || token.is(";") {
            break;
        }
        if token.kind == Kind::Word && (path.is_empty() || !token.is("self")) {
            path.push(token.text.clone());
            line = token.line;
        }
        at += 1;
    }
    leaves.push((path, line));
    at
}

#[cfg(test)]
mod tests {
    use super::{Tree, mentions, place};
    use crate::tidy::source::lex;

    fn paths(source: &str) -> Vec<String> {
        mentions(&lex(source))
            .into_iter()
            .map(|mention| mention.segments.join("::"))
            .collect()
    }

    #[test]
    fn every_leaf_of_a_use_tree_is_a_path() {
        let found = paths(
            "pub(in crate::no) use crate::{a::{self, B as C}, d::*, e}; use f as _; fn x() -> impl use<'a> { }",
        );
        assert_eq!(
            found,
            ["crate::a", "crate::a::B", "crate::d", "crate::e", "f"]
        );
    }

    #[test]
    fn paths_in_expressions_are_found() {
        let found = paths(
            "fn x() { crate::a::B::<u8>::new(super::c::D); y.collect::<E>(); <crate::f::G as H>::i() }",
        );
        assert_eq!(found, ["crate::a::B", "super::c::D", "crate::f::G"]);
    }

    #[test]
    fn files_are_modules() {
        for (path, binary, module) in [
            ("src/lib.rs", "", ""),
            ("src/error.rs", "", "error"),
            ("src/codec/mod.rs", "", "codec"),
            ("src/codec/lib.rs", "", "codec/lib"),
            ("src/transport/http/post.rs", "", "transport/http/post"),
            ("src/bin/tool/main.rs", "tool", ""),
            ("src/bin/tool/args.rs", "tool", "args"),
        ] {
            let (found, parts) = place(path);
            assert_eq!(
                (found.as_str(), parts.join("/").as_str()),
                (binary, module),
                "{path}"
            );
        }
    }

    #[test]
    fn paths_lead_to_files() {
        let tree = Tree::of([
            (
                "src/a/mod.rs",
                "mod b; pub use b::B; mod inner { use super::b::B; use super::super::d::D; }",
            ),
            (
                "src/a/b.rs",
                "use super::c::C; use std::fmt; use a::X; fn f() { self::own(); crate::d::D::new() }",
            ),
            ("src/a/c.rs", "use super::Up; use crate::d::{self, D};"),
            (
                "src/d.rs",
                "mod own { use super::D; } #[cfg(test)] mod tests { use crate::a::B; }",
            ),
            ("src/lib.rs", "pub use crate::a::B; pub use d::D;"),
        ]);
        let found: Vec<String> = tree
            .imports()
            .into_iter()
            .map(|import| {
                format!(
                    "{} {}",
                    tree.files[import.from].path, tree.files[import.to].path
                )
                .replace("src/", "")
            })
            .collect();
        let expected = [
            "a/b.rs a/c.rs",
            "a/b.rs d.rs",
            "a/c.rs a/mod.rs",
            "a/c.rs d.rs",
            "a/c.rs d.rs",
            "a/mod.rs a/b.rs",
            "a/mod.rs a/b.rs",
            "a/mod.rs d.rs",
            "lib.rs a/mod.rs",
            "lib.rs d.rs",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn a_test_module_in_its_own_file_has_no_code() {
        let tree = Tree::of([
            ("src/d.rs", "#[cfg(test)] mod tests;"),
            ("src/d/tests.rs", "use crate::e::E;"),
            ("src/e.rs", ""),
        ]);
        assert!(tree.imports().is_empty());
        assert!(!tree.files[1].tokens.is_empty());
    }
}
