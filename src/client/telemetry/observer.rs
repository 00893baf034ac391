//! Who watches the calls of a client.
//!
//! Owns the trait, and that an observer which panics harms no call. It must not know when there is something to tell.

use std::borrow::Cow;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use super::closing::CallClosed;
use crate::model::status::TaskStatus;
use crate::model::token::ProgressToken;
use crate::sync::Arc;

/// Watches every call of a client; set by [`Connect::observer`](crate::Connect::observer). Each method does nothing unless
/// it is written.
///
/// A call is one request of the user's, whatever it takes: one that goes on as further requests, or as a task, is one call.
/// What is told of it comes in this order: [`started`](Self::started), then the others as they came about, then
/// [`closed`](Self::closed), once, however the call ends. A request that could not be sent is no call.
///
/// # Where it runs
///
/// In the future of the call, before the call's own handler is given what is told of: a call that nobody polls tells
/// nothing meanwhile, and all of it when it is polled or dropped. What stands in the durations is by the time of arrival
/// nevertheless. Where a call is dropped, `closed` runs there, perhaps in a thread without a runtime. A method that
/// takes long delays its call, and no other; it should hand over what is slow.
///
/// A panic is caught and logged, and harms no call.
///
/// ```
/// use std::time::Duration;
/// use mcp_progress::{CallClosed, CallObserver, CallStarted};
///
/// struct Slow;
///
/// impl CallObserver for Slow {
///     fn closed(&self, call: &CallStarted, closed: &CallClosed) {
///         if closed.longest_silence > Duration::from_secs(30) {
///             tracing::warn!(tool = call.tool.as_deref(), ?closed, "a tool says too little");
///         }
///     }
/// }
/// ```
pub trait CallObserver: Send + Sync + 'static {
    /// The request is registered and queued.
    fn started(&self, call: &CallStarted) {
        let _ = call;
    }

    /// The first update of the call has come, so long after the request was written.
    fn first_update(&self, call: &CallStarted, after: Duration) {
        let _ = (call, after);
    }

    /// The call has come so far: `fraction` is one of the [milestones](crate::Connect::milestones), and `after` the time
    /// from the writing of the request.
    ///
    /// Each is told once for a call, in rising order; an update that passes several tells each of them. Only updates with
    /// an honest [`fraction`](crate::Progress::fraction) count. Where a call goes on as another request, whose progress
    /// begins anew, what was told stays told.
    fn milestone(&self, call: &CallStarted, fraction: f64, after: Duration) {
        let _ = (call, fraction, after);
    }

    /// The call goes on as its next request, number `leg`, from 2; see [`Progress::leg`](crate::Progress::leg).
    fn leg(&self, call: &CallStarted, leg: u32) {
        let _ = (call, leg);
    }

    /// The call goes on as a task, and this is its status now.
    fn status(&self, call: &CallStarted, status: TaskStatus) {
        let _ = (call, status);
    }

    /// The call is over.
    fn closed(&self, call: &CallStarted, closed: &CallClosed) {
        let _ = (call, closed);
    }
}

/// Which call it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CallStarted {
    /// The method of the request.
    pub method: Cow<'static, str>,
    /// The tool that is called, where the method is `tools/call`. None of a task that was taken up from its handle, which
    /// does not name it.
    pub tool: Option<Box<str>>,
    /// The progress token, unless the request carries none.
    pub token: Option<ProgressToken>,
    /// The JSON-RPC id of the first request. Further ones have ids of their own.
    pub id: i64,
}

/// The observers of a client.
#[derive(Clone, Default)]
pub(super) struct Observers(Arc<[Arc<dyn CallObserver>]>);

impl Observers {
    pub(super) fn with(&self, observer: impl CallObserver) -> Self {
        let new: Arc<dyn CallObserver> = Arc::new(observer);
        Self(self.0.iter().cloned().chain([new]).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells each of them, in the order in which they were added.
    pub(super) fn tell(&self, tell: impl Fn(&dyn CallObserver)) {
        for observer in &*self.0 {
            harmless("an observer of calls", || tell(&**observer));
        }
    }
}

/// Runs what others wrote: a panic is logged and goes no further. Without that, one in a destructor would end the process.
pub(super) fn harmless(who: &'static str, work: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
        tracing::error!(panic = text, "{who} panicked");
    }
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observers").field(&self.0.len()).finish()
    }
}
