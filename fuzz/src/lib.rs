//! What the fuzz targets do, as functions of bytes.
//!
//! The readers of bytes are private to the library, so this package compiles their source files itself.
//! `cargo fuzz run TARGET` at home, `.ci/fuzz-smoke` in CI, and `cargo test` here plays the seeds.
#![allow(
    dead_code,
    unused_imports,
    reason = "the targets use a part of what they include"
)]

mod codec;
#[path = "../../src/error.rs"]
mod error;
pub mod frames;
#[path = "../../src/jsonrpc.rs"]
mod jsonrpc;
pub mod lines;
mod model;
mod pieces;
#[path = "../../src/progress/mod.rs"]
mod progress;
#[path = "../../src/session/mod.rs"]
mod session;
pub mod sse;
#[path = "../../src/sync.rs"]
mod sync;
