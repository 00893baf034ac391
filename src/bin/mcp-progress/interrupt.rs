//! Ctrl-C, and SIGTERM where there is one.
//!
//! Owns the signals and what each of them does: the first cancels all calls in flight, the second leaves. It must not know
//! what is shown to whom, but for the sentence that says so.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcp_progress::Canceller;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::show::screen::Screen;

/// How long after the first signal the program may take: a second for the server to hear of it, and a little for the
/// words about it.
const PATIENCE: Duration = Duration::from_millis(1_300);

/// What the user has said so far; cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    signals: watch::Sender<u32>,
    armed: Mutex<Armed>,
}

/// The calls in flight.
#[derive(Debug, Default)]
struct Armed {
    calls: BTreeMap<u64, Canceller>,
    names: u64,
}

impl Armed {
    fn add(&mut self, canceller: Canceller) -> u64 {
        self.names += 1;
        self.calls.insert(self.names, canceller);
        self.names
    }
}

/// A call that is cancelled at the first signal, until this is dropped. A signal that is just being obeyed is waited for.
#[derive(Debug)]
#[must_use = "the call is forgotten when this is dropped"]
pub(crate) struct Guard {
    interrupt: Interrupt,
    /// None where the call was cancelled at once.
    name: Option<u64>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(name) = self.name {
            self.interrupt.armed().calls.remove(&name);
        }
    }
}

impl Interrupt {
    /// Listens from now on. It must be called within a runtime.
    pub(crate) fn listen(screen: Screen) -> io::Result<Self> {
        let interrupt = Self(Arc::new(Inner {
            signals: watch::Sender::new(0),
            armed: Mutex::default(),
        }));
        let mut signals = Signals::new()?;
        let listener = interrupt.clone();
        tokio::runtime::Handle::current().spawn(async move {
            loop {
                signals.next().await;
                listener.signalled(&screen);
            }
        });
        Ok(interrupt)
    }

    fn signalled(&self, screen: &Screen) {
        // Held to the end, so that a call that begins now sees the count, and one that ends now waits with its last
        // words until the sentence below is written.
        let mut armed = self.armed();
        let mut first = false;
        self.0.signals.send_modify(|signals| {
            first = *signals == 0;
            *signals += 1;
        });
        if !first {
            return;
        }
        // Whatever is written from now on would stand behind an open prompt.
        screen.release(None);
        // Here and not in the task of the call, which may hang in a write to a pipe that nobody empties.
        let calls = std::mem::take(&mut armed.calls);
        match calls.values().filter(|call| cancel(call)).count() {
            0 => screen.notice("interrupted"),
            1 => screen.notice("interrupted: the call is cancelled; once more to leave at once"),
            calls => screen.notice(&format!(
                "interrupted: {calls} calls are cancelled; once more to leave at once"
            )),
        }
    }

    /// Cancels this call at the first signal, or now if there was one.
    pub(crate) fn arm(&self, canceller: Canceller) {
        self.add(canceller);
    }

    /// As [`arm`](Self::arm), for one of many calls: forgets this one only.
    pub(crate) fn guard(&self, canceller: Canceller) -> Guard {
        Guard {
            name: self.add(canceller),
            interrupt: self.clone(),
        }
    }

    fn add(&self, canceller: Canceller) -> Option<u64> {
        let mut armed = self.armed();
        if self.is_set() {
            cancel(&canceller);
            return None;
        }
        Some(armed.add(canceller))
    }

    /// Forgets all calls, which are over. A signal that is just being obeyed is waited for.
    pub(crate) fn disarm(&self) {
        self.armed().calls.clear();
    }

    pub(crate) fn is_set(&self) -> bool {
        *self.0.signals.borrow() > 0
    }

    /// Waits for the first signal.
    pub(crate) async fn happened(&self) {
        // The sender lives in here, so this cannot fail.
        let _ = self
            .0
            .signals
            .subscribe()
            .wait_for(|signals| *signals > 0)
            .await;
    }

    /// Waits for the second signal, or until the first one has been obeyed for too long.
    pub(crate) async fn insisted(&self) {
        self.happened().await;
        let mut signals = self.0.signals.subscribe();
        tokio::select! {
            _ = signals.wait_for(|signals| *signals > 1) => {}
            () = sleep(PATIENCE) => {}
        }
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.0.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cancel(canceller: &Canceller) -> bool {
    canceller.cancel("interrupted by the user")
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}
