//! The manual.
//!
//! Owns the way from the definition of the arguments to its pages. It must not know any server.

use std::fs;
use std::io;
use std::path::Path;

use clap::builder::Resettable;
use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::cli::Cli;
use crate::args::lists::ManArgs;
use crate::args::near;
use crate::context::Context;
use crate::failure::{Failure, code};

/// Prints a page, or writes all of them to a folder.
pub(crate) fn run(args: &ManArgs, context: &Context) -> Result<u8, Failure> {
    // `help` has no page, so that none may refer to it.
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    if let Some(dir) = &args.dir {
        let wrong = |error| Failure::Save(dir.clone(), error);
        fs::create_dir_all(dir).map_err(wrong)?;
        let pages = write(&root, dir).map_err(wrong)?;
        context
            .screen
            .notice(&format!("{pages} pages in {}", dir.display()));
        return Ok(code::OK);
    }
    let command = match &args.command {
        None => &root,
        Some(name) => found(&root, name)?,
    };
    context.output.text(&page(command)?)?;
    Ok(code::OK)
}

fn found<'a>(root: &'a Command, name: &str) -> Result<&'a Command, Failure> {
    root.find_subcommand(name).ok_or_else(|| {
        let names: Vec<&str> = shown(root).map(Command::get_name).collect();
        Failure::Usage(format!(
            "there is no command {name}{}",
            near::hint(name, &names)
        ))
    })
}

/// The commands that have a page; `help` is none of ours.
fn shown(root: &Command) -> impl Iterator<Item = &Command> {
    let commands = root.get_subcommands();
    commands.filter(|command| command.get_name() != "help" && !command.is_hide_set())
}

fn write(root: &Command, dir: &Path) -> io::Result<usize> {
    let mut pages = 0;
    for command in std::iter::once(root).chain(shown(root)) {
        let name = man(command).get_filename();
        fs::write(dir.join(name), page(command)?)?;
        pages += 1;
    }
    Ok(pages)
}

/// The page of a command. What stands below its options comes last, in sections of its own: laid out by the
/// generator, examples would be filled as if they were sentences.
fn page(command: &Command) -> io::Result<String> {
    let below = command.get_after_help().map(ToString::to_string);
    let command = command.clone().after_help(Resettable::Reset);
    let mut page = Vec::new();
    man(&command).render(&mut page)?;
    let page = String::from_utf8_lossy(&page).into_owned();
    Ok(page + &sections(&below.unwrap_or_default()))
}

fn man(command: &Command) -> Man {
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source)
}

/// The text in the language of man pages: a short line that ends in a colon is a heading, lines behind blanks stay as
/// they are, and all others are sentences.
fn sections(text: &str) -> String {
    let mut out = String::new();
    let mut kept = false;
    for line in text.lines() {
        let keeps = line.starts_with("  ");
        if keeps != kept {
            out += if keeps { ".nf\n" } else { ".fi\n" };
            kept = keeps;
        }
        match line.strip_suffix(':').filter(|heading| heading.len() <= 20) {
            Some(heading) if !keeps => {
                out += &format!(".SH {}\n", escaped(&heading.to_uppercase()))
            }
            _ if line.is_empty() => out += ".PP\n",
            _ => out += &format!("{}\n", escaped(line)),
        }
    }
    if kept {
        out += ".fi\n";
    }
    out
}

fn escaped(line: &str) -> String {
    let line = line.replace('\\', "\\e").replace('-', "\\-");
    // A dot or an apostrophe at the beginning would be a request.
    if line.starts_with(['.', '\'']) {
        format!("\\&{line}")
    } else {
        line
    }
}

#[cfg(test)]
mod tests {
    use super::sections;

    #[test]
    fn examples_stay_as_they_are() {
        let text = "Examples:\n  a --b \\\n      c\n\nA sentence, and a little more:\n  x\n\nExit codes:\n  0    done\n.end";
        let expected = ".SH EXAMPLES\n.nf\n  a \\-\\-b \\e\n      c\n.fi\n.PP\nA sentence, and a little more:\n.nf\n  x\n.fi\n.PP\n\
            .SH EXIT CODES\n.nf\n  0    done\n.fi\n\\&.end\n";
        assert_eq!(sections(text), expected);
        assert_eq!(sections(""), "");
    }
}
