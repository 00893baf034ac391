//! Bars on a terminal in memory, with the time in the hand of the test.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::InMemoryTerm;
use mcp_progress::testing::{Script, ScriptedServer};
use mcp_progress::ui::indicatif::{Bars, CallBar};
use mcp_progress::{Client, Progress};
use serde_json::json;

/// Some moment from which a test counts; it never looks at the clock again.
#[expect(
    clippy::disallowed_methods,
    reason = "an instant has no other beginning"
)]
pub(super) fn some_moment() -> Instant {
    Instant::now()
}

/// An update as the client makes it: the others of a test are made of it.
pub(super) async fn sample() -> Progress {
    let server = ScriptedServer::new().tool("once", |_| Script::new().progress(0, 1).text("done"));
    let client = Client::connect(server).await.expect("connects");
    let mut call = client.call_tool("once", json!({})).start();
    call.next().await.expect("one update")
}

/// A terminal, bars on it, and what time it is for them.
pub(super) struct Scene {
    pub(super) term: InMemoryTerm,
    pub(super) bars: Bars,
    sample: Progress,
    begin: Instant,
    now: Duration,
}

impl Scene {
    pub(super) async fn new(rows: u16, columns: u16) -> Self {
        let term = InMemoryTerm::new(rows, columns);
        let bars = Bars::on(term.clone());
        Self::of(term, bars).await
    }

    pub(super) async fn of(term: InMemoryTerm, bars: Bars) -> Self {
        let begin = some_moment();
        Self {
            term,
            bars: bars.by_hand(begin),
            sample: sample().await,
            begin,
            now: Duration::ZERO,
        }
    }

    /// Goes on to so many seconds after the beginning, and draws.
    pub(super) fn at(&mut self, seconds: f64) {
        self.now = Duration::from_secs_f64(seconds);
        self.bars.paint(self.begin + self.now);
    }

    /// An update that arrives now.
    pub(super) fn update(
        &self,
        progress: f64,
        total: impl Into<Option<f64>>,
        message: &str,
    ) -> Progress {
        let mut update = self.sample.clone();
        update.progress = progress;
        update.total = total.into();
        update.message = (!message.is_empty()).then(|| message.into());
        update.elapsed = self.now;
        update
    }

    /// One update of a bar, which arrives at so many seconds.
    pub(super) fn step(
        &mut self,
        bar: &CallBar,
        seconds: f64,
        progress: f64,
        total: impl Into<Option<f64>>,
        message: &str,
    ) {
        self.at(seconds);
        bar.update(&self.update(progress, total, message));
        self.at(seconds);
    }

    #[track_caller]
    pub(super) fn shows(&self, expected: &[&str]) {
        let contents = self.term.contents();
        let found: Vec<&str> = contents.split('\n').collect();
        assert_eq!(found, expected, "\n{contents}\n");
    }
}

/// What was written, for a look at it later.
#[derive(Clone, Debug, Default)]
pub(super) struct Paper(Arc<Mutex<Vec<u8>>>);

impl Paper {
    pub(super) fn text(&self) -> String {
        String::from_utf8(self.0.lock().expect("no panic").clone()).expect("UTF-8")
    }

    #[track_caller]
    pub(super) fn shows(&self, expected: &[&str]) {
        let text = self.text();
        assert!(!text.contains('\u{1b}'), "no escape codes: {text:?}");
        let found: Vec<&str> = text.lines().collect();
        assert_eq!(found, expected, "\n{text}");
    }
}

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
