//! The library's `codec`, without its tests.

#[path = "../../src/codec/lines.rs"]
pub(crate) mod lines;
#[path = "../../src/codec/sse.rs"]
pub(crate) mod sse;
#[path = "../../src/codec/sse_model.rs"]
pub(crate) mod sse_model;
