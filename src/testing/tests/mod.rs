//! Drives the server through its bytes with a client that knows nothing but lines.

mod client;
mod demo;
mod protocol;
mod steps;
mod writes;
