//! What a client was told about its telemetry.
//!
//! Owns the observers, the milestones and the hook for trace contexts. It must not know single calls.

use std::fmt;

use super::observer::{CallObserver, Observers, harmless};
use super::trace_context::TraceContext;
use super::watch::Beginning;
use crate::session::wire::Message;
use crate::sync::Arc;

type Hook = Arc<dyn Fn(&mut TraceContext) + Send + Sync>;

/// What the milestones are unless the client says otherwise.
const QUARTERS: [f64; 3] = [0.25, 0.5, 0.75];

#[derive(Clone)]
pub(crate) struct Telemetry {
    observers: Observers,
    milestones: Arc<[f64]>,
    hook: Option<Hook>,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            observers: Observers::default(),
            milestones: Arc::from(QUARTERS),
            hook: None,
        }
    }
}

impl Telemetry {
    pub(super) fn observe(&mut self, observer: impl CallObserver) {
        self.observers = self.observers.with(observer);
    }

    /// Those that can be reached, in rising order, each once.
    pub(super) fn set_milestones(&mut self, fractions: impl IntoIterator<Item = f64>) {
        let mut fractions: Vec<f64> = fractions
            .into_iter()
            .filter(|fraction| *fraction > 0.0 && *fraction <= 1.0)
            .collect();
        fractions.sort_by(f64::total_cmp);
        fractions.dedup();
        self.milestones = fractions.into();
    }

    pub(super) fn trace(&mut self, hook: impl Fn(&mut TraceContext) + Send + Sync + 'static) {
        self.hook = Some(Arc::new(hook));
    }

    /// The watch over a call with this message; none where nobody wants it.
    pub(crate) fn begin(&self, message: &Message) -> Option<Beginning> {
        Beginning::of(message, &self.observers, &self.milestones)
    }

    /// Puts the trace context into a request.
    pub(crate) fn put_trace(&self, message: &mut Message) {
        let Some(hook) = &self.hook else {
            return;
        };
        let mut context = TraceContext::default();
        harmless("the hook for trace contexts", || hook(&mut context));
        context.put_into(message.meta_mut());
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("observers", &self.observers)
            .field("milestones", &self.milestones)
            .field("trace_context", &self.hook.is_some())
            .finish()
    }
}
