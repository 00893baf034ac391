//! Owns how scripts speak of tasks. Must not know who runs them.

use crate::testing::script::{Script, Step};
use std::time::Duration;

/// Tasks.
impl Script {
    /// Goes on as a task: the request is answered with the task, and the steps behind this one are its work. What they
    /// answer is its result.
    ///
    /// Whether there will be a task is told by [`TaskHosting`]; without one this does nothing, and neither do the other
    /// steps for tasks. Pauses before it delay the creation. Inside of a [`burst`](Self::burst) the creation goes out
    /// in one write with what follows.
    ///
    /// Updates of the task carry the token of the call in 2025-11-25. In 2026-07-28 tasks have none, and they are left
    /// out. Questions make it wait for input. `tasks/cancel` stops it, or does with
    /// [`until_cancelled`](Self::until_cancelled) and [`ignores_cancel`](Self::ignores_cancel) what those say.
    ///
    /// ```
    /// use mcp_progress::testing::Script;
    /// use std::time::Duration;
    ///
    /// let script = Script::new()
    ///     .burst(|together| together.become_task().progress(1, 3).status("one of three"))
    ///     .wait(Duration::from_secs(1))
    ///     .progress(2, 3)
    ///     .status("two of three")
    ///     .text("done");
    /// # let _ = script;
    /// ```
    ///
    /// [`TaskHosting`]: crate::testing::TaskHosting
    pub fn become_task(self) -> Self {
        self.step(Step::BecomeTask)
    }

    /// Sets the task's `statusMessage`.
    pub fn status(self, words: impl Into<String>) -> Self {
        self.step(Step::Status(words.into()))
    }

    /// Changes how often clients are told to ask for the task from now on.
    pub fn poll_interval(self, pause: Duration) -> Self {
        self.step(Step::PollInterval(pause))
    }

    /// Changes how long the task is kept, counted from its creation; with `None` for ever.
    pub fn ttl(self, time: impl Into<Option<Duration>>) -> Self {
        self.step(Step::Ttl(time.into()))
    }

    /// Ends the task as `cancelled` though nobody cancelled it.
    pub fn call_off_task(self) -> Self {
        self.step(Step::CallOff)
    }

    /// Forgets the task: who asks for it is told that it is unknown. Its steps go on.
    pub fn forget_task(self) -> Self {
        self.step(Step::Forget)
    }

    pub(crate) fn preceded_by(mut self, step: Step) -> Self {
        self.steps.insert(0, step);
        self
    }
}
