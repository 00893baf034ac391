//! Who may import whom: floors, the synchronous layers, children and parents, cycles.
//!
//! Owns the order of the layers. Knows nothing of sizes and names, which are `budgets`.

use super::{
    source::{Kind, Token},
    tree::{File, Import, Tree},
};

/// The top-level modules of the library, bottom up. A module imports from its own folder and from lower floors only.
const FLOORS: &[&[&str]] = &[
    &["sync"],
    &["jsonrpc", "codec"],
    &["error", "model"],
    &["progress"],
    &["session"],
    &["transport"],
    &["reporter"],
    &["client"],
    &["ui", "testing", "blocking"],
];

/// An import between two modules of one floor that is meant to be there.
struct Neighbours {
    from: &'static str,
    to: &'static str,
    reason: &'static str,
}

/// Add a pair here only with a reason that would convince a stranger; a pair that is no longer used fails.
const NEIGHBOURS: &[Neighbours] = &[Neighbours {
    from: "error",
    to: "model",
    reason: "the error of an expired clock carries the call's last update",
}];

/// The modules that take time as an argument and are woken by `std::task`.
const SYNCHRONOUS: &[&str] = &["codec", "progress", "session"];

/// Words of the protocol, in any case, that have no place in the codec: it turns bytes into frames, whatever they say.
const PROTOCOL_WORDS: &[&str] = &[
    "elicitation",
    "initialize",
    "jsonrpc",
    "mcp",
    "notification",
    "notifications",
    "progress",
    "prompt",
    "prompts",
    "resource",
    "resources",
    "sampling",
    "task",
    "tasks",
    "tool",
    "tools",
];

fn floor(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

fn top(file: &File) -> &str {
    file.module.first().map_or("", String::as_str)
}

fn at(file: &File, line: usize) -> String {
    format!("{}:{line}", file.path)
}

fn floors(tree: &Tree, neighbours: &[Neighbours]) -> Vec<String> {
    let mut found = Vec::new();
    let mut used = vec![false; neighbours.len()];
    for file in tree
        .files
        .iter()
        .filter(|file| file.binary.is_empty() && !file.module.is_empty())
    {
        if floor(top(file)).is_none() {
            found.push(format!(
                "{}: `{}` has no floor, add it to FLOORS",
                file.path,
                top(file)
            ));
        }
        if let Some(token) = file.code.iter().find(|token| token.is("mcp_progress")) {
            found.push(format!(
                "{}: the library names itself `crate`",
                at(file, token.line)
            ));
        }
    }
    for Import { from, to, line } in tree.imports() {
        let (from, to) = (&tree.files[from], &tree.files[to]);
        let (above, below) = (top(from), top(to));
        if !from.binary.is_empty()
            || above == below
            || from.module.is_empty()
            || to.module.is_empty()
        {
            // Binaries see only the public API (the compiler's rule); roots are the business of `parents`.
            continue;
        }
        let (Some(high), Some(low)) = (floor(above), floor(below)) else {
            continue;
        };
        if high < low {
            found.push(format!(
                "{}: `{above}` may not import `{below}`, which is a higher floor",
                at(from, line)
            ));
        } else if high == low {
            match neighbours
                .iter()
                .position(|pair| pair.from == above && pair.to == below && !pair.reason.is_empty())
            {
                Some(pair) => used[pair] = true,
                None => found.push(format!(
                    "{}: `{above}` may not import its neighbour `{below}`",
                    at(from, line)
                )),
            }
        }
    }
    for pair in neighbours
        .iter()
        .zip(used)
        .filter_map(|(pair, used)| (!used).then_some(pair))
    {
        found.push(format!(
            "`{}` no longer imports `{}`: take the pair out of NEIGHBOURS",
            pair.from, pair.to
        ));
    }
    found
}

/// A binary has no way into the library but its name, and no file stands at two places.
fn detours(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in &tree.files {
        for (index, pair) in file.code.windows(2).enumerate() {
            let (name, after) = (&pair[0], &pair[1]);
            // An attribute's name stands behind its bracket or, in `cfg_attr`, behind a comma; a variable does not.
            let before = index.checked_sub(1).map(|before| &file.code[before]);
            let attribute = before.is_some_and(|token| token.is("[") || token.is(","));
            let detour = attribute && name.is("path") && after.is("=")
                || name.is("include") && after.is("!");
            if detour {
                found.push(format!(
                    "{}: `#[path]` and `include!` hide an import",
                    at(file, name.line)
                ));
            }
        }
    }
    found
}

fn synchronous(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    let layers = |file: &&File| file.binary.is_empty() && SYNCHRONOUS.contains(&top(file));
    for file in tree.files.iter().filter(layers) {
        for token in file.code.iter().filter(|token| token.is("tokio")) {
            found.push(format!(
                "{}: `{}` does without `tokio`",
                at(file, token.line),
                top(file)
            ));
        }
        for call in file
            .code
            .windows(2)
            .filter(|pair| pair[0].is("::") && pair[1].is("now"))
        {
            found.push(format!(
                "{}: `{}` reads no clock",
                at(file, call[1].line),
                top(file)
            ));
        }
        if top(file) == "codec" {
            found.extend(file.code.iter().filter_map(|token| codec_word(file, token)));
        }
    }
    found
}

fn codec_word(file: &File, token: &Token) -> Option<String> {
    if token.kind == Kind::Word && ["Instant", "SystemTime", "sleep"].contains(&token.text.as_str())
    {
        return Some(format!(
            "{}: `codec` knows no clock, not even `{}`",
            at(file, token.line),
            token.text
        ));
    }
    let word = split_words(&token.text)
        .into_iter()
        .find(|word| PROTOCOL_WORDS.contains(&word.as_str()))?;
    Some(format!(
        "{}: `codec` knows no `{word}`",
        at(file, token.line)
    ))
}

/// `progressToken/x_y` as `progress`, `token`, `x`, `y`.
fn split_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        if !c.is_alphabetic() || c.is_uppercase() && before.is_lowercase() {
            words.push(String::new());
        }
        if c.is_alphabetic() {
            words
                .last_mut()
                .expect("begins with one word")
                .extend(c.to_lowercase());
        }
        before = c;
    }
    words
}

