//! The manual.
//!
//! Owns the way from the definition of the arguments to its pages. It must not know any server.

use std::fs;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_mangen::Man;

use crate::args::cli::Cli;
use crate::args::lists::ManArgs;
use crate::args::near;
use crate::context::Context;
use crate::failure::{Failure, code};

/// Prints a page, or writes all of them to a folder.
pub(crate) fn run(args: &ManArgs, context: &Context) -> Result<u8, Failure> {
    let mut root = Cli::command();
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

fn write(root: &Command, dir: &Path) -> std::io::Result<usize> {
    let mut pages = 0;
    for command in std::iter::once(root).chain(shown(root)) {
        let man = man(command);
        let mut page = Vec::new();
        man.render(&mut page)?;
        fs::write(dir.join(man.get_filename()), page)?;
        pages += 1;
    }
    Ok(pages)
}

fn page(command: &Command) -> Result<String, Failure> {
    let mut page = Vec::new();
    man(command).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn man(command: &Command) -> Man {
    let source = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(source)
}
