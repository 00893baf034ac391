//! Progress made visible: in a terminal, on a web page, in lines for programs.
//!
//! Owns what is shown of a call and how. It must not know how updates get here: everything works from public updates and
//! handles, so that a program can do the same in its own way.

pub(crate) mod figure;
pub(crate) mod group;
#[cfg(feature = "indicatif")]
#[cfg_attr(docsrs, doc(cfg(feature = "indicatif")))]
pub mod indicatif;
pub mod json;
pub(crate) mod mark;
pub(crate) mod printable;
pub mod sse;
pub(crate) mod taskbar;
pub(crate) mod view;

pub use figure::{Figure, percent};
pub use mark::Mark;
pub use printable::{printable_block, printable_line};
pub use taskbar::{Taskbar, supported as taskbar_supported};
pub use view::CallView;
