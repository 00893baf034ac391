//! The server to talk to, as the command line or a configuration names it.
//!
//! Owns the way from a name to a connection that is still to be made. It must not know what is asked of the server.

pub(crate) mod config;
pub(crate) mod connect;
pub(crate) mod definition;
pub(crate) mod env_file;
pub(crate) mod expand;
pub(crate) mod jsonc;
pub(crate) mod locations;
pub(crate) mod lookup;
