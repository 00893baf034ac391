//! The command line, run as a program against its own demo server and, on Unix, against a server of a few lines of
//! shell.

mod asks;
mod batch;
mod codes;
mod input;
mod output;
mod program;
mod resuming;
mod serving;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
#[cfg(unix)]
mod terminal;
mod watching;
