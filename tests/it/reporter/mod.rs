//! Sending progress: what goes out, when, how often it is tried, and how it ends.
//!
//! Owns nothing but the list of its parts. All clocks are paused.

mod adapters;
mod client;
mod ends;
mod life_cycle;
mod phases;
mod recorder;
mod script;
mod table;
