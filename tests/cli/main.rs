//! The command line, run as a program against its own demo server and, on Unix, against a server of a few lines of
//! shell.

mod codes;
mod input;
mod output;
mod program;
mod serving;
#[cfg(unix)]
mod signals;
#[cfg(unix)]
mod streams;
