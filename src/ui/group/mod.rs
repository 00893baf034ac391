//! Many calls as one progress.
//!
//! Owns the handles on a group: who feeds it and who looks on. It must not know how the figures are made, which is
//! `progress::group`.

pub(crate) mod call;
pub(crate) mod handle;
pub(crate) mod shared;
pub(crate) mod updates;
