//! What a server asks its user while it works.
//!
//! Owns the answers: given on the command line, typed at the terminal, or no. It must not know what is called.

mod desk;
mod dialog;
mod given;
mod lines;
pub(crate) mod offer;
pub(crate) mod page;
mod question;
mod typing;
