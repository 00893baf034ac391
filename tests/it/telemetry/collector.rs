//! A subscriber of `tracing` that keeps spans and events.
//!
//! Owns the record. It must not know what a test is about.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Collects in the thread that set it.
#[derive(Clone)]
pub(super) struct Collector {
    level: Level,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    spans: Vec<Span>,
    references: HashMap<u64, usize>,
    /// The ids of those that are entered.
    entered: Vec<u64>,
    events: Vec<String>,
    /// All that was logged beside the messages.
    details: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) name: &'static str,
    pub(super) target: String,
    pub(super) level: Level,
    /// The name of the one that it is below of.
    pub(super) parent: Option<&'static str>,
    pub(super) fields: BTreeMap<&'static str, String>,
    pub(super) closed: bool,
}

impl Collector {
    /// One that wants this level and more severe ones.
    pub(super) fn of(level: Level) -> Self {
        Self {
            level,
            seen: Arc::default(),
        }
    }

    /// The spans of calls.
    pub(super) fn calls(&self) -> Vec<Span> {
        let seen = self.seen();
        let calls = seen.spans.iter().filter(|span| span.name == "mcp.call");
        calls.cloned().collect()
    }

    /// The messages of events, each behind the names of the spans that it was in.
    pub(super) fn events(&self) -> Vec<String> {
        self.seen().events.clone()
    }

    /// The fields of events.
    pub(super) fn details(&self) -> Vec<String> {
        self.seen().details.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("not poisoned")
    }
}

impl Seen {
    fn span(&mut self, id: &Id) -> &mut Span {
        let index = usize::try_from(id.into_u64()).expect("small") - 1;
        &mut self.spans[index]
    }

    fn around(&self) -> Vec<&'static str> {
        let ids = self.entered.iter();
        ids.map(|id| self.spans[usize::try_from(*id).expect("small") - 1].name)
            .collect()
    }
}

struct Fields<'a>(&'a mut BTreeMap<&'static str, String>);

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Collector {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut seen = self.seen();
        let mut fields = BTreeMap::new();
        attributes.record(&mut Fields(&mut fields));
        let metadata = attributes.metadata();
        let span = Span {
            name: metadata.name(),
            target: metadata.target().to_owned(),
            level: *metadata.level(),
            parent: seen.around().last().copied(),
            fields,
            closed: false,
        };
        seen.spans.push(span);
        let id = seen.spans.len() as u64;
        seen.references.insert(id, 1);
        Id::from_u64(id)
    }

    fn record(&self, id: &Id, values: &Record<'_>) {
        values.record(&mut Fields(&mut self.seen().span(id).fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut fields = BTreeMap::new();
        event.record(&mut Fields(&mut fields));
        let mut seen = self.seen();
        let message = fields.remove("message").unwrap_or_default();
        let line = format!("{}: {message}", seen.around().join("/"));
        seen.events.push(line);
        seen.details.push(format!("{fields:?}"));
    }

    fn enter(&self, id: &Id) {
        self.seen().entered.push(id.into_u64());
    }

    fn exit(&self, id: &Id) {
        let left = self.seen().entered.pop();
        assert_eq!(
            left,
            Some(id.into_u64()),
            "spans are left as they were entered"
        );
    }

    fn clone_span(&self, id: &Id) -> Id {
        *self
            .seen()
            .references
            .get_mut(&id.into_u64())
            .expect("it lives") += 1;
        id.clone()
    }

    fn try_close(&self, id: Id) -> bool {
        let mut seen = self.seen();
        let references = seen.references.get_mut(&id.into_u64()).expect("it lives");
        *references -= 1;
        let closed = *references == 0;
        if closed {
            seen.span(&id).closed = true;
        }
        closed
    }
}
