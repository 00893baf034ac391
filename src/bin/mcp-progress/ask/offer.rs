//! What a connection offers to the server: somebody to ask, and roots.
//!
//! Owns the way from arguments to handlers. There is no language model here, so sampling is not offered. It must not know
//! how questions are answered.

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::sync::Arc;

use mcp_progress::Connect;
use mcp_progress::model::Root;
use reqwest::Url;
use tokio::sync::Mutex;

use crate::args::ask::AskArgs;
use crate::ask::desk::Desk;
use crate::ask::given::Given;
use crate::ask::lines::Lines;
use crate::context::Context;
use crate::failure::Failure;
use crate::show::printable;
use crate::show::screen::Style;

/// So many characters of a server's name are shown.
const LONGEST_NAME: usize = 100;

/// Answers the questions of the server that is called `who`.
pub(crate) fn answering(
    connect: Connect,
    args: &AskArgs,
    who: String,
    context: &Context,
) -> Result<Connect, Failure> {
    let desk = Arc::new(Desk {
        who: shortened(&who),
        given: Given::new(&args.answers)?,
        hosts: args.hosts.clone(),
        output: context.tells_questions.then(|| context.output.clone()),
        screen: context.screen.clone(),
        interrupt: context.interrupt.clone(),
        terminal: terminal(context),
    });
    let visits = desk.clone();
    let connect = connect
        .on_elicitation(move |form, _context| {
            let desk = desk.clone();
            async move { Ok(desk.fill(&form).await) }
        })
        .on_url_elicitation(move |url, _context| {
            let desk = visits.clone();
            async move { Ok(desk.visit(&url).await) }
        });
    if args.roots.is_empty() {
        return Ok(connect);
    }
    let roots = args.roots.iter().map(|path| root(path));
    Ok(connect.roots(roots.collect::<Result<Vec<_>, _>>()?))
}

/// A command may be a whole script.
fn shortened(who: &str) -> String {
    let who = printable::line(who);
    match who.char_indices().nth(LONGEST_NAME) {
        Some((end, _)) => format!("{}…", &who[..end]),
        None => who,
    }
}

/// Somebody who reads standard error and types, if there is one. Lines for programs leave no room for a prompt.
fn terminal(context: &Context) -> Option<&'static Mutex<Lines>> {
    let somebody = io::stdin().is_terminal()
        && io::stderr().is_terminal()
        && context.screen.style() != Style::Json;
    somebody.then(Lines::of_this_process)?
}

fn root(path: &Path) -> Result<Root, Failure> {
    let text = path.to_string_lossy();
    if text.starts_with("file://") {
        return Ok(Root::new(text));
    }
    let wrong = |problem: &dyn std::fmt::Display| {
        Failure::Usage(format!("--root: {}: {problem}", path.display()))
    };
    let whole = path.canonicalize().map_err(|error| wrong(&error))?;
    let url = Url::from_file_path(&whole).map_err(|()| wrong(&"has no file:// address"))?;
    let root = Root::new(url.as_str());
    Ok(match whole.file_name() {
        Some(name) => root.named(name.to_string_lossy()),
        None => root,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{root, shortened};

    #[test]
    fn a_name_is_one_short_line() {
        assert_eq!(shortened("npx\nserver"), "npx server");
        assert_eq!(shortened(&"é".repeat(101)), "é".repeat(100) + "…");
        assert_eq!(shortened(&"é".repeat(100)), "é".repeat(100));
    }

    #[test]
    fn paths_become_addresses() {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = root(&directory.join("src/../src")).unwrap();
        assert!(
            root.uri.starts_with("file:///") && root.uri.ends_with("/src"),
            "{root:?}"
        );
        assert_eq!(root.name.as_deref(), Some("src"));
        assert_eq!(
            super::root(Path::new("file:///a%20b")).unwrap().uri,
            "file:///a%20b"
        );
        assert!(super::root(Path::new("no/such/path")).is_err());
    }
}
