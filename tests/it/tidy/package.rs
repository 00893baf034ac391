//! What the package promises to those who depend on it: few dependencies, each explained, and short examples.
//!
//! Owns the rules on `Cargo.toml`, `DESIGN.md` and `examples`. Knows nothing of the source below `src`.

use std::{fs, path::Path, process::Command};

use super::tree::{root, rust_files};

/// Lines of `cargo tree` that a program with the default features takes on.
const TREE_LINES: usize = 60;
/// Lines of an example, all counted.
const EXAMPLE_LINES: usize = 80;

/// The names in every dependency table of a manifest but those for development.
fn dependencies(manifest: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut listing = false;
    for line in manifest.lines().map(str::trim) {
        let key = |text: &str| text.trim_matches(['"', '\'', ' ']).to_owned();
        if let Some(header) = line
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(header, _)| header)
        {
            // `[target.'cfg(unix)'.dependencies]` is a list, `[dependencies.tokio]` is one dependency.
            let (table, name) = header.rsplit_once('.').unwrap_or(("", header));
            listing = is_table(name);
            if is_table(table.rsplit('.').next().unwrap_or(table)) {
                found.push(key(name));
            }
        } else if listing && !line.starts_with('#') {
            let name = line.split(['=', '.']).next().filter(|_| line.contains('='));
            found.extend(name.map(key));
        }
    }
    found
}

fn is_table(name: &str) -> bool {
    name == "dependencies" || name == "build-dependencies"
}

/// Whether the text holds the name as a word of its own; `tokio-util` does not name `tokio`.
fn mentions(text: &str, name: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    text.match_indices(name).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(inside)
            && !text[at + name.len()..].chars().next().is_some_and(inside)
    })
}

fn unexplained(manifest: &str, design: &str) -> Vec<String> {
    let missing = dependencies(manifest)
        .into_iter()
        .filter(|name| !mentions(design, name));
    missing
        .map(|name| format!("DESIGN.md does not say what `{name}` is for"))
        .collect()
}

/// `examples` are pairs of path and text; the files of a folder are one example.
fn examples(examples: &[(String, String)], readme: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (path, text) in examples {
        let lines = text.lines().count();
        if lines > EXAMPLE_LINES {
            found.push(format!(
                "{path}: {lines} lines, {EXAMPLE_LINES} are allowed"
            ));
        }
        let inside = path.trim_start_matches("examples/");
        let name = inside
            .split('/')
            .next()
            .unwrap_or(inside)
            .trim_end_matches(".rs");
        if !mentions(readme, name) {
            found.push(format!("{path}: examples/README.md does not list `{name}`"));
        }
    }
    found
}

/// The lines, sorted and each once, of what `cargo tree` prints for the package at `root`.
fn tree_lines(cargo: &str, root: &Path) -> Result<Vec<String>, String> {
    let run = Command::new(cargo)
        .args([
            "tree",
            "--offline",
            "-e",
            "normal",
            "--no-default-features",
            "--features",
            "stdio",
            "--prefix",
            "none",
        ])
        .current_dir(root)
        .output()
        .map_err(|error| format!("{cargo} cannot be run: {error}"))?;
    if !run.status.success() {
        return Err(String::from_utf8_lossy(&run.stderr).into_owned());
    }
    let mut lines: Vec<String> = String::from_utf8_lossy(&run.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    lines.sort();
    lines.dedup();
    Ok(lines)
}

fn too_many(lines: &[String]) -> Option<String> {
    let count = lines.len();
    (count > TREE_LINES).then(|| {
        format!(
            "{count} lines of cargo tree, {TREE_LINES} are allowed:\n{}",
            lines.join("\n")
        )
    })
}

#[test]
fn every_dependency_is_explained() {
    let read = |name| {
        fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let found = unexplained(&read("Cargo.toml"), &read("DESIGN.md"));
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_example_is_short_and_listed() {
    let sources = rust_files(&root(), "examples").expect("examples can be read");
    let readme = fs::read_to_string(root().join("examples/README.md"))
        .expect("examples/README.md can be read");
    let found = examples(&sources, &readme);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_default_package_stays_light() {
    let lines =
        tree_lines(env!("CARGO"), &root()).unwrap_or_else(|error| panic!("cargo tree: {error}"));
    assert!(
        lines.iter().any(|line| line.starts_with("mcp-progress ")),
        "that is not this package: {lines:?}"
    );
    assert_eq!(too_many(&lines), None);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{dependencies, examples, mentions, too_many, tree_lines, unexplained};
    use crate::tidy::expect;

    const MANIFEST: &str = r#"
        [package]
        name = "x"
        [features]
        net = ["dep:one"]
        [dependencies]
        one = "1"
        # gone = "1"
        two.workspace = true
        three = { version = "1", features = [
            "a",
        ] }
        [dependencies.four]
        version = "1"
        [target.'cfg(unix)'.dependencies]
        five = "1"
        [build-dependencies]
        "six" = "1"
        [dev-dependencies]
        seven = "1"
        [target.'cfg(windows)'.dependencies.eight]
        version = "1"
        [lints.rust]
        unsafe_code = "forbid"
    "#;

    #[test]
    fn all_tables_but_those_for_development_are_read() {
        assert_eq!(
            dependencies(MANIFEST),
            ["one", "two", "three", "four", "five", "six", "eight"]
        );
    }

    #[test]
    fn a_dependency_without_a_word_fails() {
        let design = "`one`, two; three-four and five_. six eight four";
        let told = |name| format!("DESIGN.md does not say what `{name}` is for");
        expect(
            unexplained(MANIFEST, design),
            &[&told("three"), &told("five")],
        );
        assert!(mentions("the tokio-util and tokio", "tokio"));
    }

    #[test]
    fn long_and_unlisted_examples_fail() {
        let source = |path: &str, lines| (path.to_owned(), "x\n".repeat(lines));
        let found = examples(
            &[
                source("examples/quick.rs", 80),
                source("examples/slow.rs", 81),
                source("examples/web/main.rs", 1),
            ],
            "| `quick` | `slower.rs` |",
        );
        let expected = [
            "examples/slow.rs: 81 lines, 80 are allowed",
            "examples/slow.rs: examples/README.md does not list `slow`",
            "examples/web/main.rs: examples/README.md does not list `web`",
        ];
        expect(found, &expected);
    }

    #[test]
    fn a_heavy_or_unreadable_tree_fails() {
        let lines = |count: usize| (0..count).map(|line| line.to_string()).collect::<Vec<_>>();
        assert_eq!(too_many(&lines(60)), None);
        assert!(
            too_many(&lines(61))
                .is_some_and(|told| told.starts_with("61 lines of cargo tree, 60 are allowed"))
        );
        assert!(tree_lines(env!("CARGO"), Path::new("/")).is_err());
        assert!(tree_lines("/no/such/cargo", Path::new("/")).is_err());
    }
}
