//! The client over HTTP, against a server that is played byte for byte.
//!
//! Promises 1 to 9 where they meet HTTP, and the oddities of real servers.

mod attribution;
mod breaks;
mod calls;
mod cancelling;
mod captures;
mod connections;
mod credentials;
mod detection;
mod forms;
mod got;
mod life;
mod mirrored;
mod reply;
mod resuming;
mod scripted;
mod secrets;
mod server;
mod sessions;
mod streams;
mod tasks;
