//! Owns a subscriber of `tracing` that keeps what it is told. Must not know what a test is about.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Level, Metadata, Subscriber};

/// The fields of a span or an event, as text.
type Fields = BTreeMap<&'static str, String>;

/// Keeps spans and events of level info and above.
#[derive(Clone, Debug, Default)]
pub struct Diary(Arc<Mutex<Pages>>);

#[derive(Debug, Default)]
struct Pages {
    spans: Vec<Span>,
    events: Vec<Event>,
}

/// A span.
#[derive(Clone, Debug)]
pub struct Span {
    /// Its name.
    pub name: &'static str,
    /// What was recorded, at first and later.
    pub fields: Fields,
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its severity.
    pub level: Level,
    /// What it says.
    pub fields: Fields,
}

impl Diary {
    /// The one of this process. It is set for all threads: with one for each, whether a thread that has none keeps the others from
    /// being told is a matter of who comes first.
    #[must_use]
    pub fn of_the_process() -> &'static Self {
        static DIARY: OnceLock<Diary> = OnceLock::new();
        DIARY.get_or_init(|| {
            let diary = Self::default();
            let set = tracing::subscriber::set_global_default(diary.clone());
            set.expect("nobody else has set one");
            diary
        })
    }

    /// The spans so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.pages().spans.clone()
    }

    /// The events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.pages().events.clone()
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.0.lock().expect("nobody panicked")
    }
}

struct Writing<'a>(&'a mut Fields);

impl Visit for Writing<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Diary {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO
    }

    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        let mut fields = Fields::new();
        attributes.record(&mut Writing(&mut fields));
        let name = attributes.metadata().name();
        let mut pages = self.pages();
        pages.spans.push(Span { name, fields });
        Id::from_u64(pages.spans.len() as u64)
    }

    fn record(&self, span: &Id, values: &Record<'_>) {
        let index = usize::try_from(span.into_u64()).expect("small") - 1;
        values.record(&mut Writing(&mut self.pages().spans[index].fields));
    }

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut fields = Fields::new();
        event.record(&mut Writing(&mut fields));
        let level = *event.metadata().level();
        self.pages().events.push(Event { level, fields });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}