/// No file imports what a file above it in its own tree re-exports: it takes the item from where it is defined.
fn parents(tree: &Tree) -> Vec<String> {
    let imports = tree.imports().into_iter().map(|import| {
        (
            &tree.files[import.from],
            &tree.files[import.to],
            import.line,
        )
    });
    imports
        .filter(|(from, to, _)| {
            from.module.len() > to.module.len() && from.module.starts_with(&to.module)
        })
        .map(|(from, to, line)| {
            format!(
                "{}: imports its parent `{}`, not the defining file",
                at(from, line),
                to.path
            )
        })
        .collect()
}

/// One cycle, as the paths along it, for each file through which a walk comes back to itself.
fn cycles(tree: &Tree) -> Vec<String> {
    let mut next = vec![Vec::new(); tree.files.len()];
    for import in tree.imports() {
        next[import.from].push(import.to);
    }
    let mut found = Vec::new();
    let mut done = vec![false; next.len()];
    for start in 0..next.len() {
        visit(start, &next, &mut done, &mut Vec::new(), &mut found);
    }
    let path = |&file: &usize| tree.files[file].path.as_str();
    found
        .iter()
        .map(|cycle: &Vec<usize>| {
            format!(
                "import cycle: {}",
                cycle.iter().map(path).collect::<Vec<_>>().join(" -> ")
            )
        })
        .collect()
}

fn visit(
    file: usize,
    next: &[Vec<usize>],
    done: &mut [bool],
    walk: &mut Vec<usize>,
    found: &mut Vec<Vec<usize>>,
) {
    if let Some(begin) = walk.iter().position(|&seen| seen == file) {
        found.push(walk[begin..].iter().copied().chain([file]).collect());
        return;
    }
    if done[file] {
        return;
    }
    walk.push(file);
    for &to in &next[file] {
        visit(to, next, done, walk, found);
    }
    walk.pop();
    done[file] = true;
}

