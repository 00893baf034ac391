//! The command line, run as a program against its own demo server and, on Unix, against a server of a few lines of
//! shell.

mod asks;
mod batch;
mod codes;
mod configs;
mod input;
#[cfg(unix)]
mod lists;
mod manual;
mod output;
mod program;
mod resuming;
#[cfg(unix)]
mod saving;
mod serving;
#[cfg(unix)]
mod signals;
#[cfg(target_os = "linux")]
mod snapshots;
#[cfg(unix)]
mod streams;
#[cfg(unix)]
mod terminal;
mod watching;
#[cfg(unix)]
mod written;
