//! Loom models of what callers, the reader, the writer and droppers share: slots, tables, guards, the outbox.
//!
//! This package compiles the library's own source files of `progress` and `session`, and puts `sync` in the place of
//! the library's, so that loom decides at each lock and flag which thread goes on. It needs no `--cfg loom`, which
//! would hide parts of other crates:
//!
//! ```text
//! cargo test --release --manifest-path tests/loom/Cargo.toml
//! ```
#![cfg(test)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the models use a part of what they include"
)]

#[path = "../../../src/error.rs"]
mod error;
#[path = "../../../src/jsonrpc.rs"]
mod jsonrpc;
mod model;
mod models;
#[path = "../../../src/progress/mod.rs"]
mod progress;
#[path = "../../../src/session/mod.rs"]
mod session;
mod sync;