#[test]
fn the_layers_of_src_hold() {
    let tree = Tree::read().expect("src can be read");
    let mut found = floors(&tree, NEIGHBOURS);
    for rule in [detours, synchronous, parents, cycles] {
        found.extend(rule(&tree));
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::{Neighbours, Tree, cycles, detours, floors, parents, split_words, synchronous};
    use crate::tidy::expect;

    #[test]
    fn a_lower_floor_may_not_look_up() {
        let sources = [
            (
                "src/session/slot.rs",
                "use crate::progress::update::Progress; use super::outbox::Outbox;",
            ),
            (
                "src/session/outbox.rs",
                "fn f() { let x = crate::client::call::Call::new(); } // use crate::client::call;",
            ),
            (
                "src/progress/update.rs",
                "#[cfg(test)] mod tests { use crate::client::call::Call; }",
            ),
            (
                "src/client/call.rs",
                "const S: &str = \"crate::testing::peer\"; use super::super::ui::Bar;",
            ),
            ("src/ui/mod.rs", ""),
        ];
        let expected = [
            "src/client/call.rs:1: `client` may not import `ui`, which is a higher floor",
            "src/session/outbox.rs:1: `session` may not import `client`, which is a higher floor",
        ];
        expect(floors(&Tree::of(sources), &[]), &expected);
    }

    #[test]
    fn neighbours_need_a_reason_that_is_used() {
        let tree = Tree::of([
            ("src/error.rs", "use crate::model::Meta;"),
            ("src/model/mod.rs", ""),
        ]);
        let pair = |to, reason| Neighbours {
            from: "error",
            to,
            reason,
        };
        expect(floors(&tree, &[pair("model", "carries the meta")]), &[]);
        expect(
            floors(&tree, &[]),
            &["src/error.rs:1: `error` may not import its neighbour `model`"],
        );
        expect(
            floors(&tree, &[pair("model", ""), pair("ui", "x")]),
            &[
                "src/error.rs:1: `error` may not import its neighbour `model`",
                "`error` no longer imports `model`: take the pair out of NEIGHBOURS",
                "`error` no longer imports `ui`: take the pair out of NEIGHBOURS",
            ],
        );
    }

    #[test]
    fn every_module_has_a_floor_and_one_name() {
        let sources = [
            ("src/lib.rs", "pub mod cellar; pub use mcp_progress::x;"),
            ("src/cellar.rs", ""),
            ("src/error.rs", "\nuse mcp_progress::Client;"),
            (
                "src/bin/tool/main.rs",
                "mod args; use crate::args::Args; use mcp_progress::Client;",
            ),
            ("src/bin/tool/args.rs", ""),
        ];
        let expected = [
            "src/cellar.rs: `cellar` has no floor, add it to FLOORS",
            "src/error.rs:2: the library names itself `crate`",
        ];
        expect(floors(&Tree::of(sources), &[]), &expected);
    }

    #[test]
    fn detours_are_found() {
        let tree = Tree::of([
            (
                "src/bin/tool/main.rs",
                "#[path = \"../../client/call.rs\"] mod call;",
            ),
            (
                "src/error.rs",
                "\ninclude!(\"x.rs\"); fn f(path: &str) { include_str!(\"y\") }",
            ),
        ]);
        let told = "`#[path]` and `include!` hide an import";
        expect(
            detours(&tree),
            &[
                &format!("src/bin/tool/main.rs:1: {told}"),
                &format!("src/error.rs:2: {told}"),
            ],
        );
    }

    #[test]
    fn synchronous_layers_touch_no_runtime_and_no_clock() {
        let tree = Tree::of([
            (
                "src/codec/lines.rs",
                "use std::time::Instant;\nfn f() { x(\"notifications/y\") } // an MCP tool\nstruct ToolFrame;",
            ),
            (
                "src/progress/timer.rs",
                "use tokio::time::Duration; fn f(now: std::time::Instant) { now.elapsed() }",
            ),
            (
                "src/session/table.rs",
                "// tokio::spawn\nfn f() { std::time::Instant::now(); \"tokio::spawn\" }",
            ),
            (
                "src/client/call.rs",
                "use tokio::time::Instant; fn f() { Instant::now() }",
            ),
        ]);
        let expected = [
            "src/codec/lines.rs:1: `codec` knows no clock, not even `Instant`",
            "src/codec/lines.rs:2: `codec` knows no `notifications`",
            "src/codec/lines.rs:3: `codec` knows no `tool`",
            "src/progress/timer.rs:1: `progress` does without `tokio`",
            "src/session/table.rs:2: `session` reads no clock",
        ];
        expect(synchronous(&tree), &expected);
    }

    #[test]
    fn children_do_not_import_their_parents() {
        let tree = Tree::of([
            ("src/lib.rs", "pub use error::Error;"),
            ("src/error.rs", "use crate::Result; use super::Other;"),
            (
                "src/progress/mod.rs",
                "pub use registry::Registry; pub use crate::error::Error;",
            ),
            (
                "src/progress/registry.rs",
                "use super::{slot::Slot, Token};\nuse crate::progress::Token; mod x { use super::Registry; }",
            ),
            ("src/progress/slot.rs", "use super::*;"),
        ]);
        let told = |at, parent| {
            format!("src/{at}: imports its parent `src/{parent}`, not the defining file")
        };
        let expected = [
            told("error.rs:1", "lib.rs"),
            told("error.rs:1", "lib.rs"),
            told("progress/registry.rs:1", "progress/mod.rs"),
            told("progress/registry.rs:2", "progress/mod.rs"),
            told("progress/slot.rs:1", "progress/mod.rs"),
        ];
        expect(parents(&tree), &expected.each_ref().map(String::as_str));
    }

    #[test]
    fn cycles_between_files_are_found() {
        let sound = [
            ("src/a.rs", "use crate::{b::B, c::C};"),
            ("src/b.rs", "use crate::c::C;"),
            ("src/c.rs", ""),
        ];
        expect(cycles(&Tree::of(sound)), &[]);
        let broken = [
            ("src/a.rs", "use crate::b::B;"),
            ("src/b.rs", "use crate::c::C;"),
            ("src/c.rs", "fn f() { crate::b::g() }"),
        ];
        expect(
            cycles(&Tree::of(broken)),
            &["import cycle: src/b.rs -> src/c.rs -> src/b.rs"],
        );
    }

    #[test]
    fn words_are_split_at_case_and_marks() {
        assert_eq!(
            split_words("progressToken/x_yZ").join(" "),
            "progress token x y z"
        );
        assert_eq!(split_words("subtask").join(" "), "subtask");
    }
}
