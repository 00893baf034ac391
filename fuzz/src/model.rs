//! The part of the library's `model` that its `progress` and `session` use.

#[path = "../../src/model/progress.rs"]
pub(crate) mod progress;
#[path = "../../src/model/status.rs"]
pub(crate) mod status;
#[path = "../../src/model/text.rs"]
pub(crate) mod text;
#[path = "../../src/model/token.rs"]
pub(crate) mod token;
#[path = "../../src/model/version.rs"]
pub(crate) mod version;
