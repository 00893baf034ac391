//! The thread that draws.
//!
//! Owns its life: one for the whole process, there only while something is at work. It must not know what is drawn.
//!
//! A thread and no task: bars go on while a runtime is busy, and the library starts no tasks of its own. One for all, since a
//! program that makes its bars call by call should not have a thread for each call.

use std::sync::{Condvar, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use super::stage::{Kind, Stage};
use crate::client::clock;
use crate::sync::{Arc, Mutex};

/// Looks at least this often, whatever is said.
const LONGEST: Duration = Duration::from_secs(1);

static PAINTER: Painter = Painter {
    state: Mutex::new(State {
        stages: Vec::new(),
        running: false,
        poked: false,
    }),
    wake: Condvar::new(),
};

struct Painter {
    state: Mutex<State>,
    wake: Condvar,
}

struct State {
    stages: Vec<Weak<Stage>>,
    running: bool,
    /// Whether something has changed since the last look.
    poked: bool,
}

/// Sees to it that `stage` is drawn as long as it is busy, unless somebody does that by hand.
pub(super) fn watch(stage: &Arc<Stage>) {
    if stage.is_by_hand() || stage.kind() == Kind::Nowhere {
        return;
    }
    let mut state = PAINTER.state.lock();
    let weak = Arc::downgrade(stage);
    if !state.stages.iter().any(|known| known.ptr_eq(&weak)) {
        state.stages.push(weak);
    }
    if !state.running {
        let thread = thread::Builder::new().name("mcp-progress-bars".to_owned());
        // Without a thread, ends are still drawn.
        state.running = thread.spawn(run).is_ok();
    }
    drop(state);
    poke();
}

/// Says that there is something to be drawn.
pub(super) fn poke() {
    PAINTER.state.lock().poked = true;
    PAINTER.wake.notify_one();
}

/// Whoever draws next starts a new thread, also where this one has panicked.
struct Running;

impl Drop for Running {
    fn drop(&mut self) {
        if thread::panicking() {
            PAINTER.state.lock().running = false;
        }
    }
}

fn run() {
    let _running = Running;
    while let Some(stages) = busy() {
        let now = clock::now();
        let next = stages.iter().map(|stage| stage.turn(now)).min();
        // Before the wait: the last handle on a stage takes its lines off the screen.
        drop(stages);
        let wait = next.map_or(LONGEST, |next| next.saturating_duration_since(clock::now()));
        let state = PAINTER.state.lock();
        let waited = PAINTER
            .wake
            .wait_timeout_while(state, wait.min(LONGEST), |state| !state.poked);
        waited.unwrap_or_else(PoisonError::into_inner).0.poked = false;
    }
}

/// What is to be drawn; none where the thread is to end.
fn busy() -> Option<Vec<Arc<Stage>>> {
    let mut state = PAINTER.state.lock();
    let stages: Vec<Arc<Stage>> = state.stages.iter().filter_map(Weak::upgrade).collect();
    let (busy, idle): (Vec<_>, Vec<_>) = stages.into_iter().partition(|stage| stage.is_busy());
    state.stages = busy.iter().map(Arc::downgrade).collect();
    if busy.is_empty() {
        // Under the lock: a stage that becomes busy from here on finds no thread, and starts one.
        state.running = false;
    }
    drop(state);
    drop(idle);
    (!busy.is_empty()).then_some(busy)
}
