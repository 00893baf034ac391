//! The one runtime in the background, and where it may be waited for.
//!
//! Owns starting it, and the judgement whether this thread may block. It must not know clients.

use std::future::Future;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::coop;

use super::park;
use crate::error::{Error, ErrorKind, Result};
use crate::sync::Mutex;

/// Never dropped: a static is not, and the end of the process ends its thread.
static RUNTIME: Mutex<Option<Runtime>> = Mutex::new(None);

/// More than any budget that tokio gives a task; it is counted in one byte.
const MORE_THAN_A_BUDGET: u32 = 256;

/// The runtime of all blocking clients, started where it is not there yet.
///
/// # Errors
///
/// Fails where the system gives no driver for it. The next attempt tries again.
pub(super) fn handle() -> Result<Handle> {
    let mut runtime = RUNTIME.lock();
    if let Some(runtime) = &*runtime {
        return Ok(runtime.handle().clone());
    }
    let started = Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("mcp-progress-blocking")
        .enable_all()
        .build();
    let started = started.map_err(|error| {
        Error::connect("the runtime of the blocking clients could not be started")
            .with_source(error)
    })?;
    Ok(runtime.insert(started).handle().clone())
}

/// Whether a task of tokio is being polled on this thread.
///
/// `Handle::try_current` does not tell: it also succeeds inside of `spawn_blocking` and `block_in_place`, and behind a guard of
/// `Handle::enter`, where a thread may be held up. Waiting by tokio's own `block_on` would tell by a panic. What is different, and can
/// be asked without leaving a trace, is the budget: whoever polls tasks gives them one, and tokio takes it away where blocking is
/// allowed. Asking takes of it; the first guard gives it back.
fn polls_tasks() -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(first) = coop::poll_proceed(&mut cx) else {
        return true;
    };
    for _ in 1..MORE_THAN_A_BUDGET {
        let Poll::Ready(taken) = coop::poll_proceed(&mut cx) else {
            return true;
        };
        taken.made_progress();
    }
    drop(first);
    false
}

/// Whether this thread may wait.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] where it runs the tasks of a tokio runtime, and where it is ending.
pub(super) fn check() -> Result<()> {
    match Handle::try_current() {
        // The values that a thread keeps go one after the other: this is the drop of one, and what tokio kept is gone. Entering a
        // runtime would panic there, and a panic in such a drop ends the process.
        Err(error) if error.is_thread_local_destroyed() => {
            let text = "a blocking call was made by a thread that is ending";
            return Err(Error::new(ErrorKind::InvalidInput, text));
        }
        Err(_) => return Ok(()),
        Ok(_) if !polls_tasks() => return Ok(()),
        Ok(_) => {}
    }
    let text = "a blocking call was made inside of an async runtime, where waiting would hold up other tasks";
    Err(Error::new(ErrorKind::InvalidInput, text).with_hint(
        "use the async `Client` there, or make the call inside of `tokio::task::spawn_blocking`",
    ))
}

/// Waits for `future` on this thread, where it is polled; the background runtime is at hand for what needs tokio's timers, tasks or
/// sockets.
///
/// For what has no blocking form of its own, such as several calls at once from one thread, or the end of a
/// [reporter](crate::ProgressReporter::finish).
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] inside of an async runtime, see [the module](crate::blocking#inside-of-an-async-runtime); the future is not polled then.
pub fn wait<F: Future>(future: F) -> Result<F::Output> {
    wait_for(pin!(future))
}

/// As [`wait`].
pub(super) fn wait_for<F: Future>(future: Pin<&mut F>) -> Result<F::Output> {
    check()?;
    let runtime = handle()?;
    // Handlers for the server's requests may run in the call's own future, and need a runtime as much as the connection does.
    let _entered = runtime.enter();
    Ok(park::block_on(future))
}

/// As [`wait`], up to `deadline`; none where that has come.
pub(super) fn wait_until<F: Future>(
    future: Pin<&mut F>,
    deadline: Instant,
) -> Result<Option<F::Output>> {
    check()?;
    let runtime = handle()?;
    let _entered = runtime.enter();
    Ok(park::block_until(future, deadline))
}

#[cfg(test)]
mod tests {
    use tokio::task::{block_in_place, consume_budget, coop, spawn_blocking, unconstrained};

    use super::{check, handle, polls_tasks};
    use crate::error::ErrorKind;

    fn may_wait() -> bool {
        check().is_ok()
    }

    #[test]
    fn a_thread_without_a_runtime_and_one_that_only_entered_it_may_wait() {
        assert!(may_wait());
        let runtime = handle().expect("started");
        let _entered = runtime.enter();
        assert!(may_wait());
    }

    #[tokio::test]
    async fn a_task_may_not_wait_and_a_thread_for_blocking_may() {
        let error = check().expect_err("this is a task");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let text = error.to_string();
        assert!(
            text.contains("async `Client`") && text.contains("spawn_blocking"),
            "{text}"
        );
        assert!(spawn_blocking(may_wait).await.expect("no panic"));
        // Not noticed, as the documentation says.
        assert!(unconstrained(async { may_wait() }).await);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn on_several_threads_too() {
        let runtime = tokio::runtime::Handle::current();
        let task = runtime.spawn(async { (may_wait(), block_in_place(may_wait), may_wait()) });
        assert_eq!(task.await.expect("no panic"), (false, true, false));
        assert!(!may_wait(), "the future of `block_on`");
    }

    #[tokio::test]
    async fn asking_takes_nothing_of_the_budget() {
        let mut left = 0;
        for _ in 0..1000 {
            assert!(polls_tasks());
        }
        while coop::has_budget_remaining() && left < 1000 {
            consume_budget().await;
            left += 1;
            if left == 1 {
                // And one that is used up is one all the same.
                assert!(polls_tasks());
            }
        }
        assert!(left > 1, "nothing was left");
    }
}
