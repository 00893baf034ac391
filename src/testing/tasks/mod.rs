//! Scripts that go on as tasks, in both forms.
//!
//! Owns the tasks of a server, what is asked about them, and who runs them. Must not know connections.
//! Sources: the extension `io.modelcontextprotocol/tasks` of 2026-07-28; 2025-11-25 `basic/utilities/tasks`.

mod becoming;
pub(crate) mod crew;
pub(crate) mod hosting;
pub(crate) mod ledger;
pub(crate) mod methods;
pub(crate) mod moment;
pub(crate) mod task;
pub(crate) mod task_stage;
mod task_steps;

pub use hosting::TaskHosting;
