//! What a shell needs to complete the command line.
//!
//! Owns the way from the definition of the arguments to that. It must not know any server.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::args::cli::Cli;
use crate::context::Context;
use crate::failure::{Failure, code};

/// Prints the script for a shell.
pub(crate) fn run(shell: Shell, context: &Context) -> Result<u8, Failure> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    context.output.text(&String::from_utf8_lossy(&script))?;
    Ok(code::OK)
}
