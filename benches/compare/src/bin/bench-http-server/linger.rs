//! Owns the calls that wait for each other: none goes on before all that are expected are open.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;

/// Between two updates, and between the last one and the result.
const STEP: Duration = Duration::from_millis(500);
/// The steps of a call: three updates, then the result.
const STEPS: u32 = 4;

/// All that are open. One barrier serves a whole run: once it is lifted, it stays lifted.
#[derive(Debug)]
pub struct Lingering {
    open: AtomicU64,
    step: watch::Sender<u32>,
}

impl Default for Lingering {
    fn default() -> Self {
        Self {
            open: AtomicU64::new(0),
            step: watch::Sender::new(0),
        }
    }
}

/// One that is open, until it is dropped.
#[derive(Debug)]
pub struct Guest {
    all: Arc<Lingering>,
    step: watch::Receiver<u32>,
}

impl Lingering {
    pub fn open(&self) -> u64 {
        self.open.load(Relaxed)
    }

    /// One more; the last that was expected lets all go on.
    pub fn enter(self: &Arc<Self>, expected: u64) -> Guest {
        let step = self.step.subscribe();
        if self.open.fetch_add(1, Relaxed) + 1 == expected {
            let all = Arc::clone(self);
            tokio::spawn(async move {
                for step in 1..=STEPS {
                    tokio::time::sleep(STEP).await;
                    all.step.send_replace(step);
                }
            });
        }
        Guest {
            all: Arc::clone(self),
            step,
        }
    }
}

impl Guest {
    /// Returns when this step has come.
    pub async fn wait(&mut self, step: u32) {
        // It cannot fail: `all` holds the sender.
        drop(self.step.wait_for(|now| *now >= step).await);
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.all.open.fetch_sub(1, Relaxed);
    }
}
