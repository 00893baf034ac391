//! Every request of the protocol against the scripted server: how it is called, what it gives, what goes over the wire.

mod errors;
mod listen;
mod meta;
mod notifications;
mod pages;
mod refusals;
mod results;
mod three_ways;
mod tokens;
